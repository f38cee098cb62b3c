use super::decide::{Decision, Finding, findings};
use super::figures::{self, CostFigures, DimensionFigures, Disagreement, GroupFigures};
use super::settings::Settings;
use super::text;
use crate::file::publish_json;
use crate::label::{LabelRecord, beside};
use crate::prepare::filter_fingerprint;
use crate::{Error, Result};
use manyview_core::Fingerprint;
use manyview_core::publish::write_whole;
use manyview_data::{Filter, read_labelled};
use manyview_oracle::Totals;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which labels to report on.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The filter: a file, or the directory of one version.
    pub filter: PathBuf,
    /// The labelled sample.
    pub labelled: PathBuf,
    /// The same sample, labelled in another round.
    pub relabelled: Vec<PathBuf>,
    /// The calibration report that this sample validates.
    pub validation_of: Option<PathBuf>,
    /// Texts of the batch to come, for its cost.
    pub batch: Option<usize>,
}

/// What a sample's labels say of the prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What to do.
    pub decision: Decision,
    /// Why.
    pub findings: Vec<Finding>,
    /// Name of the filter.
    pub filter: String,
    /// Its version.
    pub version: String,
    /// Changes whenever its dimensions, weights, tiers or range do.
    pub fingerprint: Fingerprint,
    /// The hash of the prompt.
    pub prompt: Option<Fingerprint>,
    /// Changes whenever an answer could.
    pub oracle: Fingerprint,
    /// The model.
    pub model: String,
    /// Texts with a label.
    pub rows: usize,
    /// Texts without a usable one.
    pub unlabelled: usize,
    /// How each group was scored.
    pub groups: Vec<GroupFigures>,
    /// How each dimension was scored, `[d]`.
    pub dimensions: Vec<DimensionFigures>,
    /// How far labels of the same text are apart; none where no text was labelled again.
    pub disagreement: Option<Disagreement>,
    /// What it cost; none where nothing was paid for or prices are not known.
    pub cost: Option<CostFigures>,
    /// The identity of the calibration that this validates.
    pub validates: Option<Fingerprint>,
    /// Names of the texts.
    pub ids: Vec<String>,
}

impl Report {
    /// Reads a report; none where there is none.
    ///
    /// # Errors
    /// A file that holds something else.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(path)(e)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            let problem =
                format!("expected a report of `manyview calibrate report`, found {e}; make it again");
            wrong(path, problem)
        })
    }

    /// Changes whenever the decision, the labels' maker or the sample do.
    pub fn identity(&self) -> Fingerprint {
        let of = Fingerprint::builder("calibration/1")
            .field("decision", self.decision.word().as_bytes())
            .field("filter", self.fingerprint.as_str().as_bytes())
            .field("oracle", self.oracle.as_str().as_bytes());
        self.ids.iter().fold(of, |of, id| of.field("id", id.as_bytes())).finish()
    }
}

/// Where the reports of a filter are: of its calibration, and of the validation.
pub fn reports(filter: &Filter) -> [PathBuf; 2] {
    ["calibration_report.json", "validation_report.json"].map(|name| filter.dir().join(name))
}

/// Compares a sample's labels with what was expected, decides, and writes both forms of the report beside the filter.
///
/// # Errors
/// Files, labels of another filter or prompt, a validation sample that shares texts with the calibration.
pub fn run(request: &ReportRequest) -> Result<(Report, PathBuf)> {
    let filter = Filter::load(&request.filter)?;
    let settings = Settings::of(&filter)?;
    let record = made_by(&request.labelled, &filter)?;
    let rows = read_labelled(&request.labelled, &filter)?;
    let unlabelled = rows.bad.len() + record.texts.saturating_sub(record.labelled);
    rows.bad.iter().for_each(|bad| tracing::warn!("left out: {bad}"));
    let grouped = rows.rows.into_iter().map(|row| match figures::group_of(&row) {
        Some(group) => Ok((group, row)),
        None => Err(wrong(
            &request.labelled,
            format!(
                "row `{}`: expected a text of `manyview calibrate sample`, found one without its mark; draw a sample",
                row.article.id
            ),
        )),
    });
    let rows = grouped.collect::<Result<Vec<_>>>()?;
    let mut again = Vec::new();
    for path in &request.relabelled {
        let other = made_by(path, &filter)?;
        if other.oracle != record.oracle {
            let problem =
                "expected labels of the same oracle and prompt, found others; label it in another --round";
            return Err(wrong(path, problem));
        }
        again.extend(read_labelled(path, &filter)?.rows);
    }
    let ids: Vec<String> = rows.iter().map(|(_, row)| row.article.id.clone()).collect();
    let calibration =
        request.validation_of.as_deref().map(|path| earlier(path, &ids, &record)).transpose()?;
    let mut report = Report {
        decision: Decision::Pass,
        findings: Vec::new(),
        fingerprint: filter_fingerprint(&filter),
        prompt: record.prompt,
        oracle: record.oracle,
        model: record.model,
        rows: rows.len(),
        unlabelled,
        groups: figures::groups(&rows, &filter, &settings),
        dimensions: figures::dimensions(&rows, &filter),
        disagreement: figures::disagreement(&rows, &again, &filter),
        cost: cost(record.totals, &record.currency, request.batch),
        validates: calibration.as_ref().map(Report::identity),
        ids,
        version: filter.version.clone(),
        filter: filter.name.clone(),
    };
    report.findings = findings(&report, &settings, calibration.as_ref());
    report.decision = report.findings.iter().map(|finding| finding.decision).max().unwrap_or(Decision::Fail);
    let [of_calibration, of_validation] = reports(&filter);
    let path = if calibration.is_some() { of_validation } else { of_calibration };
    write_whole(&path.with_extension("md"), text::markdown(&report).as_bytes())?;
    publish_json(&path, &report)?;
    Ok((report, path))
}

/// The record of a labelled file, which must be of this filter.
fn made_by(labelled: &Path, filter: &Filter) -> Result<LabelRecord> {
    let path = beside(labelled, "record.json");
    let fail = |problem: String| wrong(&path, problem);
    let bytes = match std::fs::read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let problem = "expected the record that `manyview label` writes beside its labels, found none; label the sample";
            return Err(fail(problem.into()));
        }
        bytes => bytes.map_err(Error::io(&path))?,
    };
    let record: LabelRecord = serde_json::from_slice(&bytes)
        .map_err(|e| fail(format!("expected the record of `manyview label`, found {e}; label again")))?;
    match record.fingerprint == filter_fingerprint(filter) {
        true => Ok(record),
        false => Err(fail("the filter has changed since these labels were made; label again".into())),
    }
}

/// The calibration that a sample validates: of the same oracle and prompt, and without a text of this sample.
fn earlier(path: &Path, ids: &[String], record: &LabelRecord) -> Result<Report> {
    let fail = |problem: String| wrong(path, problem);
    let report = Report::load(path)?.ok_or_else(|| {
        fail("expected a calibration report, found no file; report on the calibration first".into())
    })?;
    let shared: Vec<&String> = ids.iter().filter(|id| report.ids.contains(id)).collect();
    if let Some(first) = shared.first() {
        return Err(fail(format!(
            "expected a sample without texts of the calibration, found {} of them, `{first}` first; draw it with \
             --exclude and another seed",
            shared.len()
        )));
    }
    if report.oracle != record.oracle {
        return Err(fail("its labels are of another prompt or model; validate with the same".into()));
    }
    Ok(report)
}

fn wrong(path: &Path, problem: impl Into<String>) -> Error {
    Error::setting(&path.display().to_string(), problem)
}

fn cost(totals: Totals, currency: &str, batch: Option<usize>) -> Option<CostFigures> {
    (totals.answers > 0 && totals.unpriced == 0).then(|| {
        let each = totals.cost / totals.answers as f64;
        CostFigures {
            so_far: totals.cost,
            each,
            batch: batch.map(|texts| (texts, texts as f64 * each)),
            currency: currency.into(),
        }
    })
}
