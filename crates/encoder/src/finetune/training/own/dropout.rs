use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Which values of one step are left out: drawn again, in the same order, in the backward pass, so nothing is kept.
///
/// ChaCha8 under the seed, one stream for each place of each step; 16 bits a value.
#[derive(Clone)]
pub(super) struct Dropout {
    source: ChaCha8Rng,
    step: u64,
    hidden: f64,
    attention: f64,
}

/// Where values are left out.
#[derive(Clone, Copy)]
pub(super) enum Site {
    /// Of the embeddings.
    Embeddings,
    /// Of what attention adds, in a layer.
    AttentionOutput(usize),
    /// Of what the feed-forward block adds, in a layer.
    FeedForward(usize),
    /// Of the weights of attention, in a layer.
    Attention(usize),
}

impl Dropout {
    /// With these shares of hidden values and of attention weights.
    pub(super) fn new(seed: u64, hidden: f64, attention: f64) -> Self {
        Self { source: ChaCha8Rng::seed_from_u64(seed), step: 0, hidden, attention }
    }

    /// The same for another step.
    pub(super) fn at(&self, step: u64) -> Self {
        Self { step, ..self.clone() }
    }

    /// What leaves values out in `part` of a site; none where nothing is left out.
    pub(super) fn mask(&self, site: Site, part: usize) -> Option<Mask> {
        let (kind, layer, share) = match site {
            Site::Embeddings => (0, 0, self.hidden),
            Site::AttentionOutput(layer) => (1, layer, self.hidden),
            Site::FeedForward(layer) => (2, layer, self.hidden),
            Site::Attention(layer) => (3, layer, self.attention),
        };
        (share > 0.0).then(|| {
            let mut source = self.source.clone();
            source.set_stream((self.step << 32) | ((layer as u64) << 24) | (kind << 22) | part as u64);
            Mask { source, below: (share * 65536.0).round() as u16, kept: (1.0 / (1.0 - share)) as f32 }
        })
    }
}

/// The values left out at one place.
pub(super) struct Mask {
    source: ChaCha8Rng,
    below: u16,
    kept: f32,
}

impl Mask {
    /// Leaves the next values out, and makes up for them in those kept.
    pub(super) fn apply(&mut self, values: &mut [f32]) {
        for values in values.chunks_mut(4) {
            let mut bits = self.source.next_u64();
            for value in values {
                *value *= if (bits as u16) < self.below { 0.0 } else { self.kept };
                bits >>= 16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_left_out_and_the_rest_makes_up_for_it() {
        let mut values = vec![1.0; 100_000];
        Dropout::new(7, 0.1, 0.0).at(3).mask(Site::FeedForward(1), 2).unwrap().apply(&mut values);
        let out = values.iter().filter(|v| **v == 0.0).count();
        assert!((9_700..10_300).contains(&out), "{out}");
        assert!(values.iter().all(|v| *v == 0.0 || (v - 1.0 / 0.9).abs() < 1e-6));
    }

    #[test]
    fn each_place_and_step_has_its_own_and_the_same_again() {
        let drawn = |step, site, part| {
            let mut values = vec![1.0; 64];
            Dropout::new(7, 0.5, 0.5).at(step).mask(site, part).unwrap().apply(&mut values);
            values
        };
        let first = drawn(1, Site::AttentionOutput(0), 0);
        assert_eq!(first, drawn(1, Site::AttentionOutput(0), 0));
        for other in [
            drawn(2, Site::AttentionOutput(0), 0),
            drawn(1, Site::AttentionOutput(1), 0),
            drawn(1, Site::AttentionOutput(0), 1),
            drawn(1, Site::Attention(0), 0),
            drawn(1, Site::FeedForward(0), 0),
            drawn(1, Site::Embeddings, 0),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_share_of_nothing_is_no_mask() {
        assert!(Dropout::new(7, 0.0, 0.1).mask(Site::Embeddings, 0).is_none());
    }
}
