use crate::gradient::Schedule;
use crate::training::Pace;
use crate::{Error, Linear, Result, Shape, Sides, matrix};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How maps are learnt from matches: the loss, the shape of the maps, and AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastiveConfig {
    /// What training minimises.
    pub loss: ContrastiveLoss,
    /// Which passages a query is ranked against by [`ContrastiveLoss::MultipleNegativesRanking`].
    pub negatives: Negatives,
    /// What cosines are multiplied by before they are ranked; the inverse of a temperature.
    pub scale: f64,
    /// Distance, 1 − cosine, beyond which a pair that does not match costs nothing, of the two contrastive losses.
    pub margin: f64,
    /// Whether passages equal to a positive, of its group, or known to answer an equal query are left out of its
    /// negatives.
    pub mask_duplicates: bool,
    /// Leaves out of the negatives those whose cosine is above the positive's by more than this: more likely answers
    /// that nobody marked. None leaves all in.
    pub mask_margin: Option<f64>,
    /// What the maps compute.
    pub map: Shape,
    /// Rank of [`Shape::LowRank`], 16 if not given, or hidden units of [`Shape::Residual`], as many as values of a
    /// vector if not given, and of [`Shape::Mlp`], twice as many.
    pub width: Option<usize>,
    /// Whether layers have a bias.
    pub bias: bool,
    /// Which sides are mapped.
    pub sides: Sides,
    /// Weight of mean |A(x) − x|², which holds a map A near the vectors it is given.
    pub recovery: f64,
    /// Highest learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Passes over the queries.
    pub epochs: usize,
    /// Queries a step.
    pub batch: usize,
    /// How the learning rate falls after the warm-up.
    pub schedule: Schedule,
    /// Share of all steps in which the learning rate rises to its highest, from 0 to 1.
    pub warmup: f64,
    /// Epochs without a better score after which training stops; 0 never stops early.
    pub patience: usize,
    /// Longest gradient of a step; longer ones are scaled down to it.
    pub clip: Option<f64>,
    /// Seed of the order of queries and of random layers.
    pub seed: u64,
    /// Steps from one checkpoint to the next; without it they are two seconds apart. Changes no result.
    pub checkpoint_every: Option<usize>,
}

/// What training minimises, with the values and gradients of sentence-transformers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContrastiveLoss {
    /// Cross-entropy of the positive among its negatives: mean of −log(exp(s cos(q, p⁺)) / Σ exp(s cos(q, p))).
    #[default]
    MultipleNegativesRanking,
    /// With d = 1 − cos: mean of ½d² over matches and ½max(0, margin − d)² over others.
    Contrastive,
    /// Sum of d² over matches farther than the nearest other, and of max(0, margin − d)² over others nearer than the
    /// farthest match; in a batch of matches or others alone, over those beyond their mean.
    OnlineContrastive,
    /// Mean of (cos − grade)², where a match without a grade is 1 and a negative 0.
    CosineSimilarity,
}

impl ContrastiveLoss {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MultipleNegativesRanking => "multiple_negatives_ranking",
            Self::Contrastive => "contrastive",
            Self::OnlineContrastive => "online_contrastive",
            Self::CosineSimilarity => "cosine_similarity",
        }
    }
}

/// Which passages a query is ranked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negatives {
    /// The positives and the given negatives of all queries of its batch.
    #[default]
    Batch,
    /// All passages. Where passages are mapped too, each step maps all of them.
    Corpus,
}

impl Default for ContrastiveConfig {
    fn default() -> Self {
        Self {
            loss: ContrastiveLoss::default(),
            negatives: Negatives::default(),
            scale: 20.0,
            margin: 0.5,
            mask_duplicates: true,
            mask_margin: None,
            map: Shape::default(),
            width: None,
            bias: false,
            sides: Sides::default(),
            recovery: 0.0,
            lr: 1e-3,
            weight_decay: 0.0,
            epochs: 10,
            batch: 64,
            schedule: Schedule::default(),
            warmup: 0.0,
            patience: 0,
            clip: None,
            seed: 0,
            checkpoint_every: None,
        }
    }
}

impl ContrastiveConfig {
    /// Refuses values out of range.
    pub(super) fn check(&self) -> Result<()> {
        use crate::error::{not_negative, positive, setting};
        self.pace().check()?;
        not_negative("weight_decay", self.weight_decay)?;
        positive("scale", self.scale)?;
        positive("margin", self.margin)?;
        self.mask_margin.map_or(Ok(()), |m| not_negative("mask_margin", m))?;
        not_negative("recovery", self.recovery)?;
        self.clip.map_or(Ok(()), |c| positive("clip", c))?;
        let every = self.checkpoint_every.unwrap_or(1);
        setting("checkpoint_every", every > 0, "at least 1", every.to_string())?;
        let ranks = self.loss == ContrastiveLoss::MultipleNegativesRanking;
        let whole = self.negatives == Negatives::Corpus;
        setting("negatives", ranks || !whole, "batch, with a loss of pairs", "corpus".into())
    }

    pub(super) fn pace(&self) -> Pace {
        let Self { lr, schedule, warmup, epochs, batch, patience, seed, .. } = *self;
        Pace { lr, schedule, warmup, epochs, batch, patience, seed }
    }

    /// The layers training starts from, those of queries first: each map gives every vector back.
    pub(super) fn start(&self, dim: usize) -> Result<Vec<Linear>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut layers = self.identity(dim, &mut rng)?;
        if self.sides == Sides::Dual {
            layers.extend(self.identity(dim, &mut rng)?);
        }
        Ok(layers)
    }

    /// The layers of a map that gives every vector back and can learn from there.
    fn identity(&self, dim: usize, rng: &mut ChaCha8Rng) -> Result<Vec<Linear>> {
        let default = match self.map {
            Shape::Linear => dim,
            Shape::LowRank => 16,
            Shape::Residual => dim,
            Shape::Mlp => 2 * dim,
        };
        let width = self.width.unwrap_or(default);
        let least = if self.map == Shape::Mlp { 2 * dim } else { 1 };
        if width < least {
            let expected = match self.map {
                Shape::Mlp => "at least twice the length of a vector, so that an mlp starts at the identity",
                _ => "at least 1",
            };
            return Err(Error::Setting { name: "width", expected, found: width.to_string() });
        }
        let bias = |n: usize| self.bias.then(|| vec![0.0; n]);
        if self.map == Shape::Linear {
            return Ok(vec![Linear::new(matrix::identity(dim), dim, bias(dim))?]);
        }
        let bound = (dim as f32).sqrt().recip();
        let mut first: Vec<f32> = (0..dim * width).map(|_| rng.random_range(-bound..bound)).collect();
        let mut second = vec![0.0; width * dim];
        if self.map == Shape::Mlp {
            // x = relu(x) − relu(−x): two hidden units a value.
            for (i, row) in first.chunks_exact_mut(width).enumerate() {
                for (j, v) in row.iter_mut().enumerate().take(2 * dim) {
                    *v = if j == i {
                        1.0
                    } else if j == dim + i {
                        -1.0
                    } else {
                        0.0
                    };
                }
            }
            for (j, row) in second.chunks_exact_mut(dim).enumerate().take(2 * dim) {
                let sign = if j < dim { 1.0 } else { -1.0 };
                row.iter_mut().skip(j % dim).take(1).for_each(|v| *v = sign);
            }
        }
        let of_first = if self.map.rectifies() { bias(width) } else { None };
        Ok(vec![Linear::new(first, dim, of_first)?, Linear::new(second, width, bias(dim))?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Map;
    use crate::test_data::normal;
    use manyview_core::Transform;

    #[test]
    fn every_shape_starts_at_the_identity() {
        let x = normal(5, 6, 1);
        let same = x.clone().normalized().unwrap();
        for (map, width) in [
            (Shape::Linear, None),
            (Shape::LowRank, None),
            (Shape::LowRank, Some(1)),
            (Shape::Residual, None),
            (Shape::Residual, Some(3)),
            (Shape::Mlp, None),
            (Shape::Mlp, Some(17)),
        ] {
            for bias in [false, true] {
                let config = ContrastiveConfig { map, width, bias, sides: Sides::Dual, ..Default::default() };
                let layers = config.start(6).unwrap();
                assert_eq!(layers.len(), 2 * map.layers());
                for layers in layers.chunks(map.layers()) {
                    let map = Map::new(map, layers.to_vec()).unwrap();
                    assert_eq!(map.transform(&x).unwrap(), same, "{map:?}");
                }
            }
        }
    }

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = ContrastiveConfig::default;
        let pairs = ContrastiveLoss::Contrastive;
        let bad = [
            ("lr", ContrastiveConfig { lr: 0.0, ..base() }),
            ("weight_decay", ContrastiveConfig { weight_decay: f64::NAN, ..base() }),
            ("scale", ContrastiveConfig { scale: -1.0, ..base() }),
            ("margin", ContrastiveConfig { margin: 0.0, ..base() }),
            ("mask_margin", ContrastiveConfig { mask_margin: Some(-0.1), ..base() }),
            ("recovery", ContrastiveConfig { recovery: f64::INFINITY, ..base() }),
            ("clip", ContrastiveConfig { clip: Some(0.0), ..base() }),
            ("epochs", ContrastiveConfig { epochs: 0, ..base() }),
            ("batch", ContrastiveConfig { batch: 0, ..base() }),
            ("warmup", ContrastiveConfig { warmup: -0.5, ..base() }),
            ("checkpoint_every", ContrastiveConfig { checkpoint_every: Some(0), ..base() }),
            ("negatives", ContrastiveConfig { negatives: Negatives::Corpus, loss: pairs, ..base() }),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
        for (map, width) in [(Shape::Mlp, 11), (Shape::LowRank, 0)] {
            let e = ContrastiveConfig { map, width: Some(width), ..base() }.start(6).unwrap_err();
            assert!(e.to_string().starts_with("width"), "{e}");
        }
    }
}
