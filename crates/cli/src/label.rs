use crate::progress::Bars;
use crate::stdout::print_line;
use clap::Args;
use manyview_labelling::label::{self, LabelRecord, LabelRequest, OracleKey};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Writes beside the output its ledger, OUTPUT.ledger.jsonl, with every answer and its cost, and OUTPUT.record.json.
After a stop, a kill or a spent budget, the same command resumes and requests nothing twice.

A batch needs a calibration and a validation that passed: see `manyview calibrate --help`. Samples do not.")]
pub(crate) struct Label {
    /// The filter: a .toml or .yaml file, or the directory of one version, with its prompt.
    #[arg(long, value_name = "FILTER")]
    filter: PathBuf,
    /// The texts (JSONL): id, title, content.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The labelled file to write: the texts with NAME_analysis.dimensions.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The oracle's settings (TOML); the API key comes from the environment variable named there.
    #[arg(long, value_name = "FILE")]
    oracle: PathBuf,
    /// Only the first N texts.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Maximum cost of all answers in the ledger, in the currency of the prices.
    #[arg(long, value_name = "SUM")]
    budget: Option<f64>,
    /// Labels every text again in another round, to measure how well the oracle agrees with itself.
    #[arg(long, value_name = "N", default_value_t = 1)]
    round: u32,
    /// Labels a batch even if calibration has not passed.
    #[arg(long)]
    uncalibrated: bool,
}

/// Labels texts, and prints counts and cost.
pub(crate) fn run(label: Label, bars: &Bars) -> anyhow::Result<()> {
    let key = label::key_variable(&label.oracle)?.and_then(|name| std::env::var(name).ok());
    let request = LabelRequest {
        filter: label.filter,
        input: label.input,
        output: label.output,
        oracle: label.oracle,
        key: key.filter(|key| !key.trim().is_empty()).map(OracleKey::new),
        limit: label.limit,
        budget: label.budget,
        round: label.round,
        uncalibrated: label.uncalibrated,
    };
    let record = label::run(&request, bars)?;
    let LabelRecord { texts, labelled, asked, failed, totals, currency, .. } = &record;
    print_line(format_args!("{labelled} of {texts} texts have a label; {asked} of them new"))?;
    if *failed > 0 {
        print_line(format_args!(
            "{failed} texts have no usable answer; the same command asks about them again"
        ))?;
    }
    if record.ended == "budget" {
        print_line("the budget is spent; a larger --budget goes on")?;
    }
    if totals.cost > 0.0 {
        print_line(format_args!("cost so far: {:.4} {currency}", totals.cost))?;
    }
    if totals.lost > 0 {
        let reserved = match totals.reserved {
            0.0 => String::new(),
            sum => format!("; {sum:.4} {currency} of the budget are reserved for them"),
        };
        let lost = totals.lost;
        print_line(format_args!(
            "{lost} questions were sent and not answered: they may have been charged{reserved}"
        ))?;
    }
    print_line(format_args!("{}: the labels", request.output.display()))
}
