//! What `config.json` says of a model, one file for each architecture, and the table that names their engines.

pub(crate) mod bert;
pub(crate) mod decoder;
pub(crate) mod distilbert;
pub(crate) mod gemma3;
mod keys;
pub(crate) mod learnt_positions;
pub(crate) mod modernbert;
pub(crate) mod mpnet;
pub(crate) mod nomic_bert;
pub(crate) mod post_norm;
mod qwen;
pub(crate) mod qwen2;
pub(crate) mod qwen3;
pub(crate) mod roberta;
pub(crate) mod rotary;
pub(crate) mod tensors;

use crate::checkpoint::Checkpoint;
use crate::engine::{Model, Weights};
use crate::layout::Layout;
use crate::{Error, Pooling, Result};
use serde::Deserialize;

/// The only place that lists architectures: `model_type` in `config.json`, and how its configuration is read, which
/// names the models of both engines.
fn table<V: Visitor>() -> Vec<(&'static str, Visit<V>)> {
    vec![
        ("bert", visit::<V, bert::Config>),
        ("camembert", visit::<V, roberta::Config>),
        ("distilbert", visit::<V, distilbert::Config>),
        ("modernbert", visit::<V, modernbert::Config>),
        ("gemma3_text", visit::<V, gemma3::Config>),
        ("mpnet", visit::<V, mpnet::Config>),
        ("nomic_bert", visit::<V, nomic_bert::Config>),
        ("qwen2", visit::<V, qwen2::Config>),
        ("qwen3", visit::<V, qwen3::Config>),
        ("roberta", visit::<V, roberta::Config>),
        ("xlm-roberta", visit::<V, roberta::Config>),
    ]
}

/// The configuration of an architecture, and its models.
pub(crate) trait Description: Sized + 'static {
    /// The model of this crate's own CPU engine.
    type Own: Own<Self>;
    /// The model of burn's engine.
    #[cfg(feature = "train")]
    type Burn: crate::model::Network<Config = Self>;

    /// Reads `config.json`, and refuses whatever would change what the model computes.
    fn read(layout: &Layout) -> Result<Self>;

    /// What every architecture has.
    fn summary(&self) -> Summary;

    /// The names of the tensors it reads, without the prefix.
    fn tensors(&self) -> Vec<String>;

    /// What `config.json` says of the computation that earlier versions did not read: vectors they stored are others.
    fn decided_anew(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What every architecture has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    /// Length of its vectors.
    pub(crate) hidden: usize,
    /// Number of token ids it knows.
    pub(crate) vocabulary: usize,
    /// Tokens it can read of one text.
    pub(crate) max_tokens: usize,
    /// Whether a token sees only itself and what stands before it, so that a prefix can be computed once.
    pub(crate) causal: bool,
    /// The tensor of token embeddings, without the prefix.
    pub(crate) token_embeddings: &'static str,
    /// What stands before the names of tensors where the model was saved with a head.
    pub(crate) prefix: &'static str,
    /// Whether it tells the two texts of a pair apart.
    pub(crate) token_types: bool,
    /// Tokens of one text that it has positions for; none where positions have no end.
    pub(crate) longest: Option<usize>,
}

/// A model of this crate's own CPU engine.
pub(crate) trait Own<C>: Model + Sized + 'static {
    fn load(config: &C, checkpoint: &Checkpoint, weights: Weights) -> Result<Self>;
}

/// Something to do with an architecture, whichever it is.
pub(crate) trait Visitor {
    type Output;

    /// With the configuration `C`.
    fn visit<C: Description>(self, config: C) -> Result<Self::Output>;
}

type Visit<V> = fn(&Layout, V) -> Result<<V as Visitor>::Output>;

fn visit<V: Visitor, C: Description>(layout: &Layout, visitor: V) -> Result<V::Output> {
    visitor.visit(C::read(layout)?)
}

/// Lets `visitor` see the architecture that `config.json` names.
pub(crate) fn accept<V: Visitor>(layout: &Layout, visitor: V) -> Result<V::Output> {
    let (found, table) = (model_type(layout)?, table::<V>());
    match table.iter().find(|(name, _)| *name == found) {
        Some((_, visit)) => visit(layout, visitor),
        None => {
            let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
            let (what, supported) = ("model_type", names.join(", "));
            Err(Error::Unsupported { path: layout.config_path(), what, found, supported })
        }
    }
}

/// The name of the architecture in `config.json`; empty where it has none.
pub(crate) fn model_type(layout: &Layout) -> Result<String> {
    #[derive(Deserialize)]
    struct ModelType {
        model_type: Option<String>,
    }
    let ModelType { model_type } = layout.config()?;
    Ok(model_type.unwrap_or_default())
}

/// The pooling where a directory names none, as in sentence-transformers: the last token of a model made to continue
/// texts from left to right, else the mean. It takes Gemma for such a model whatever `use_bidirectional_attention` says.
pub(crate) fn default_pooling(layout: &Layout) -> Result<Pooling> {
    #[derive(Deserialize)]
    struct Config {
        model_type: Option<String>,
        architectures: Option<Vec<String>>,
        is_causal: Option<bool>,
        use_bidirectional_attention: Option<bool>,
    }
    let Config { model_type, architectures, is_causal, use_bidirectional_attention } = layout.config()?;
    let both_ways =
        use_bidirectional_attention.unwrap_or(false) && model_type.as_deref() != Some("gemma3_text");
    let first = architectures.and_then(|names| names.into_iter().next()).unwrap_or_default();
    let causal = is_causal.unwrap_or(true) && !both_ways;
    Ok(if first.ends_with("ForCausalLM") && causal { Pooling::LastToken } else { Pooling::Mean })
}

/// Checks that a checkpoint has the tensors of the model that `config.json` describes, and no others that might
/// change it.
pub(crate) fn check_tensors(layout: &Layout, checkpoint: &Checkpoint) -> Result<()> {
    struct Check<'a>(&'a Checkpoint);

    impl Visitor for Check<'_> {
        type Output = ();

        fn visit<C: Description>(self, config: C) -> Result<()> {
            tensors::check(self.0, &config.tensors())
        }
    }

    accept(layout, Check(checkpoint))
}

/// What `config.json` says of the computation that earlier versions did not read.
pub(crate) fn decided_anew(layout: &Layout) -> Result<Vec<String>> {
    struct Ask;

    impl Visitor for Ask {
        type Output = Vec<String>;

        fn visit<C: Description>(self, config: C) -> Result<Vec<String>> {
            Ok(config.decided_anew())
        }
    }

    accept(layout, Ask)
}

/// What `config.json` says that every architecture has.
pub(crate) fn summary(layout: &Layout) -> Result<Summary> {
    struct Summarise;

    impl Visitor for Summarise {
        type Output = Summary;

        fn visit<C: Description>(self, config: C) -> Result<Summary> {
            Ok(config.summary())
        }
    }

    accept(layout, Summarise)
}

/// Heads of an attention layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    /// Query heads.
    pub(crate) query: usize,
    /// Key and value heads; each serves `query / key` query heads.
    pub(crate) key: usize,
    /// Length of each head's vectors.
    pub(crate) dim: usize,
    /// Whether a token sees only itself and what stands before it.
    pub(crate) causal: bool,
}

impl Heads {
    /// Length of a token's queries, keys and values side by side.
    pub(crate) fn width(&self) -> usize {
        (self.query + 2 * self.key) * self.dim
    }
}

/// Refuses a setting of `config.json` that changes what the model computes.
fn supported(
    layout: &Layout,
    what: &'static str,
    found: &str,
    fine: bool,
    supported: &'static str,
) -> Result<()> {
    match fine {
        true => Ok(()),
        false => Err(Error::Unsupported {
            path: layout.config_path(),
            what,
            found: found.into(),
            supported: supported.into(),
        }),
    }
}

/// Refuses sizes that no model has: they would divide by zero, or not divide.
fn sound(layout: &Layout, what: &str, fine: bool) -> Result<()> {
    match fine {
        true => Ok(()),
        false => Err(Error::file(&layout.config_path(), format!("expected {what}"))),
    }
}
