use super::Lora;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Ends of the names of the layers that change where no target is named: queries and values.
const USUAL: &[&str] = &["query", "value", "q_proj", "v_proj", "attn.q", "attn.v", "q_lin", "v_lin", "Wqkv"];
/// The target that is every linear layer.
const ALL: &str = "all-linear";

/// A low-rank change of one layer, as it is saved.
#[derive(Clone, Debug)]
pub(super) struct LowRank {
    /// The layer, by its name in the model's file.
    pub(super) layer: String,
    pub(super) dim_in: usize,
    pub(super) dim_out: usize,
    /// `A` `[rank, dim_in]`.
    pub(super) a: Vec<f32>,
    /// `B` `[dim_out, rank]`.
    pub(super) b: Vec<f32>,
}

impl Lora {
    /// Whether this linear layer changes.
    pub(super) fn changes(&self, layer: &str) -> bool {
        let mut usual = USUAL.iter().filter(|_| self.targets.is_empty());
        usual.any(|target| is_target(layer, target))
            || self.targets.iter().any(|target| is_target(layer, target))
    }

    /// Refuses a target that none of these linear layers, all of the model's, is.
    pub(super) fn check_targets<'a>(&self, layers: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
        let is_none = |target: &&String| !layers.clone().any(|layer| is_target(layer, target));
        let Some(none) = self.targets.iter().find(is_none) else { return Ok(()) };
        let first: Vec<&str> = layers.clone().filter(|layer| layer.contains(".0.")).collect();
        let problem = format!("expected linear layers of the model, as {}, found `{none}`", first.join(", "));
        Err(Error::Setting { setting: "lora targets", problem })
    }

    /// What `B A` is multiplied by.
    pub(super) fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }
}

impl LowRank {
    /// Adds `scale` times `B A` to the weight `[dim_out, dim_in]` of the layer.
    pub(super) fn merge(&self, weight: &mut [f32], scale: f64) {
        let rank = self.a.len() / self.dim_in;
        for (row, b) in weight.chunks_exact_mut(self.dim_in).zip(self.b.chunks_exact(rank)) {
            for (b, a) in b.iter().zip(self.a.chunks_exact(self.dim_in)) {
                let b = *b * scale as f32;
                row.iter_mut().zip(a).for_each(|(weight, a)| *weight += b * a);
            }
        }
    }
}

fn is_target(layer: &str, target: &str) -> bool {
    let before = layer.strip_suffix(target);
    target == ALL || before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The random numbers that `A` starts from, matrix after matrix: uniform within ±1/√dim_in. `B` starts at zero, so that
/// training starts at the model itself.
pub(super) struct Start(ChaCha8Rng);

impl Start {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::MAX);
        Self(rng)
    }

    /// The next `A`, `[rank, dim_in]`.
    pub(super) fn next(&mut self, rank: usize, dim_in: usize) -> Vec<f32> {
        let bound = (dim_in as f32).sqrt().recip();
        (0..rank * dim_in).map(|_| self.0.random_range(-bound..bound)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [&str; 4] =
        ["attention.self.query", "attention.self.value", "attention.output.dense", "output.dense"];

    fn layers(targets: &[&str]) -> Result<Vec<String>> {
        let all: Vec<String> =
            (0..2).flat_map(|i| PARTS.map(|part| format!("encoder.layer.{i}.{part}"))).collect();
        let lora = Lora { targets: targets.iter().map(|t| t.to_string()).collect(), ..Lora::default() };
        lora.check_targets(all.iter().map(String::as_str))?;
        Ok(all.into_iter().filter(|layer| lora.changes(layer)).collect())
    }

    #[test]
    fn a_target_is_a_name_its_end_or_all() {
        let found = |targets: &[&str]| layers(targets).unwrap();
        assert_eq!(found(&["all-linear"]).len(), 8);
        assert_eq!(found(&["attention.output.dense"]).len(), 2);
        assert_eq!(found(&["output.dense"]).len(), 4, "as in peft, both end so");
        assert_eq!(found(&["encoder.layer.1.output.dense"]), ["encoder.layer.1.output.dense"]);
        assert_eq!(found(&[]), found(&["query", "value"]));
    }

    #[test]
    fn a_target_that_is_no_layer_is_refused_with_those_there_are() {
        let refusal = layers(&["query", "uery"]).unwrap_err().to_string();
        assert!(
            refusal.contains("`uery`") && refusal.contains("encoder.layer.0.attention.self.query"),
            "{refusal}"
        );
    }

    #[test]
    fn merging_adds_the_product() {
        let layer = String::from("q");
        let change = LowRank {
            layer,
            dim_in: 3,
            dim_out: 2,
            a: vec![1.0, 2.0, 3.0, 0.0, 1.0, 0.0],
            b: vec![1.0, 0.0, 2.0, 4.0],
        };
        let mut weight = vec![10.0; 6];
        change.merge(&mut weight, 0.5);
        assert_eq!(weight, [10.5, 11.0, 11.5, 11.0, 14.0, 13.0]);
    }
}
