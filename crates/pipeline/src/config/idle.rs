//! Keys that what was chosen does not read.
use super::layers::Layers;
use super::{Experiment, HeadKind, Learning, Method};

const OF_GRADIENT: &[&str] =
    &["lr", "weight_decay", "epochs", "batch", "schedule", "warmup", "patience", "clip", "seed"];
const OF_MAPS: &[&str] = &["mse_weight", "cosine_weight", "start", "bias", "monitor"];
const OF_RIDGE: &[&str] = &["towards", "center"];
const OF_VIEWS: &[&str] = &["method", "mse_weight", "cosine_weight", "start", "monitor"];
const PENALTIES: &[&str] = &["lambdas"];
/// What training of an encoder on pairs leaves to adapters, of `train` and of `pairs`.
const OF_ADAPTERS: &[&str] = &["schedule", "patience", "bias"];
const OF_PAIR_ADAPTERS: &[&str] = &[
    "shape",
    "width",
    "adapt",
    "negatives",
    "margin",
    "recovery",
    "mask_margin",
    "hard_margin",
    "checkpoint_every",
];

/// Says so when a key was set that has no effect.
pub(super) fn warn(layers: &Layers, experiment: &Experiment) {
    let (keys, by) = keys(experiment);
    for key in keys.iter().filter(|key| layers.sets(key)) {
        tracing::warn!("{key} has no effect with this {by}");
    }
}

/// The keys that are not read, and the key that decides it.
fn keys(experiment: &Experiment) -> (Vec<String>, &'static str) {
    let head = experiment.scores.as_ref().map(|scores| scores.head);
    let learns = experiment.pairs.is_some() && experiment.train.encoder != Learning::Frozen;
    let (train, by): (&[&[&str]], _) = match (head, experiment.train.method) {
        _ if learns => (&[OF_RIDGE, PENALTIES, OF_VIEWS, OF_ADAPTERS], "train.encoder"),
        _ if experiment.pairs.is_some() => (&[OF_RIDGE, PENALTIES, OF_VIEWS], "task"),
        (Some(HeadKind::Ridge), _) => (&[OF_GRADIENT, OF_MAPS, OF_RIDGE, &["method"]], "scores.head"),
        (Some(_), _) => (&[PENALTIES, OF_MAPS, OF_RIDGE, &["method"]], "scores.head"),
        (None, Method::Ridge) => (&[OF_GRADIENT, OF_MAPS], "train.method"),
        (None, Method::Gradient) => (&[OF_RIDGE, PENALTIES], "train.method"),
    };
    let of_pairs = if learns { OF_PAIR_ADAPTERS } else { &[] };
    let train = train.iter().copied().flatten().map(|key| format!("train.{key}"));
    (train.chain(of_pairs.iter().map(|key| format!("pairs.{key}"))).collect(), by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pairs;

    #[test]
    fn what_an_encoder_that_learns_does_not_read_is_what_only_adapters_do() {
        let mut experiment = Experiment { pairs: Some(Pairs::default()), ..Experiment::default() };
        let idle = |experiment: &Experiment, key: &str| keys(experiment).0.iter().any(|idle| idle == key);
        assert!(!idle(&experiment, "pairs.negatives") && !idle(&experiment, "train.patience"));
        experiment.train.encoder = Learning::Lora;
        assert!(idle(&experiment, "pairs.negatives") && idle(&experiment, "train.patience"));
        assert!(!idle(&experiment, "pairs.scale") && !idle(&experiment, "train.lr"));
    }
}
