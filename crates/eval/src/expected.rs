use crate::contingency::Table;

/// Logarithms of the integers and of their factorials, up to a number of texts.
pub(crate) struct Logarithms {
    ln: Vec<f64>,
    factorial: Vec<f64>,
}

impl Logarithms {
    pub(crate) fn up_to(n: usize) -> Self {
        let ln: Vec<f64> = (0..=n).map(|i| if i == 0 { 0.0 } else { (i as f64).ln() }).collect();
        let mut factorial = Vec::with_capacity(n + 1);
        let (mut sum, mut lost) = (0.0f64, 0.0);
        for &term in &ln {
            // Kahan's sum: the n-th entry is as exact as the first.
            let term: f64 = term - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            factorial.push(sum);
        }
        Self { ln, factorial }
    }

    /// `ln i`, and 0 for 0, where it is only ever multiplied by 0.
    pub(crate) fn ln(&self, i: usize) -> f64 {
        self.ln[i]
    }

    /// The mutual information, in nats, that labelings of these sizes share by chance.
    pub(crate) fn expected_information(&self, table: &Table) -> f64 {
        let (classes, clusters) = (sizes(&table.classes), sizes(&table.clusters));
        let mut sum = 0.0;
        for &(a, many) in &classes {
            for &(b, times) in &clusters {
                sum += (many * times) as f64 * self.expected_share(a, b, table.total);
            }
        }
        sum
    }

    /// The part of one class of `a` texts and one cluster of `b`: the mean over the hypergeometric distribution of
    /// their overlap, summed from its mode outwards until the terms vanish.
    fn expected_share(&self, a: usize, b: usize, total: usize) -> f64 {
        let (least, most) = ((a + b).saturating_sub(total).max(1), a.min(b));
        let mode = ((a + 1) * (b + 1) / (total + 2)).clamp(least, most);
        let f = &self.factorial;
        let peak = (f[a] + f[b] + f[total - a] + f[total - b]
            - f[total]
            - f[mode]
            - f[a - mode]
            - f[b - mode]
            - f[total + mode - a - b])
            .exp();
        let offset = self.ln[total] - self.ln[a] - self.ln[b];
        let term = |overlap: usize, p: f64| p * overlap as f64 * (self.ln[overlap] + offset);
        // The chance of one more shared text, relative to that of `overlap`.
        let ratio = |overlap: usize| {
            let room = (total + overlap + 1 - a - b) as f64;
            (a - overlap) as f64 * (b - overlap) as f64 / ((overlap + 1) as f64 * room)
        };
        let negligible = peak * 1e-20;

        let mut sum = term(mode, peak);
        let mut p = peak;
        for overlap in mode..most {
            p *= ratio(overlap);
            sum += term(overlap + 1, p);
            if p < negligible {
                break;
            }
        }
        p = peak;
        for overlap in (least..mode).rev() {
            p /= ratio(overlap);
            sum += term(overlap, p);
            if p < negligible {
                break;
            }
        }
        sum / total as f64
    }
}

/// The distinct sizes above 0 and how often each occurs.
fn sizes(counts: &[usize]) -> Vec<(usize, usize)> {
    let mut sorted: Vec<usize> = counts.iter().copied().filter(|&c| c > 0).collect();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).filter_map(|same| Some((*same.first()?, same.len()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contingency::Contingency;

    #[test]
    fn the_expectation_is_the_mean_over_all_permutations() {
        // Two labelings of 4 texts in pairs: of the 24 permutations 8 agree fully (ln 2) and 16 share nothing.
        let table = Contingency::new(&[0, 0, 1, 1], &[0, 0, 1, 1]).table();
        let expected = Logarithms::up_to(4).expected_information(&table);
        assert!((expected - 2f64.ln() / 3.0).abs() < 1e-15, "{expected}");
    }
}
