use crate::config::{Data, Encoder, Experiment, TeacherKind};
use crate::corpus::SplitCorpus;
use crate::encode::{Tally, Vectors};
use crate::latency::{self, Pass, Timings};
use crate::{Environment, Result, encoder, given, teacher};
use manyview_adapter::Linear;
use manyview_core::{Embeddings, Fingerprint, Instruction, Progress};
use manyview_encoder::TextEncoder;
use std::sync::Arc;

/// What the experiments of a suite share: each corpus is read once, each encoder loaded once, each pass timed once.
pub(crate) struct Bench<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) progress: &'a dyn Progress,
    corpora: Vec<(Data, Arc<SplitCorpus>)>,
    encoders: Vec<(Encoder, Arc<TextEncoder>)>,
    passes: Vec<(PassKey, Pass)>,
}

/// Which pass: of which encoder, under which instruction, over which texts, for how long.
#[derive(PartialEq)]
struct PassKey {
    encoder: Encoder,
    instruction: Option<Instruction>,
    texts: Vec<String>,
    seconds: f64,
}

/// One experiment with its corpus and the vectors of all its texts.
pub(crate) struct Prepared {
    pub(crate) corpus: Arc<SplitCorpus>,
    /// The encoder and what it did; none where the vectors came with the corpus.
    pub(crate) vectors: Option<Vectors<Arc<TextEncoder>>>,
    /// The encoder's fingerprint.
    pub(crate) fingerprint: Fingerprint,
    /// `[n, dim]`.
    pub(crate) base: Embeddings,
    /// Texts of the corpus whose end was cut.
    pub(crate) truncated: usize,
}

impl Prepared {
    /// What encoding took so far.
    pub(crate) fn tally(&self) -> Tally {
        self.vectors.as_ref().map(|vectors| vectors.tally).unwrap_or_default()
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(environment: &'a Environment, progress: &'a dyn Progress) -> Self {
        Self { environment, progress, corpora: Vec::new(), encoders: Vec::new(), passes: Vec::new() }
    }

    /// Reads the corpus, loads the encoder, and encodes what the store does not have.
    pub(crate) fn prepare(&mut self, experiment: &Experiment) -> Result<Prepared> {
        let corpus = self.corpus(&experiment.data)?;
        if let Some(base) = corpus.vectors.clone() {
            let fingerprint = given::fingerprint(&experiment.encoder, base.dim());
            return Ok(Prepared { corpus, vectors: None, fingerprint, base, truncated: 0 });
        }
        let encoder = self.encoder(&experiment.encoder)?;
        let store = &experiment.output.store;
        let mut vectors = Vectors::new(encoder::remembered(&experiment.encoder, encoder, store)?);
        let base = vectors.encode(&corpus.all_texts(), None, self.progress)?;
        let (truncated, fingerprint) = (vectors.truncated.len(), vectors.fingerprint());
        Ok(Prepared { corpus, vectors: Some(vectors), fingerprint, base, truncated })
    }

    pub(crate) fn corpus(&mut self, data: &Data) -> Result<Arc<SplitCorpus>> {
        if let Some((_, corpus)) = self.corpora.iter().find(|(d, _)| d == data) {
            return Ok(corpus.clone());
        }
        let corpus = Arc::new(SplitCorpus::load(data, self.environment, self.progress)?);
        self.corpora.push((data.clone(), corpus.clone()));
        Ok(corpus)
    }

    pub(crate) fn encoder(&mut self, config: &Encoder) -> Result<Arc<TextEncoder>> {
        if let Some((_, encoder)) = self.encoders.iter().find(|(c, _)| c == config) {
            return Ok(encoder.clone());
        }
        let encoder = Arc::new(encoder::load(config, self.environment, self.progress)?);
        self.encoders.push((config.clone(), encoder.clone()));
        Ok(encoder)
    }

    /// Times every pass of an experiment over the same texts.
    pub(crate) fn timings(
        &mut self,
        experiment: &Experiment,
        prepared: &Prepared,
        linear: &Linear,
    ) -> Result<Timings> {
        let rows = latency::timed_rows(experiment, &prepared.corpus);
        let texts = prepared.corpus.texts(&rows);
        let prompted =
            experiment.teacher.kind == TeacherKind::Instructed || !experiment.teacher.instruction.is_empty();
        let instruction = prompted.then(|| teacher::instruction(experiment)).transpose()?;
        self.progress.begin("time", 3);
        let (mut base, mut teacher) = (None, None);
        if let Some(vectors) = &prepared.vectors {
            let encoder = vectors.encoder();
            base = Some(self.pass(experiment, encoder, &texts, None)?);
            self.progress.advance(1);
            teacher = instruction.map(|i| self.pass(experiment, encoder, &texts, Some(i))).transpose()?;
        }
        self.progress.advance(1);
        let adapter = latency::adapter(experiment, &prepared.base.select(&rows)?, linear)?;
        self.progress.end();
        if self.progress.stopped() {
            return Err(manyview_core::Error::Interrupted.into());
        }
        Ok(Timings::new(rows.len(), teacher, base, adapter))
    }

    fn pass(
        &mut self,
        experiment: &Experiment,
        encoder: &TextEncoder,
        texts: &[&str],
        instruction: Option<Instruction>,
    ) -> Result<Pass> {
        let key = PassKey {
            encoder: experiment.encoder.clone(),
            instruction,
            texts: texts.iter().map(ToString::to_string).collect(),
            seconds: experiment.evaluate.latency_seconds,
        };
        if let Some((_, pass)) = self.passes.iter().find(|(k, _)| *k == key) {
            return Ok(*pass);
        }
        let pass = latency::encoder(experiment, texts, encoder, key.instruction.as_ref())?;
        self.passes.push((key, pass));
        Ok(pass)
    }
}
