use super::Experiment;

/// A key, its smallest value, and where an experiment has it.
type Limit = (&'static str, usize, fn(&Experiment) -> usize);

/// The counts that have one: without them a refusal would come only after the texts are encoded.
const LEAST: &[Limit] = &[
    ("evaluate.seeds", 1, |e| e.evaluate.seeds),
    ("evaluate.restarts", 1, |e| e.evaluate.restarts),
    ("evaluate.resamples", 20, |e| e.evaluate.resamples),
    ("evaluate.knn", 1, |e| e.evaluate.knn),
    ("evaluate.batch", 1, |e| e.evaluate.batch),
    ("output.map_texts", 1, |e| e.output.map_texts),
];

/// The first key of `experiment` whose value is too small, and what is wrong with it.
pub(super) fn broken(experiment: &Experiment) -> Option<(&'static str, String)> {
    let (key, least, found) = LEAST
        .iter()
        .map(|(key, least, value)| (*key, *least, value(experiment)))
        .find(|(_, least, found)| found < least)?;
    Some((key, format!("expected at least {least}, found {found}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_break_no_limit() {
        assert_eq!(broken(&Experiment::default()), None);
    }

    #[test]
    fn a_count_of_zero_is_named_before_anything_runs() {
        let mut experiment = Experiment::default();
        experiment.evaluate.knn = 0;
        assert_eq!(broken(&experiment), Some(("evaluate.knn", "expected at least 1, found 0".into())));
    }
}
