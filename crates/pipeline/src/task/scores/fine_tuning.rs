//! Training the encoder below a head.

use super::corpus::ScoredCorpus;
use super::data::ScoresData;
use super::spec::Spec;
use crate::run::FineTuning;
use crate::{Error, Result};
use manyview_encoder::finetune::HeadRegression;
use manyview_eval::RegressionMeasure::Rmse;
use manyview_eval::mean_prediction;

impl ScoresData {
    /// How the encoder learns below the head: that its vectors of the training texts are given their scores by it.
    pub(super) fn fine_tuning<'d>(
        &'d self,
        spec: &Spec,
        corpus: &'d ScoredCorpus,
    ) -> Result<Option<FineTuning<'d>>> {
        let (Some(config), Some(below)) = (&spec.fine_tuning, &self.below) else { return Ok(None) };
        let [layer] = below.head.layers() else {
            return Err(Error::setting("scores.head", "expected one layer of a linear head, found several"));
        };
        let (weight, bias, targets) = (layer.weight(), layer.bias(), self.train.targets());
        let spreads = Rmse.per_dimension(targets, &mean_prediction(targets, targets.n())?)?;
        let spreads: Vec<f64> =
            spreads.into_iter().map(|spread| if spread > 0.0 { spread } else { 1.0 }).collect();
        let texts = corpus.split.train.iter().filter_map(|&row| corpus.texts.get(row));
        Ok(Some(FineTuning {
            config: config.clone(),
            queries: texts.map(String::as_str).collect(),
            passages: Vec::new(),
            objective: Box::new(HeadRegression::new(weight, bias, targets, &spreads)?),
        }))
    }
}
