use crate::args::{Command, Experiment};
use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use crate::{calibrate, infer, instruct, label, prepare, print, runs, score, share, store, track};
use anyhow::bail;
use manyview_pipeline::config::Suite;
use manyview_pipeline::{QUICKSTART, Stage, Stages};
use std::path::Path;

/// The experiment that `manyview quickstart` runs.
const QUICKSTART_TOML: &str = include_str!("../../../configs/quickstart.toml");

/// Runs one command.
pub(crate) fn run(command: Command, bars: &Bars) -> anyhow::Result<()> {
    match command {
        Command::Quickstart { overrides, on } => {
            stages(&Suite::parse(QUICKSTART_TOML, QUICKSTART, &on.with(&overrides))?, Stages::All, bars)
        }
        Command::Run(experiment) => stages(&suite(&experiment)?, Stages::All, bars),
        Command::Fetch(wanted) => fetch(&suite(&wanted.experiment)?, wanted.hashes, bars),
        Command::Encode(experiment) => stage(&experiment, Stage::Encode, bars),
        Command::Train(experiment) => stage(&experiment, Stage::Train, bars),
        Command::Evaluate(experiment) => stage(&experiment, Stage::Evaluate, bars),
        Command::Report(experiment) => stage(&experiment, Stage::Report, bars),
        Command::Calibrate { command } => calibrate::run(command, bars),
        Command::Label(label) => label::run(label, bars),
        Command::Prepare { command } => prepare::run(command),
        Command::Infer(infer) => infer::run(infer, bars),
        Command::Score(score) => score::run(score, bars),
        Command::Instruct(instruct) => instruct::run(instruct, bars),
        Command::Export(export) => share::export(export, bars),
        Command::Push(push) => share::push(push, bars),
        Command::Doctor { config, overrides, deep } => doctor(config.as_deref(), &overrides, deep, bars),
        Command::Quantize { from, to } => {
            let made = manyview_pipeline::quantize(&from, &to).map_err(manyview_pipeline::Error::from)?;
            print::quantized(&to, &made)
        }
        Command::Runs { dir, command } => runs::run(&dir, command),
        Command::Track { dir, command } => track::run(&dir, command, bars),
        Command::Store { dir, command } => store::run(&dir, command, bars),
    }
}

fn suite(experiment: &Experiment) -> anyhow::Result<Suite> {
    Ok(Suite::load(&experiment.config, &experiment.on.with(&experiment.overrides))?)
}

fn stage(experiment: &Experiment, stage: Stage, bars: &Bars) -> anyhow::Result<()> {
    stages(&suite(experiment)?, Stages::Only(stage), bars)
}

fn stages(suite: &Suite, stages: Stages, bars: &Bars) -> anyhow::Result<()> {
    print::run(stages, &manyview_pipeline::run(suite, stages, &environment(), bars)?)
}

fn fetch(suite: &Suite, hashes: bool, bars: &Bars) -> anyhow::Result<()> {
    let environment = environment();
    let mut seen = Vec::new();
    for (_, experiment) in suite.members() {
        let mut found = Vec::new();
        match &experiment.data.vectors {
            Some(vectors) => found.push(vectors.clone()), // no encoder is loaded for them
            None => {
                found.push(manyview_artifact::fetch_encoder(&experiment.encoder, &environment.sources, bars)?)
            }
        }
        found.extend(manyview_pipeline::fetch_corpus(&experiment.data, &environment, bars)?);
        found.extend(experiment.teacher.vectors.clone());
        for path in found {
            if !seen.contains(&path) {
                seen.push(path);
            }
        }
    }
    match hashes {
        true => manyview_pipeline::file_hashes(&seen)
            .map_err(manyview_pipeline::Error::from)?
            .iter()
            .try_for_each(|(name, hash)| print_line(format_args!("{hash}  {name}"))),
        false => seen.iter().try_for_each(|path| print_line(path.display())),
    }
}

fn doctor(config: Option<&Path>, overrides: &[String], deep: bool, bars: &Bars) -> anyhow::Result<()> {
    let suite = config.map(|path| Suite::load(path, overrides)).transpose()?;
    let environment = environment();
    let mut checks = manyview_pipeline::doctor(suite.as_ref(), &environment, bars);
    if let Some(suite) = suite.as_ref().filter(|_| deep) {
        checks.extend(manyview_pipeline::deep_check(suite, &environment, bars));
    }
    let failed = print::checks(&checks)?;
    if failed > 0 {
        bail!(manyview_pipeline::Error::Setting {
            key: "doctor".into(),
            problem: format!("{failed} of {} checks failed; each says its cure", checks.len()),
        });
    }
    Ok(())
}
