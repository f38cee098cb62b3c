use manyview_core::Fingerprint;
use manyview_encoder::{Engine, LongTexts, Weights};
use serde::{Deserialize, Serialize};

/// The frozen encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Encoder {
    /// The embedded `minilm`, a directory in the sentence-transformers layout, or `hub:ORG/NAME`.
    pub model: String,
    /// Revision of a hub model: a branch, a tag or, best, a commit.
    pub revision: String,
    /// `flex`, `ndarray`, `libtorch` or `libtorch:cuda:N`, as far as built in.
    pub device: String,
    /// The engine on the device `flex`: `own` or `burn`. Other devices always use burn.
    pub engine: Engine,
    /// Maximum number of tokens of a text; default: the model's maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// What becomes of longer texts: `cut`, or `windows`, which reads them whole.
    pub long: LongTexts,
    /// Values of a vector that are kept, for models that were trained so (Matryoshka); default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate_dim: Option<usize>,
    /// Tokens in one batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_tokens: Option<usize>,
    /// Type of the weights in memory and in products: `f32`; `bf16`, for half the memory on `flex` and for speed on a
    /// GPU; or `int8`, for speed, on the device `flex` only.
    pub weights: Weights,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            model: "minilm".into(),
            revision: "main".into(),
            device: "flex".into(),
            engine: Engine::default(),
            max_length: None,
            long: LongTexts::default(),
            truncate_dim: None,
            batch_tokens: None,
            weights: Weights::F32,
        }
    }
}

impl Encoder {
    /// The identity of an encoder that is known by its name and the length of its vectors alone: the vectors came with
    /// the corpus.
    pub fn fingerprint_of_given(&self, dim: usize) -> Fingerprint {
        Fingerprint::builder("given/1")
            .field("model", self.model.as_bytes())
            .field("revision", self.revision.as_bytes())
            .field("dim", &dim.to_le_bytes())
            .finish()
    }
}
