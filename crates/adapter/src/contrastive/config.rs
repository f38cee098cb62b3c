use crate::{Result, Shape, Sides};
use manyview_train::TrainConfig;
use serde::{Deserialize, Serialize};

/// Settings of contrastive training: the loss, the shape of the maps, and AdamW.
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
    pub shape: Shape,
    /// Rank of [`Shape::LowRank`], 16 if not given, or hidden units of [`Shape::Residual`], as many as values of a
    /// vector if not given, and of [`Shape::Mlp`], twice as many.
    pub width: Option<usize>,
    /// Whether layers have a bias.
    pub bias: bool,
    /// Which sides are mapped.
    pub sides: Sides,
    /// Weight of mean |A(x) − x|², which holds a map A near the identity.
    pub identity_penalty: f64,
    /// Epochs, batches of queries, learning rate and the like.
    pub train: TrainConfig,
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
            shape: Shape::default(),
            width: None,
            bias: false,
            sides: Sides::default(),
            identity_penalty: 0.0,
            train: TrainConfig { epochs: 10, ..TrainConfig::default() },
        }
    }
}

impl ContrastiveConfig {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] with the name of the first that is.
    pub fn check(&self) -> Result<()> {
        use crate::error::{not_negative, positive, setting};
        self.train.check()?;
        positive("scale", self.scale)?;
        positive("margin", self.margin)?;
        self.mask_margin.map_or(Ok(()), |m| not_negative("mask_margin", m))?;
        not_negative("identity_penalty", self.identity_penalty)?;
        let ranks = self.loss == ContrastiveLoss::MultipleNegativesRanking;
        let whole = self.negatives == Negatives::Corpus;
        setting("negatives", ranks || !whole, "batch, with a loss of pairs", "corpus".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_refused_by_name() {
        let base = ContrastiveConfig::default;
        let pairs = ContrastiveLoss::Contrastive;
        let train = TrainConfig { lr: 0.0, ..TrainConfig::default() };
        let bad = [
            ("lr", ContrastiveConfig { train, ..base() }),
            ("scale", ContrastiveConfig { scale: -1.0, ..base() }),
            ("margin", ContrastiveConfig { margin: 0.0, ..base() }),
            ("mask_margin", ContrastiveConfig { mask_margin: Some(-0.1), ..base() }),
            ("identity_penalty", ContrastiveConfig { identity_penalty: f64::INFINITY, ..base() }),
            ("negatives", ContrastiveConfig { negatives: Negatives::Corpus, loss: pairs, ..base() }),
        ];
        for (name, config) in bad {
            assert!(config.check().unwrap_err().to_string().starts_with(name), "{name}");
        }
        base().check().unwrap();
    }
}
