//! Keys that what was chosen does not read.
use super::layers::Layers;
use super::{Experiment, HeadKind, Learning, Method};

const OF_GRADIENT: &[&str] =
    &["lr", "weight_decay", "epochs", "batch", "schedule", "warmup", "patience", "clip", "seed"];
const OF_MAPS: &[&str] = &["mse_weight", "cosine_weight", "start", "bias", "monitor"];
const OF_RIDGE: &[&str] = &["towards", "center"];
const OF_VIEWS: &[&str] = &["method", "mse_weight", "cosine_weight", "start", "monitor"];
const PENALTIES: &[&str] = &["lambdas"];
/// What only training of an encoder reads.
const OF_LEARNING: &[&str] = &["lora_rank", "dropout", "checkpoint_every"];
/// What it leaves to adapters and heads, of `train` and of `pairs`.
const OF_FROZEN: &[&str] = &["schedule", "patience", "bias"];
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
const OF_GRADIENT_HEADS: &[&str] = &["hidden", "loss", "huber_delta", "checkpoint_every"];

/// Says so when a key was set that has no effect.
pub(super) fn warn(layers: &Layers, experiment: &Experiment) {
    for (table, keys, by) in idle(experiment) {
        for key in keys.iter().map(|key| format!("{table}.{key}")).filter(|key| layers.sets(key)) {
            tracing::warn!("{key} has no effect with this {by}");
        }
    }
}

/// Keys that are not read, below their table, and the key that decides it.
type Idle = (&'static str, &'static [&'static str], &'static str);

fn idle(experiment: &Experiment) -> Vec<Idle> {
    let learns = experiment.train.encoder != Learning::Frozen;
    let head = experiment.scores.as_ref().map(|scores| scores.head);
    let (train, by): (&[&[&str]], _) = match (head, experiment.train.method) {
        (None, _) if learns => (&[OF_RIDGE, PENALTIES, OF_VIEWS, OF_FROZEN], "train.encoder"),
        (Some(_), _) if learns => (&[OF_RIDGE, OF_VIEWS, OF_FROZEN], "train.encoder"),
        _ if experiment.pairs.is_some() => (&[OF_RIDGE, PENALTIES, OF_VIEWS], "task"),
        (Some(HeadKind::Ridge), _) => (&[OF_GRADIENT, OF_MAPS, OF_RIDGE, &["method"]], "scores.head"),
        (Some(_), _) => (&[PENALTIES, OF_MAPS, OF_RIDGE, &["method"]], "scores.head"),
        (None, Method::Ridge) => (&[OF_GRADIENT, OF_MAPS], "train.method"),
        (None, Method::Gradient) => (&[OF_RIDGE, PENALTIES], "train.method"),
    };
    let mut idle: Vec<Idle> = train.iter().map(|keys| ("train", *keys, by)).collect();
    if !learns {
        idle.push(("train", OF_LEARNING, "train.encoder"));
    }
    if learns && experiment.pairs.is_some() {
        idle.push(("pairs", OF_PAIR_ADAPTERS, "train.encoder"));
    }
    if head == Some(HeadKind::Ridge) {
        idle.push(("scores", OF_GRADIENT_HEADS, "scores.head"));
    }
    idle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Pairs, Scores};

    /// Whether `key` has no effect.
    fn idle(experiment: &Experiment, key: &str) -> bool {
        let named = |table: &str, name: &&str| format!("{table}.{name}") == key;
        super::idle(experiment).iter().any(|(table, keys, _)| keys.iter().any(|name| named(table, name)))
    }

    #[test]
    fn what_an_encoder_that_learns_does_not_read_is_what_only_adapters_do() {
        let mut experiment = Experiment { pairs: Some(Pairs::default()), ..Experiment::default() };
        assert!(idle(&experiment, "train.lora_rank"));
        assert!(!idle(&experiment, "pairs.negatives") && !idle(&experiment, "train.patience"));
        experiment.train.encoder = Learning::Lora;
        assert!(idle(&experiment, "pairs.negatives") && idle(&experiment, "train.patience"));
        assert!(!idle(&experiment, "pairs.scale") && !idle(&experiment, "train.lr"));
        assert!(!idle(&experiment, "train.lora_rank"));
    }

    #[test]
    fn a_head_in_closed_form_reads_penalties_and_an_encoder_below_it_the_rate() {
        let mut experiment = Experiment { scores: Some(Scores::default()), ..Experiment::default() };
        assert!(idle(&experiment, "train.lr") && idle(&experiment, "scores.loss"));
        experiment.train.encoder = Learning::Lora;
        assert!(!idle(&experiment, "train.lr") && !idle(&experiment, "train.lambdas"));
        assert!(idle(&experiment, "scores.loss") && idle(&experiment, "train.patience"));
    }
}
