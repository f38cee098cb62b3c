use crate::escape;
use crate::finding::{Gain, kept};
use crate::numbers::{interval, percent, plus_minus, score, signed, signed_interval};
use crate::{Scores, Views, ViewsMetrics, ViewsSection};
use manyview_core::Summary;

/// Why a teacher has no scores.
pub(crate) const NO_TEACHER: &str = "the teacher cannot see test texts";
/// Why there is no offset, nor a base cosine.
pub(crate) const NO_OFFSET: &str = "base and teacher vectors differ in length";

/// A row of figures for each view.
pub(crate) fn table(views: &[ViewsSection]) -> String {
    let rows: String = views
        .iter()
        .map(|view| {
            let m = &view.metrics;
            let v = &m.views;
            let f = &m.fidelity;
            format!(
                "<tr><th scope=row><a href=\"#{}\">{}</a></th>{}{}{}{}{}{}{}{}{}{}</tr>\n",
                crate::section::anchor(view, views),
                escape::html(&view.name),
                summary(Some(&v.base.v_measure), ""),
                summary(v.offset.as_ref().map(|s| &s.v_measure), NO_OFFSET),
                summary(Some(&v.adapter.v_measure), ""),
                summary(v.teacher.as_ref().map(|s| &s.v_measure), NO_TEACHER),
                gain(m),
                share(m),
                summary(Some(&v.adapter.ami), ""),
                summary(Some(&v.adapter.ari), ""),
                compared(f.cosine, f.base_cosine),
                compared(f.knn_overlap, Some(f.base_knn_overlap)),
            )
        })
        .collect();
    format!(
        "<div class=scroll role=region aria-label=scores tabindex=0><table class=main>\n<thead><tr><td></td><th colspan=4 scope=colgroup>V-measure</th>\
         <th colspan=2 scope=colgroup>adapter − base</th><th colspan=2 scope=colgroup>adapter</th>\
         <th colspan=2 scope=colgroup>close to the teacher</th></tr>\n\
         <tr><th scope=col>view</th><th scope=col>base</th><th scope=col>offset</th><th scope=col>adapter</th>\
         <th scope=col>teacher</th><th scope=col>gain</th><th scope=col>kept</th><th scope=col>AMI</th>\
         <th scope=col>ARI</th><th scope=col>cosine</th><th scope=col>neighbours</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// All scores of one view.
pub(crate) fn all(views: &Views) -> String {
    let row = |name: &str, scores: Option<&Scores>, why: &str| {
        let cells: String = columns(scores).iter().map(|s| summary(s.as_ref(), why)).collect();
        format!("<tr><th scope=row>{name}</th>{cells}</tr>\n")
    };
    let heads: String = NAMES.iter().map(|n| format!("<th scope=col>{n}</th>")).collect();
    format!(
        "<div class=scroll role=region aria-label=scores tabindex=0><table>\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n{}{}{}{}</tbody></table></div>\n",
        row("base", Some(&views.base), ""),
        row("offset", views.offset.as_ref(), NO_OFFSET),
        row("adapter", Some(&views.adapter), ""),
        row("teacher", views.teacher.as_ref(), NO_TEACHER),
    )
}

pub(crate) const NAMES: [&str; 5] = ["V-measure", "homogeneity", "completeness", "AMI", "ARI"];

/// The scores in the order of [`NAMES`].
pub(crate) fn columns(scores: Option<&Scores>) -> [Option<Summary>; 5] {
    match scores {
        Some(s) => [s.v_measure, s.homogeneity, s.completeness, s.ami, s.ari].map(Some),
        None => [None; 5],
    }
}

fn absent(why: &str) -> String {
    format!("<td class=none title=\"{}\">–</td>", escape::html(why))
}

fn summary(s: Option<&Summary>, why: &str) -> String {
    match s {
        Some(s) if s.mean.is_finite() => format!(
            "<td title=\"95% interval {}, standard deviation {}\">{}<small>{}</small></td>",
            interval(s.low, s.high),
            score(s.std),
            score(s.mean),
            plus_minus(s)
        ),
        Some(_) => absent("not a number"),
        None => absent(why),
    }
}

fn gain(m: &ViewsMetrics) -> String {
    format!(
        "<td class={}>{}<small>{}</small></td>",
        Gain::of(&m.gain).class(),
        signed(m.gain.value),
        signed_interval(&m.gain)
    )
}

fn share(m: &ViewsMetrics) -> String {
    match (&m.gain_kept, kept(m)) {
        (Some(k), Some(_)) => {
            format!("<td>{}<small>{} to {}</small></td>", percent(k.value), percent(k.low), percent(k.high))
        }
        _ => absent(&m.verdict),
    }
}

fn compared(value: f64, base: Option<f64>) -> String {
    let base = base.map_or_else(
        || format!("<small title=\"{NO_OFFSET}\">base –</small>"),
        |b| format!("<small>base {}</small>", score(b)),
    );
    format!("<td>{}{base}</td>", score(value))
}
