//! A made-up report for tests: four views, one with every figure that may be absent left out.

use crate::{Curve, Fact, Map, Report, ViewsMetrics, ViewsSection};
use manyview_core::Estimate;

pub(crate) fn metrics() -> ViewsMetrics {
    serde_json::from_str(include_str!("../tests/golden/metrics.json")).unwrap()
}

pub(crate) fn report() -> Report<ViewsSection> {
    let fact = |label: &str, value: &str| Fact { label: label.into(), value: value.into() };
    let mut views: Vec<_> = ["emotion", "topic", "length", "answers"].map(|n| view(n, 300)).into();
    shift(&mut views[1], 0.08, [0.084, 0.031, 0.137]);
    shift(&mut views[2], -0.19, [0.012, -0.021, 0.044]);
    shift(&mut views[3], -0.25, [-0.031, -0.052, -0.011]);
    views[1].curve = Some(training());
    let m = &mut views[2].metrics;
    m.gain_kept = None;
    m.verdict =
        "the teacher has no measurable gain over the stored vectors, so there is nothing to keep".into();
    m.held_out = None;
    let m = &mut views[3].metrics;
    (m.views.teacher, m.views.offset, m.gain_kept, m.speedup) = (None, None, None, None);
    (m.latency_ms.teacher, m.batch_latency_ms.passes.teacher, m.fidelity.base_cosine) = (None, None, None);
    m.fidelity.measured_on = "train, leave-one-out".into();
    m.verdict = "the teacher cannot see test texts; only base and view are compared".into();
    views[3].maps.truncate(2);
    Report {
        name: "Headlines under four instructions".into(),
        facts: vec![
            fact("Corpus", "headlines, 2,400 texts; drawn by a test, licence: none needed"),
            fact("Encoder", "Qwen3-Embedding-0.6B, 1,024 values a vector, int8, at most 256 tokens"),
            fact("Split", "1,200 to fit, 400 held back, 800 to test; stratified by label, seed 17"),
            fact("Machine", "4 threads, Linux x86-64"),
        ],
        sections: views,
        reproduce: vec![
            "manyview fetch headlines".into(),
            "manyview run configs/headlines.toml --out out".into(),
        ],
        caveats: vec![
            "The figures are made up: this page exists to test the report, and says nothing of any model."
                .into(),
            "k-means is told the number of labels; a person who explores a corpus is not.".into(),
            "Maps show neighbourhoods. Distances between groups and their sizes mean nothing.".into(),
        ],
    }
}

fn shift(view: &mut ViewsSection, by: f64, [value, low, high]: [f64; 3]) {
    let m = &mut view.metrics;
    m.gain = Estimate { value, low, high };
    let base = m.views.base.v_measure.mean + by;
    let all = [
        Some(&mut m.views.base),
        m.views.offset.as_mut(),
        Some(&mut m.views.adapter),
        m.views.teacher.as_mut(),
    ];
    for (scores, at) in all.into_iter().zip([base, base + value * 0.3, base + value, base + value * 1.2]) {
        let Some(scores) = scores else { continue };
        let moved = at - scores.v_measure.mean;
        for s in [
            &mut scores.v_measure,
            &mut scores.homogeneity,
            &mut scores.completeness,
            &mut scores.ami,
            &mut scores.ari,
        ] {
            (s.mean, s.low, s.high) = (s.mean + moved, s.low + moved, s.high + moved);
        }
    }
}

pub(crate) fn view(name: &str, n: usize) -> ViewsSection {
    let mut metrics = metrics();
    metrics.instruction = format!("Identify the {name} of the text");
    let powers: Vec<f64> = (0..25).map(|i| f64::from(i) / 24.0 * 8.0 - 5.0).collect();
    let all = |of: fn(f64) -> f64| powers.iter().map(move |x| Some(of(*x))).collect::<Vec<_>>();
    let lambdas: Vec<f64> = powers.iter().map(|x| 10f64.powf(*x)).collect();
    let classes = if name == "topic" { 16 } else { 9 };
    ViewsSection {
        name: name.into(),
        maps: [("Base", 0.9), ("Adapter", 0.45), ("Teacher", 0.35)]
            .map(|(t, s)| map(t, n, classes, s))
            .into(),
        curve: Some(
            Curve::penalties(vec![lambdas[12]], lambdas)
                .with("leave_one_out_mse", all(|x| 0.000_31 + 0.000_02 * (x + 1.0).powi(2)))
                .with("leave_one_out_cosine", all(|x| 0.921 - 0.004 * (x + 1.0).powi(2))),
        ),
        metrics,
    }
}

fn training() -> Curve {
    let all = |of: fn(f64) -> Option<f64>| (0..40).map(move |epoch| of(f64::from(epoch)));
    Curve::epochs(24, "neighbour overlap", 0..40)
        .with("train_loss", all(|e| Some(0.08 + 0.6 * (-e / 6.0).exp())))
        .with("val_loss", all(|e| Some(0.14 + 0.5 * (-e / 5.0).exp() + 0.0008 * e)))
        .with("val_score", all(|e| (e % 2.0 == 0.0).then(|| 0.72 - 0.3 * (-e / 7.0).exp())))
}

/// Points around as many centres as there are classes, by a small linear congruential generator.
fn map(title: &str, n: usize, classes: usize, spread: f32) -> Map {
    let mut state = 7_u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let points = (0..n).map(|i| {
        let turn = (i % classes) as f32 / classes as f32 * std::f32::consts::TAU;
        let mut at = |c: f32| c * 30.0 + (uniform() + uniform() + uniform()) * 40.0 * spread;
        [at(turn.cos()), at(turn.sin())]
    });
    Map {
        title: title.into(),
        points: points.collect(),
        labels: (0..n).map(|i| i % classes).collect(),
        label_names: (0..classes).map(|c| format!("label {c}")).collect(),
        texts: (0..n)
            .map(|i| format!("text {i} of a corpus that nobody wrote, long enough to be cut where eighty characters end"))
            .collect(),
    }
}
