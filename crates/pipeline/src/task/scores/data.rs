use super::corpus::ScoredCorpus;
use super::spec::{HeadFit, Spec};
use crate::Result;
use crate::config::Encoder;
use crate::run::Encoded;
use manyview_adapter::RidgeHeadFit;
use manyview_core::{Embeddings, Fingerprint, Fit, Scored};
use manyview_data::Filter;
use manyview_encoder::finetune::FineTuned;

/// Vectors, and what a head may learn from.
pub struct ScoresData {
    /// Name of the data.
    pub(super) dataset: String,
    pub(super) filter: Filter,
    /// The encoder's fingerprint.
    pub(super) encoder: Fingerprint,
    /// Vectors of all rows, `[n, dim]`.
    pub(super) base: Embeddings,
    /// Of the training rows, with their scores.
    pub(super) train: Scored,
    /// Of the validation rows, with their scores; none without such rows.
    pub(super) val: Option<Scored>,
    /// The head over the frozen vectors, below which the encoder is trained. It stays as it is: one fitted anew over vectors
    /// that know the scores would take them for better than they are.
    pub(super) below: Option<RidgeHeadFit>,
    /// How the encoder was trained below it, and where it is.
    pub(super) tuned: Option<(FineTuned, Encoder)>,
}

impl ScoresData {
    pub(super) fn of(spec: &Spec, corpus: &ScoredCorpus, encoded: &Encoded) -> Result<Self> {
        let mut data = Self::over(corpus, encoded)?;
        if let (HeadFit::Ridge(ridge), Some(_)) = (&spec.fit, &spec.fine_tuning) {
            data.below = Some(ridge.fit(&data.train)?);
        }
        Ok(data)
    }

    fn over(corpus: &ScoredCorpus, encoded: &Encoded) -> Result<Self> {
        let [base] = encoded.sets()?;
        let rows = |rows: &[usize]| Scored::new(base.select(rows)?, corpus.targets.select(rows)?);
        let split = &corpus.split;
        Ok(Self {
            dataset: corpus.name.clone(),
            filter: corpus.filter.clone(),
            encoder: encoded.fingerprint.clone(),
            base: base.clone(),
            train: rows(&split.train)?,
            val: (!split.val.is_empty()).then(|| rows(&split.val)).transpose()?,
            below: None,
            tuned: None,
        })
    }

    pub(super) fn with_tuned(
        self,
        _: &Spec,
        corpus: &ScoredCorpus,
        encoded: &Encoded,
        (tuned, encoder): (&FineTuned, &Encoder),
    ) -> Result<Self> {
        let tuned = Some((tuned.clone(), encoder.clone()));
        Ok(Self { below: self.below, tuned, ..Self::over(corpus, encoded)? })
    }
}
