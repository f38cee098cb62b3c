use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use clap::{Args, Subcommand, ValueEnum};
use manyview_artifact::{Encoder, load_encoder};
use manyview_labelling::calibrate::{self, By, ReportRequest, SampleRequest};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Calibrate {
    /// Samples on-topic texts, off-topic texts and edge cases.
    Sample(Sample),
    /// Compares a sample's labels with the expected ranges: PASS, REVIEW or FAIL.
    Report(Report),
}

#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// The filter: a .toml or .yaml file, or the directory of one version; its table `calibration` defines the
    /// groups.
    #[arg(long, value_name = "FILTER")]
    filter: PathBuf,
    /// The corpus (JSONL): id, title, content.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The sample to write.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Number of on-topic texts.
    #[arg(long, value_name = "N", default_value_t = 20)]
    positive: usize,
    /// Number of off-topic texts.
    #[arg(long, value_name = "N", default_value_t = 20)]
    negative: usize,
    /// Number of edge cases.
    #[arg(long, value_name = "N", default_value_t = 10)]
    edge: usize,
    /// Seed of the random sample.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// An earlier sample whose texts are excluded. May be given several times.
    #[arg(long, value_name = "FILE")]
    exclude: Vec<PathBuf>,
    /// How texts are grouped.
    #[arg(long, value_enum, default_value_t = How::Words)]
    by: How,
    /// Encoder for --by likeness.
    #[arg(long, default_value = "minilm")]
    encoder: String,
    /// Device to encode on.
    #[arg(long, default_value = "flex")]
    device: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    /// By the lists `positive` and `negative`.
    Words,
    /// By the similarity of embeddings to those of `positive_text` and `negative_text`.
    Likeness,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The report is written beside the filter: calibration_report.md and .json, or validation_report.md and .json.
PASS: continue. REVIEW: fix the prompt and label the same sample again. FAIL: rewrite the prompt.")]
pub(crate) struct Report {
    /// The filter: a .toml or .yaml file, or the directory of one version.
    #[arg(long, value_name = "FILTER")]
    filter: PathBuf,
    /// The sample, labelled.
    #[arg(long, value_name = "FILE")]
    labelled: PathBuf,
    /// The same sample, labelled with another --round. May be given several times.
    #[arg(long, value_name = "FILE")]
    relabelled: Vec<PathBuf>,
    /// The calibration report to validate; this sample must share no text with its sample.
    #[arg(long, value_name = "FILE")]
    validation_of: Option<PathBuf>,
    /// Number of texts in the planned batch, to estimate its cost.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
}

/// Runs one `manyview calibrate` command.
pub(crate) fn run(command: Calibrate, bars: &Bars) -> anyhow::Result<()> {
    match command {
        Calibrate::Sample(wanted) => sample(wanted, bars),
        Calibrate::Report(wanted) => report(wanted),
    }
}

fn sample(wanted: Sample, bars: &Bars) -> anyhow::Result<()> {
    let encoder = match wanted.by {
        How::Words => None,
        How::Likeness => {
            let named = Encoder { model: wanted.encoder, device: wanted.device, ..Encoder::default() };
            Some(load_encoder(&named, &environment().sources, bars)?)
        }
    };
    let by = encoder.as_ref().map_or(By::Words, |encoder| By::Likeness(encoder));
    let request = SampleRequest {
        filter: wanted.filter,
        input: wanted.input,
        output: wanted.output,
        counts: [wanted.positive, wanted.negative, wanted.edge],
        seed: wanted.seed,
        exclude: wanted.exclude,
    };
    let sample = calibrate::sample(&request, by, bars)?;
    if sample.excluded > 0 {
        print_line(format_args!("{} texts of earlier samples were left out", sample.excluded))?;
    }
    for ((name, drawn), there) in
        ["on the topic", "off it", "between"].iter().zip(sample.drawn).zip(sample.there)
    {
        print_line(format_args!("{drawn} of {there} texts {name}"))?;
    }
    print_line(format_args!("{}: the sample, to be labelled", request.output.display()))
}

fn report(wanted: Report) -> anyhow::Result<()> {
    let request = ReportRequest {
        filter: wanted.filter,
        labelled: wanted.labelled,
        relabelled: wanted.relabelled,
        validation_of: wanted.validation_of,
        batch: wanted.batch,
    };
    let (report, path) = calibrate::report(&request)?;
    print_line(report.decision.word())?;
    for finding in &report.findings {
        print_line(format_args!("{:6}  {}", finding.decision.word(), finding.says))?;
    }
    if let Some(cost) = &report.cost {
        print_line(format_args!("cost so far: {:.4} {}", cost.so_far, cost.currency))?;
        if let Some((texts, sum)) = cost.batch {
            print_line(format_args!("a batch of {texts} texts: about {sum:.2} {}", cost.currency))?;
        }
    }
    print_line(format_args!("{}: all figures", path.with_extension("md").display()))
}
