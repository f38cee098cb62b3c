//! Views of known worth, compared.
#![allow(clippy::unwrap_used)] // a test file of its own

use manyview_core::{Embeddings, Quiet};
use manyview_eval::{Clustering, Comparison, Error};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIM: usize = 8;

fn labels(n: usize) -> Vec<usize> {
    (0..n).map(|i| i % 4).collect()
}

/// Noise around four directions; the larger `signal`, the plainer the label of a row.
fn view(n: usize, signal: f32, seed: u64) -> Embeddings {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let value = |i: usize, rng: &mut ChaCha8Rng| {
        let toward = if i % DIM == (i / DIM) % 4 { signal } else { 0.0 };
        toward + rng.random::<f32>() - 0.5
    };
    Embeddings::new((0..n * DIM).map(|i| value(i, &mut rng)).collect(), DIM).unwrap()
}

fn quick() -> Clustering {
    Clustering { seeds: 3, restarts: 3, resamples: 200, seed: 0 }
}

/// Views of the signals given, under their names, on 200 texts.
fn compare(signals: &[(&str, f32)]) -> Comparison {
    let made: Vec<Embeddings> =
        signals.iter().enumerate().map(|(i, (_, signal))| view(200, *signal, i as u64)).collect();
    let views: Vec<_> = signals.iter().zip(&made).map(|((name, _), x)| (*name, x)).collect();
    quick().compare(&views, &labels(200), &Quiet).unwrap()
}

#[test]
fn a_plain_view_scores_one_and_noise_scores_nothing() {
    let c = compare(&[("plain", 20.0), ("noise", 0.0)]);
    assert_eq!(c.classes, 4);
    let plain = c.view("plain").unwrap();
    for score in [plain.v_measure, plain.homogeneity, plain.completeness, plain.ami, plain.ari] {
        assert!((score.mean - 1.0).abs() < 1e-12 && score.std < 1e-12, "{score:?}");
        assert!(score.low > 0.999 && score.high <= 1.0, "{score:?}");
    }
    let noise = c.view("noise").unwrap();
    assert!(noise.v_measure.mean < 0.1 && noise.ami.mean.abs() < 0.06 && noise.ari.mean.abs() < 0.06);
    assert!(noise.ami.low <= noise.ami.mean && noise.ami.mean <= noise.ami.high);
    assert!(c.view("absent").is_none() && c.difference("plain", "absent").is_none());
}

#[test]
fn the_length_of_a_row_does_not_matter() {
    let x = view(200, 1.0, 5);
    let scaled = Embeddings::from_rows(
        x.rows()
            .enumerate()
            .map(|(i, row)| row.iter().map(|v| v * (1 << (i % 9)) as f32).collect::<Vec<_>>()),
    )
    .unwrap();
    let c = quick().compare(&[("x", &x), ("scaled", &scaled)], &labels(200), &Quiet).unwrap();
    assert_eq!(c.view("x"), c.view("scaled"));
}

#[test]
fn a_difference_is_the_one_of_the_means_and_turns_with_its_views() {
    let c = compare(&[("a", 1.0), ("b", 0.7)]);
    let (there, back) = (c.difference("a", "b").unwrap(), c.difference("b", "a").unwrap());
    let means = c.view("a").unwrap().v_measure.mean - c.view("b").unwrap().v_measure.mean;
    assert_eq!(there.value, means);
    assert!(there.low < there.value && there.value < there.high, "{there:?}");
    assert!((there.low + back.high).abs() < 1e-12 && (there.high + back.low).abs() < 1e-12);
}

#[test]
fn a_view_differs_from_itself_by_exactly_nothing() {
    let x = view(200, 0.7, 1);
    let c = quick().compare(&[("x", &x), ("again", &x)], &labels(200), &Quiet).unwrap();
    let d = c.difference("x", "again").unwrap();
    assert_eq!((d.value, d.low, d.high), (0.0, 0.0, 0.0));
}

#[test]
fn intervals_narrow_with_more_texts() {
    let width = |n: usize| {
        let x = view(n, 0.8, 2);
        let v = quick().compare(&[("x", &x)], &labels(n), &Quiet).unwrap().view("x").unwrap().v_measure;
        v.high - v.low
    };
    let (few, many) = (width(60), width(960));
    assert!(many < few / 2.0, "{few} with 60 texts, {many} with 960");
}

#[test]
fn the_same_seed_gives_the_same_comparison_on_any_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(&[("a", 1.0), ("b", 0.5)]))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn an_adapter_keeps_part_of_a_sure_gain() {
    let kept =
        compare(&[("base", 0.3), ("adapter", 0.9), ("teacher", 1.2)]).gain_kept("base", "adapter", "teacher");
    let e = kept.estimate.unwrap();
    assert!(0.2 < e.low && e.low < e.value && e.value < e.high && e.high < 1.0, "{e:?}");
    let expected = format!(
        "the adapter keeps {:.0}% ({:.0}% to {:.0}%) of the teacher's gain",
        e.value * 100.0,
        e.low * 100.0,
        e.high * 100.0
    );
    assert_eq!(kept.verdict, expected);
}

#[test]
fn the_teacher_itself_keeps_all_and_the_base_nothing() {
    let c = compare(&[("base", 0.3), ("teacher", 1.2)]);
    let all = c.gain_kept("base", "teacher", "teacher").estimate.unwrap();
    assert_eq!((all.value, all.low, all.high), (1.0, 1.0, 1.0));
    let nothing = c.gain_kept("base", "base", "teacher");
    assert_eq!(nothing.verdict, "the adapter keeps 0% (0% to 0%) of the teacher's gain");
}

#[test]
fn no_share_is_taken_of_a_gain_that_may_be_none() {
    let c = compare(&[("base", 0.8), ("adapter", 1.0), ("teacher", 0.8)]);
    let kept = c.gain_kept("base", "adapter", "teacher");
    assert_eq!(kept.estimate, None);
    assert!(
        kept.verdict.starts_with("no measurable gain: the teacher's V-measure is 0."),
        "{}",
        kept.verdict
    );
    assert!(kept.verdict.contains("95% interval -0."), "{}", kept.verdict);
}

#[test]
fn a_worse_teacher_is_called_worse() {
    let kept =
        compare(&[("base", 1.2), ("adapter", 1.0), ("teacher", 0.3)]).gain_kept("base", "adapter", "teacher");
    assert_eq!(kept.estimate, None);
    assert!(kept.verdict.starts_with("the teacher is worse than base: "), "{}", kept.verdict);
}

#[test]
fn without_a_teacher_the_gain_itself_is_told() {
    let c = compare(&[("plain", 0.3), ("adapter", 1.2)]);
    let kept = c.gain_kept("plain", "adapter", "teacher");
    let d = c.difference("adapter", "plain").unwrap();
    let end = format!("the adapter gains {:+.2} ({:.2} to {:.2}) over plain", d.value, d.low, d.high);
    assert_eq!(kept.estimate, None);
    assert!(kept.verdict.starts_with("the teacher cannot see test texts") && kept.verdict.ends_with(&end));
    assert!(c.gain_kept("plain", "none", "teacher").verdict.contains("no view named \"none\""));
}

#[test]
fn labels_that_cannot_be_clustered_are_refused() {
    let x = view(8, 1.0, 0);
    let with = |truth: &[usize]| quick().compare(&[("x", &x)], truth, &Quiet).unwrap_err();
    assert!(matches!(with(&[0, 1]), Error::Length { expected: 8, found: 2, .. }));
    assert!(matches!(with(&[5; 8]), Error::OneClass));
    assert!(matches!(with(&[0, 1, 2, 3, 4, 5, 6, 7]), Error::AllDistinct { n: 8 }));
    let two = view(2, 1.0, 0);
    let e = quick().compare(&[("x", &two)], &[0, 1], &Quiet).unwrap_err();
    assert_eq!(e.to_string(), "texts to cluster: expected at least 3, found 2");
}

#[test]
fn views_and_settings_without_sense_are_refused() {
    let (x, truth) = (view(8, 1.0, 0), labels(8));
    assert!(matches!(quick().compare(&[], &truth, &Quiet), Err(Error::Views { .. })));
    assert!(matches!(quick().compare(&[("x", &x), ("x", &x)], &truth, &Quiet), Err(Error::Views { .. })));
    let none = [
        Clustering { seeds: 0, ..quick() },
        Clustering { restarts: 0, ..quick() },
        Clustering { resamples: 19, ..quick() },
    ];
    for settings in none {
        assert!(
            matches!(settings.compare(&[("x", &x)], &truth, &Quiet), Err(Error::Range { .. })),
            "{settings:?}"
        );
    }
    let mut values = x.into_vec();
    values[DIM..2 * DIM].fill(0.0);
    let zero = Embeddings::new(values, DIM).unwrap();
    let e = quick().compare(&[("flat", &zero)], &truth, &Quiet).unwrap_err();
    assert!(e.to_string().starts_with("view \"flat\", row 1:"), "{e}");
}

/// Counts steps, and asks to stop after so many.
struct Until(std::sync::atomic::AtomicU64, u64);

impl manyview_core::Progress for Until {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        self.0.fetch_add(by, std::sync::atomic::Ordering::SeqCst);
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst) > self.1
    }
}

#[test]
fn a_comparison_stops_between_two_steps_when_asked() {
    let x = view(200, 1.0, 3);
    let run = |most| quick().compare(&[("x", &x)], &labels(200), &Until(0.into(), most));
    assert!(matches!(run(5), Err(Error::Core(manyview_core::Error::Interrupted))));
    assert!(run(u64::MAX).is_ok());
}
