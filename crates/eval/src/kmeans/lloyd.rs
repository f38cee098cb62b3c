use super::points::{Points, add, squared_distance};

/// One start of k-means under way. Centres whose members stay are not measured again.
pub(super) struct Lloyd<'a> {
    points: &'a Points,
    centres: Vec<f32>,
    sums: Vec<f64>,
    counts: Vec<usize>,
    labels: Vec<usize>,
    distances: Vec<f32>,
    changed: Vec<bool>,
}

/// Where a start ended. The centres are around the mean of the data, shape `[k, dim]`.
pub(super) struct Run {
    pub(super) labels: Vec<usize>,
    pub(super) centres: Vec<f32>,
    pub(super) inertia: f64,
    pub(super) iterations: usize,
}

impl<'a> Lloyd<'a> {
    /// Centres at the rows `seeds`; no row belongs to any before the first iteration.
    pub(super) fn new(points: &'a Points, seeds: &[usize]) -> Self {
        let (k, n) = (seeds.len(), points.n());
        Self {
            points,
            centres: points.gather(seeds),
            sums: vec![0.0; k * points.dim()],
            counts: vec![0; k],
            labels: Vec::new(),
            distances: vec![0.0; k * n],
            changed: vec![true; k],
        }
    }

    /// Iterates until no row moves, until the centres move by at most `tolerance` (squared), or `max_iterations` times.
    pub(super) fn run(mut self, max_iterations: usize, tolerance: f64) -> Run {
        let mut iterations = 0;
        loop {
            let nearest = self.nearest();
            if nearest == self.labels {
                break;
            }
            iterations += 1;
            self.assign(nearest);
            self.fill_empty();
            if self.move_centres() <= tolerance || iterations == max_iterations {
                self.labels = self.nearest();
                break;
            }
        }
        let inertia = self.labels.iter().zip(self.points.rows()).map(|(&l, row)| self.distance(row, l)).sum();
        Run { labels: self.labels, centres: self.centres, inertia, iterations }
    }

    /// The nearest centre of each row; ties go to the lower one.
    fn nearest(&mut self) -> Vec<usize> {
        let (n, dim) = (self.points.n(), self.points.dim());
        let changed: Vec<usize> = (0..self.counts.len()).filter(|&c| self.changed[c]).collect();
        let centres: Vec<f32> =
            changed.iter().flat_map(|&c| &self.centres[c * dim..(c + 1) * dim]).copied().collect();
        let distances = self.points.squared_distances(&centres);
        for (&c, distances) in changed.iter().zip(distances.chunks_exact(n)) {
            self.distances[c * n..(c + 1) * n].copy_from_slice(distances);
        }
        self.changed.fill(false);

        let mut least = vec![f32::INFINITY; n];
        let mut nearest = vec![0; n];
        for (c, distances) in self.distances.chunks_exact(n).enumerate() {
            for ((least, nearest), &d) in least.iter_mut().zip(&mut nearest).zip(distances) {
                if d < *least {
                    (*least, *nearest) = (d, c);
                }
            }
        }
        nearest
    }

    fn assign(&mut self, nearest: Vec<usize>) {
        if self.labels.is_empty() {
            for (&to, row) in nearest.iter().zip(self.points.rows()) {
                add(&mut self.sums[to * row.len()..(to + 1) * row.len()], row, 1.0);
                self.counts[to] += 1;
            }
            self.changed.fill(true);
            self.labels = nearest;
        } else {
            nearest.into_iter().enumerate().for_each(|(row, to)| self.reassign(row, to));
        }
    }

    fn reassign(&mut self, row: usize, to: usize) {
        let (from, dim) = (self.labels[row], self.points.dim());
        if from == to {
            return;
        }
        let values = self.points.row(row);
        add(&mut self.sums[from * dim..(from + 1) * dim], values, -1.0);
        add(&mut self.sums[to * dim..(to + 1) * dim], values, 1.0);
        self.counts[from] -= 1;
        self.counts[to] += 1;
        (self.changed[from], self.changed[to]) = (true, true);
        self.labels[row] = to;
    }

    /// Gives each cluster without rows the row farthest from its centre, unless all rows lie on their centres.
    fn fill_empty(&mut self) {
        let empty: Vec<usize> = (0..self.counts.len()).filter(|&c| self.counts[c] == 0).collect();
        if empty.is_empty() {
            return;
        }
        let far = |(i, row)| (self.distance(row, self.labels[i]), i);
        let mut rows: Vec<(f64, usize)> = self.points.rows().enumerate().map(far).collect();
        rows.retain(|&(distance, _)| distance > 0.0);
        rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut rows = rows.into_iter();
        for cluster in empty {
            let Some((_, row)) = rows.find(|&(_, row)| self.counts[self.labels[row]] > 1) else { return };
            self.reassign(row, cluster);
        }
    }

    /// Puts each changed centre at the mean of its rows; returns the sum of the squared shifts.
    fn move_centres(&mut self) -> f64 {
        let dim = self.points.dim();
        let mut shift = 0.0;
        for (c, centre) in self.centres.chunks_exact_mut(dim).enumerate() {
            if self.counts[c] == 0 {
                continue;
            }
            let scale = 1.0 / self.counts[c] as f64;
            let mut moved = 0.0;
            for (v, sum) in centre.iter_mut().zip(&self.sums[c * dim..(c + 1) * dim]) {
                let new = (sum * scale) as f32;
                moved += (f64::from(new) - f64::from(*v)).powi(2);
                *v = new;
            }
            self.changed[c] = moved > 0.0;
            shift += moved;
        }
        shift
    }

    fn distance(&self, row: &[f32], cluster: usize) -> f64 {
        let dim = self.points.dim();
        squared_distance(row, &self.centres[cluster * dim..(cluster + 1) * dim])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Embeddings;

    fn run(values: &[f32], seeds: &[usize], tolerance: f64) -> Run {
        let points = Points::new(&Embeddings::new(values.to_vec(), 1).unwrap());
        Lloyd::new(&points, seeds).run(50, tolerance)
    }

    #[test]
    fn an_empty_cluster_takes_the_farthest_row() {
        let found = run(&[0.0, 0.5, 1.0, 100.0], &[0, 0], 0.0);
        assert_eq!(found.labels, [0, 0, 0, 1]);
        assert!((found.inertia - 0.5).abs() < 1e-5, "{}", found.inertia);
    }

    #[test]
    fn equal_rows_leave_a_cluster_empty_and_end() {
        let found = run(&[3.0; 5], &[0, 1], 0.0);
        assert_eq!((found.labels, found.inertia), (vec![0; 5], 0.0));
        assert!(found.iterations < 5, "{}", found.iterations);
    }

    #[test]
    fn labels_are_those_of_the_final_centres_though_stopped_early() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 12.0];
        let found = run(&values, &[0, 1], f64::INFINITY);
        assert_eq!(found.iterations, 1);
        let mean = values.iter().sum::<f32>() / 8.0;
        for (value, label) in values.iter().zip(found.labels) {
            let distance = |c: usize| (value - mean - found.centres[c]).abs();
            assert!(distance(label) <= distance(1 - label), "{value}");
        }
    }
}
