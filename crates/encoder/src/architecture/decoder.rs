//! Models built as decoders are, whether they look both ways or not: normalisation before each block, grouped heads,
//! rotary positions, a gated MLP.
use super::post_norm::Activation;
use super::{Heads, Summary, rotary, tensors};

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embed_tokens.weight";

/// What such a model is, and in what one of them differs from another.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    /// Number of token ids it knows.
    pub(crate) vocabulary: usize,
    /// Length of its states.
    pub(crate) hidden: usize,
    /// Length of the vectors inside the MLP.
    pub(crate) intermediate: usize,
    /// Tokens it can read of one text.
    pub(crate) max_tokens: usize,
    /// Heads of each layer.
    pub(crate) heads: Heads,
    /// Added to the mean square that a normalisation divides by.
    pub(crate) epsilon: f64,
    /// Which products of attention have a bias.
    pub(crate) biases: Biases,
    /// Whether queries and keys are normalised, head by head.
    pub(crate) head_norms: bool,
    /// Where a layer normalises its states.
    pub(crate) norms: Norms,
    /// What token embeddings are multiplied by.
    pub(crate) embedding_scale: f32,
    /// What queries are multiplied by before scores are divided by the root of the length of a head's vectors.
    pub(crate) query_scale: f32,
    /// Of the MLP's gate.
    pub(crate) activation: Activation,
    /// The ways in which layers look around.
    pub(crate) views: Vec<View>,
    /// Which of them each layer has.
    pub(crate) layers: Vec<usize>,
}

/// Where a layer normalises its states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Norms {
    /// Before attention and before the MLP.
    BeforeBlocks,
    /// Before and after each, as in Gemma, which stores what its scales are above 1.
    AroundBlocks,
}

/// How the tokens of a layer look around.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    /// The base of rotary positions.
    pub(crate) theta: f32,
    /// How far a token sees; without it, as far as it may.
    pub(crate) window: Option<usize>,
}

/// Which products of attention have a bias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Biases {
    /// Those of queries, keys and values.
    pub(crate) qkv: bool,
    /// That of what attention gave.
    pub(crate) out: bool,
}

/// An architecture that is one of these models.
pub(crate) trait AsDecoder: std::fmt::Debug + Clone + Send + Sync + 'static {
    /// What its model is.
    fn decoder(&self) -> Decoder;
}

impl Decoder {
    pub(super) fn summary(&self) -> Summary {
        Summary {
            hidden: self.hidden,
            vocabulary: self.vocabulary,
            max_tokens: self.max_tokens,
            causal: self.heads.causal,
            token_embeddings: TOKEN_EMBEDDINGS,
            prefix: "model.",
            token_types: false,
            longest: None,
        }
    }

    /// The names of its tensors.
    pub(super) fn tensors(&self) -> Vec<String> {
        let layers = (0..self.layers.len()).flat_map(|i| self.layer_tensors(i));
        [TOKEN_EMBEDDINGS, "norm.weight"].map(str::to_string).into_iter().chain(layers).collect()
    }

    fn layer_tensors(&self, layer: usize) -> Vec<String> {
        let Biases { qkv, out } = self.biases;
        let attention = [("q_proj", qkv), ("k_proj", qkv), ("v_proj", qkv), ("o_proj", out)];
        let head_norms =
            ["q_norm", "k_norm"].into_iter().filter(|_| self.head_norms).map(|name| (name, false));
        let attention = attention.into_iter().chain(head_norms);
        let attention = attention.map(|(name, bias)| (format!("self_attn.{name}"), bias));
        let mlp = ["gate_proj", "up_proj", "down_proj"].map(|name| (format!("mlp.{name}"), false));
        let norms = self.norms.names().map(|name| (name.to_string(), false));
        let all = attention.chain(mlp).chain(norms);
        all.flat_map(|(name, bias)| tensors::linear(&format!("layers.{layer}.{name}"), bias)).collect()
    }

    /// Cosines and sines of the angles of positions `0..longest` in a view, `[longest, head_dim / 2]` each.
    pub(crate) fn angles(&self, view: &View, longest: usize) -> (Vec<f32>, Vec<f32>) {
        rotary::angles(view.theta, self.heads.dim, longest)
    }
}

impl Norms {
    /// The names of those before attention and before the MLP.
    pub(crate) fn before(self) -> [&'static str; 2] {
        match self {
            Self::BeforeBlocks => ["input_layernorm", "post_attention_layernorm"],
            Self::AroundBlocks => ["input_layernorm", "pre_feedforward_layernorm"],
        }
    }

    /// The names of those after attention and after the MLP, if there are any.
    pub(crate) fn after(self) -> Option<[&'static str; 2]> {
        (self == Self::AroundBlocks).then_some(["post_attention_layernorm", "post_feedforward_layernorm"])
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        self.before().into_iter().chain(self.after().into_iter().flatten())
    }

    /// What is added to the scales that are stored.
    pub(crate) fn offset(self) -> f32 {
        match self {
            Self::BeforeBlocks => 0.0,
            Self::AroundBlocks => 1.0,
        }
    }
}
