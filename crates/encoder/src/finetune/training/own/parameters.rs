use crate::architecture::bert::Config;
use crate::architecture::learnt_positions::TOKEN_EMBEDDINGS;
use std::ops::Range;

/// Where each tensor of a BERT lies among all its values, side by side: optimiser, clipping and checkpoints then see one
/// slice, and queries, keys and values are one matrix without being copied.
pub(super) struct ParameterLayout {
    pub(super) tensors: Vec<Tensor>,
    pub(super) token_embeddings: Range<usize>,
    pub(super) position_embeddings: Range<usize>,
    pub(super) token_type_embeddings: Range<usize>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

/// One tensor, by the name the model's file has for it.
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) range: Range<usize>,
    /// Whether weight decay applies: not to biases, nor to the scales of normalisations.
    pub(super) decays: bool,
}

/// A weight `[dim_out, dim_in]` and a bias `[dim_out]`.
pub(super) struct Dense {
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) dim_in: usize,
    pub(super) dim_out: usize,
}

/// Scale and shift of a normalisation.
pub(super) struct Norm {
    pub(super) gamma: Range<usize>,
    pub(super) beta: Range<usize>,
}

pub(super) struct Layer {
    pub(super) qkv: Dense,
    pub(super) out: Dense,
    pub(super) attention_norm: Norm,
    pub(super) up: Dense,
    pub(super) down: Dense,
    pub(super) output_norm: Norm,
}

impl Tensor {
    /// The linear layer whose weight it is.
    pub(super) fn layer(&self) -> Option<&str> {
        let layer = self.name.strip_suffix(".weight").filter(|_| self.shape.len() == 2);
        layer.filter(|layer| layer.starts_with("encoder."))
    }
}

impl ParameterLayout {
    pub(super) fn new(config: &Config) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let mut tensors = Vec::new();
        let token_embeddings = add(&mut tensors, TOKEN_EMBEDDINGS, &[config.vocab_size, hidden]);
        let positions = [config.max_position_embeddings, hidden];
        let position_embeddings = add(&mut tensors, "embeddings.position_embeddings.weight", &positions);
        let token_type_embeddings =
            add(&mut tensors, "embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden]);
        let norm = Norm::add(&mut tensors, "embeddings.LayerNorm", hidden);
        let layers = (0..config.num_hidden_layers).map(|i| {
            let at = |name: &str| format!("encoder.layer.{i}.{name}");
            let tensors = &mut tensors;
            let qkv = ["query", "key", "value"].map(|part| at(&format!("attention.self.{part}")));
            Layer {
                qkv: Dense::add(tensors, &qkv, hidden, hidden),
                out: Dense::add(tensors, &[at("attention.output.dense")], hidden, hidden),
                attention_norm: Norm::add(tensors, &at("attention.output.LayerNorm"), hidden),
                up: Dense::add(tensors, &[at("intermediate.dense")], hidden, inner),
                down: Dense::add(tensors, &[at("output.dense")], inner, hidden),
                output_norm: Norm::add(tensors, &at("output.LayerNorm"), hidden),
            }
        });
        let layers = layers.collect();
        Self { tensors, token_embeddings, position_embeddings, token_type_embeddings, norm, layers }
    }

    /// Names of the linear layers.
    pub(super) fn linear_layers(&self) -> impl Iterator<Item = &str> + Clone {
        self.tensors.iter().filter_map(Tensor::layer)
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }
}

impl Dense {
    /// One for several of the same input, each of `dim_out`.
    fn add(tensors: &mut Vec<Tensor>, names: &[String], dim_in: usize, dim_out: usize) -> Self {
        let weights = names.iter().map(|name| add(tensors, &format!("{name}.weight"), &[dim_out, dim_in]));
        let weight = joined(weights.collect());
        let biases = names.iter().map(|name| add(tensors, &format!("{name}.bias"), &[dim_out]));
        let bias = joined(biases.collect());
        Self { weight, bias, dim_in, dim_out: dim_out * names.len() }
    }
}

impl Norm {
    fn add(tensors: &mut Vec<Tensor>, name: &str, dim: usize) -> Self {
        let gamma = add(tensors, &format!("{name}.weight"), &[dim]);
        let beta = add(tensors, &format!("{name}.bias"), &[dim]);
        Self { gamma, beta }
    }
}

fn add(tensors: &mut Vec<Tensor>, name: &str, shape: &[usize]) -> Range<usize> {
    let start = tensors.last().map_or(0, |tensor| tensor.range.end);
    let range = start..start + shape.iter().product::<usize>();
    let decays = !name.ends_with(".bias") && !name.contains("LayerNorm");
    tensors.push(Tensor { name: name.into(), shape: shape.into(), range: range.clone(), decays });
    range
}

fn joined(ranges: Vec<Range<usize>>) -> Range<usize> {
    ranges.first().map_or(0, |r| r.start)..ranges.last().map_or(0, |r| r.end)
}
