//! No batch is labelled by a prompt that was not seen to work on a sample, and then on another one.

use super::settings::Asked;
use crate::calibrate::{Decision, Report, SAMPLED, reports};
use crate::prepare::filter_fingerprint;
use crate::{Error, Result};
use manyview_data::{Article, Filter};

/// Refuses a batch unless calibration and validation passed with this filter, prompt and oracle. Samples of
/// `manyview calibrate sample` are no batch, and labels there are need no prompt.
///
/// # Errors
/// What is missing, with the command that makes it.
pub(super) fn check(filter: &Filter, articles: &[Article], asked: &Asked) -> Result<()> {
    /// More rows than this are a batch, whatever they say of themselves.
    const LARGEST_SAMPLE: usize = 500;
    let sampled = |article: &Article| article.fields.get(SAMPLED).is_some_and(serde_json::Value::is_object);
    if asked.prompt.is_none() || (articles.len() <= LARGEST_SAMPLE && articles.iter().all(sampled)) {
        return Ok(());
    }
    let [calibration, validation] = reports(filter);
    let of_calibration = passed(&calibration, "calibration", filter, asked)?;
    let of_validation = passed(&validation, "validation", filter, asked)?;
    match of_validation.validates.as_ref() == Some(&of_calibration.identity()) {
        true => Ok(()),
        false => Err(refusal(filter, "the validation is of another calibration; validate this one")),
    }
}

fn passed(path: &std::path::Path, what: &str, filter: &Filter, asked: &Asked) -> Result<Report> {
    let Some(report) = Report::load(path)? else {
        return Err(refusal(filter, &format!("expected a {what} that passed, found none")));
    };
    if report.decision != Decision::Pass {
        return Err(refusal(
            filter,
            &format!("expected a {what} that passed, found {}", report.decision.word()),
        ));
    }
    let changed = if report.fingerprint != filter_fingerprint(filter) {
        "the filter"
    } else if report.prompt != asked.prompt {
        "the prompt"
    } else if report.oracle != asked.oracle.fingerprint() {
        "the model or its settings"
    } else {
        return Ok(report);
    };
    Err(refusal(filter, &format!("{changed} has changed since the {what}; do it again")))
}

fn refusal(filter: &Filter, problem: &str) -> Error {
    let problem = format!(
        "{problem}; a batch labelled by a wrong prompt is paid for in vain: see `manyview calibrate --help`, or say \
         --uncalibrated"
    );
    Error::Setting { key: format!("calibration of {}", filter.path.display()), problem }
}
