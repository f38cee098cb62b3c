use super::context::{Context, Encoded, Tally};
use super::directory::{METRICS, RunDir, SCORES, VariantDir, publish};
use super::fine_tuning::{self, FineTuning};
use super::fit_cache::{self, FitRecord};
use super::stage::{Stage, Stages};
use super::tracking;
use crate::config::{Encoder, Experiment, Suite};
use crate::task::{Fit, Tagged, Task, metrics};
use crate::{Environment, Result, embedded};
use manyview_core::{Fingerprint, Progress};
use manyview_encoder::finetune::FineTuned;
use manyview_report::{Fact, Report};
use manyview_track::Tracker;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The result of a run.
#[derive(Debug)]
pub struct Outcome<T: Task> {
    /// The run directory.
    pub dir: PathBuf,
    /// The cost of encoding, over all variants.
    pub tally: Tally,
    /// Number of truncated texts.
    pub truncated: usize,
    /// The smallest share of a corpus's tokens that an encoder read; none where no text was truncated.
    pub share_read: Option<f64>,
    /// The fits, by variant.
    pub fits: Vec<(String, FitRecord)>,
    /// The metrics, by variant, once evaluated.
    pub metrics: Vec<(String, T::Metrics)>,
    /// The report, once written.
    pub report: Option<Report<T::Section>>,
    /// Events that the tracking server has not received yet.
    pub untracked: u64,
}

/// One experiment of a suite.
pub(super) struct Variant<'a, T: Task> {
    /// Its name below the run directory; none for a lone experiment.
    pub(super) name: Option<&'a str>,
    pub(super) title: &'a str,
    pub(super) experiment: &'a Experiment,
    pub(super) spec: T::Spec,
}

/// Runs the experiments of `suite` with a task: one stage or all.
///
/// Results of an earlier run are reused: embeddings in the store, fits and encoders with the same inputs, checkpoints
/// of training.
///
/// # Errors
/// Errors of a stage; [`crate::Error::Missing`] if an earlier stage that it needs was not run. Results of the stages
/// before it are kept.
pub fn run<T: Task>(
    suite: &Suite,
    stages: Stages,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<Outcome<T>> {
    let mut variants = Vec::new();
    for (name, experiment) in suite.members() {
        tracking::server(&experiment.tracking, &environment.tracking)?; // an address that is none, before anything long
        let spec = T::spec(experiment, stages.last())?;
        #[cfg(not(feature = "train"))]
        if stages.include(Stage::Train) && experiment.train.is_by_gradient() {
            return Err(crate::training::needs_training()); // before anything long
        }
        variants.push(Variant { name, title: name.unwrap_or(&experiment.name), experiment, spec });
    }
    let dir = RunDir::open(&suite.base)?;
    let outcome = Outcome {
        dir: dir.path().into(),
        tally: Tally::default(),
        truncated: 0,
        share_read: None,
        fits: Vec::new(),
        metrics: Vec::new(),
        report: None,
        untracked: 0,
    };
    let cx = Context::new(environment, progress);
    let mut run = Run {
        suite,
        stages,
        dir,
        cx,
        corpora: Vec::new(),
        sections: Vec::new(),
        trackers: Vec::new(),
        outcome,
    };
    let done = run.all(&variants);
    let untracked = tracking::finish(run.trackers, &done);
    done?;
    run.outcome.untracked = untracked?;
    Ok(run.outcome)
}

struct Run<'a, T: Task> {
    suite: &'a Suite,
    stages: Stages,
    dir: RunDir,
    cx: Context<'a>,
    corpora: Vec<(T::Source, Arc<T::Corpus>)>,
    sections: Vec<T::Section>,
    trackers: Vec<Tracker>,
    outcome: Outcome<T>,
}

impl<T: Task> Run<'_, T> {
    fn all(&mut self, variants: &[Variant<'_, T>]) -> Result<()> {
        for variant in variants {
            self.one(variant)?;
            let tally = self.cx.next_variant();
            self.outcome.tally.add(tally);
        }
        if self.stages.include(Stage::Evaluate) && !self.suite.variants.is_empty() {
            let all =
                self.outcome.metrics.iter().map(|(name, metrics)| (name.as_str(), Tagged::<T>::of(metrics)));
            self.dir.variant(None)?.write(METRICS, &all.collect::<BTreeMap<_, _>>())?;
        }
        if self.stages.include(Stage::Report) {
            self.report(variants)?;
        }
        Ok(())
    }

    fn one(&mut self, variant: &Variant<'_, T>) -> Result<()> {
        let (dir, experiment, spec) = (self.dir.variant(variant.name)?, variant.experiment, &variant.spec);
        self.check_earlier_stages(&dir)?; // before anything long
        let corpus = self.corpus(spec)?;
        let encoded = self.encode(variant, &corpus, &experiment.encoder)?;
        self.outcome.truncated = self.outcome.truncated.max(encoded.truncated);
        self.outcome.share_read =
            encoded.share_read.into_iter().chain(self.outcome.share_read).reduce(f64::min);
        if self.stages.last() == Stage::Encode {
            return self.dir.save_config(self.suite);
        }
        let encoder = encoded.fingerprint.clone();
        let data = T::data(spec, &corpus, encoded, &mut self.cx)?;
        let (data, fit) = self.fit(variant, &dir, &corpus, (data, &encoder))?;
        self.dir.save_config(self.suite)?;
        self.outcome.fits.push((variant.title.into(), fit.record.clone()));
        if self.stages.last() == Stage::Train {
            return Ok(());
        }
        let metrics = match self.stages.include(Stage::Evaluate) {
            true => {
                let metrics = T::evaluate(spec, &corpus, &data, &fit, &dir, &mut self.cx)?;
                dir.write(METRICS, &Tagged::<T>::of(&metrics))?;
                dir.write(SCORES, &T::scores(&metrics).flat(T::NAME))?;
                if let Some(tracker) = self.trackers.last() {
                    tracking::measured::<T>(tracker, &dir, &metrics)?;
                }
                metrics
            }
            false => metrics::<T>(&dir)?,
        };
        if self.stages.include(Stage::Report) {
            self.sections.push(T::section(variant.title, spec, &corpus, &data, &fit, &metrics)?);
        }
        self.outcome.metrics.push((variant.title.into(), metrics));
        Ok(())
    }

    /// Checks that the stages before a single stage were run.
    fn check_earlier_stages(&self, dir: &VariantDir) -> Result<()> {
        if let Stages::Only(stage) = self.stages {
            if stage > Stage::Train {
                fit_cache::load::<T>(dir)?;
            }
            if stage == Stage::Report {
                metrics::<T>(dir)?;
            }
        }
        Ok(())
    }

    fn corpus(&mut self, spec: &T::Spec) -> Result<Arc<T::Corpus>> {
        let source = T::source(spec);
        if let Some((_, corpus)) = self.corpora.iter().find(|(known, _)| *known == source) {
            return Ok(corpus.clone());
        }
        let corpus = Arc::new(T::load(&source, self.cx.environment, self.cx.progress)?);
        self.corpora.push((source, corpus.clone()));
        Ok(corpus)
    }

    /// The embeddings of all texts by the encoder of `config`, or those supplied with the corpus.
    fn encode(&mut self, variant: &Variant<'_, T>, corpus: &T::Corpus, config: &Encoder) -> Result<Encoded> {
        if let Some(vectors) = T::vectors(corpus) {
            let fingerprint = config.fingerprint_of_given(vectors.dim());
            return Ok(Encoded {
                vectors: vec![vectors.clone()],
                fingerprint,
                truncated: 0,
                share_read: None,
            });
        }
        self.cx.encode(config, &variant.experiment.output.store, &T::texts(&variant.spec, corpus)?)
    }

    /// Fits, or reuses the cached fit; if the encoder is fine-tuned, on the embeddings of the fine-tuned encoder.
    fn fit(
        &mut self,
        variant: &Variant<'_, T>,
        dir: &VariantDir,
        corpus: &Arc<T::Corpus>,
        (mut data, encoder): (T::Data, &Fingerprint),
    ) -> Result<(T::Data, Fit<T>)> {
        let stopped = |progress: &dyn Progress| match progress.stopped() {
            true => Err(manyview_core::Error::Interrupted),
            false => Ok(()),
        };
        stopped(self.cx.progress)?;
        let may_train = self.stages.include(Stage::Train);
        let (spec, config) = (&variant.spec, &variant.experiment.encoder);
        let mut key = T::key(spec, &data)?;
        let (mut tuned, mut run) = (None::<FineTuned>, None::<Fingerprint>);
        let plan = T::fine_tuning(spec, corpus, &data)?;
        if let Some(plan) = &plan {
            let identity = plan.identity((&*self.cx.encoder(config)?, config), self.cx.progress)?;
            key = Fingerprint::builder("fine-tuned-fit/1")
                .field("fit", key.as_str().as_bytes())
                .field("run", identity.as_str().as_bytes())
                .finish();
            tuned = FineTuning::trained(&identity, dir);
            if tuned.is_none() && !may_train {
                return Err(FineTuning::missing(dir));
            }
            run = Some(identity);
        }
        let known = fit_cache::current::<T>(dir, &key);
        let whole = |(_, record): &(T::Model, FitRecord)| fit_cache::check_curve(dir, record).is_ok();
        let known = if may_train { known.ok().filter(whole) } else { Some(known?) };
        let (tracker, new) = tracking::open(variant, dir, (&key, encoder), self.cx.environment)?;
        self.trackers.push(tracker);
        if let (Some(plan), None) = (&plan, &tuned) {
            tuned = Some(plan.train((&*self.cx.encoder(config)?, config), dir, self.cx.progress)?);
        }
        drop(plan);
        if let Some(tuned) = &tuned {
            let own = fine_tuning::config(config, dir);
            let encoded = self.encode(variant, corpus, &own)?;
            data = T::with_tuned(spec, corpus, data, encoded, (tuned, &own))?;
            stopped(self.cx.progress)?;
        }
        let untold = new || known.is_none();
        let (model, mut record) = match known {
            Some(known) => {
                tracing::info!(path = %dir.path().display(), "the fit is up to date");
                known
            }
            None => {
                let start = Instant::now();
                let (model, mut record) = T::fit(spec, &data, &key, dir, &mut self.cx)?;
                record.task = T::NAME.into();
                if record.artifact.is_empty() {
                    record.artifact = T::MODEL.into();
                }
                record.fine_tuning = run;
                record.seconds = start.elapsed().as_secs_f64() + tuned.as_ref().map_or(0.0, |t| t.seconds);
                fit_cache::store::<T>(spec, &data, &model, &record, dir)?;
                (model, record)
            }
        };
        record.metrics.extend(T::validate(spec, &data, &model)?);
        if let Some(tracker) = self.trackers.last().filter(|_| untold) {
            tracking::fitted::<T>(tracker, dir, &record, tuned.as_ref())?;
        }
        Ok((data, Fit { model, record }))
    }

    fn report(&mut self, variants: &[Variant<'_, T>]) -> Result<()> {
        let Some(first) = variants.first() else { return Ok(()) };
        let sections = std::mem::take(&mut self.sections);
        let specs: Vec<&T::Spec> = variants.iter().map(|variant| &variant.spec).collect();
        let (mut facts, caveats) = T::facts(&specs, &*self.corpus(&first.spec)?, &sections);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (device, version) = (&first.experiment.encoder.device, env!("CARGO_PKG_VERSION"));
        facts.push(Fact {
            label: "Machine".into(),
            value: format!("{threads} threads, device {device}, manyview {version}"),
        });
        let name = self.suite.base.name.clone();
        let report = Report { name, facts, caveats, sections, reproduce: reproduce(self.suite) };
        let mut files =
            vec![("report.html", report.html().into_bytes()), ("report.md", report.markdown().into_bytes())];
        files.extend(report.docx()?.map(|bytes| ("report.docx", bytes)));
        for (name, bytes) in &files {
            let path = self.dir.path().join(name);
            publish(&path, bytes)?;
            if *name != "report.md" {
                self.trackers.iter().try_for_each(|tracker| tracker.artifact(&path, name))?;
            }
        }
        self.outcome.report = Some(report);
        Ok(())
    }
}

fn reproduce(suite: &Suite) -> Vec<String> {
    let overrides =
        suite.overrides.iter().map(|o| format!(" '{}'", o.replace('\'', r"'\''"))).collect::<String>();
    let dir = RunDir::of(&suite.base);
    let first = match suite.origin == embedded::QUICKSTART {
        true => format!("manyview quickstart{overrides}"),
        false => format!("manyview run {}{overrides}", suite.origin),
    };
    vec![first, format!("manyview run {}", dir.join("experiment.toml").display())]
}
