//! What `config.json` says of a model, one file for each architecture, and the table that names their engines.

pub(crate) mod bert;
pub(crate) mod mpnet;
pub(crate) mod post_norm;
pub(crate) mod qwen3;

use crate::checkpoint::Checkpoint;
use crate::engine::{Model, Weights};
use crate::layout::Layout;
use crate::{Error, Pooling, Result};
use serde::Deserialize;

/// The only place that lists architectures: `model_type` in `config.json`, and how its configuration is read, which names
/// the models of both engines.
fn table<V: Visitor>() -> Vec<(&'static str, Visit<V>)> {
    vec![
        ("bert", visit::<V, bert::Config>),
        ("mpnet", visit::<V, mpnet::Config>),
        ("qwen3", visit::<V, qwen3::Config>),
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
    /// The pooling where a directory names none.
    pub(crate) pooling: Pooling,
    /// Whether a token sees only itself and what stands before it, so that a prefix can be computed once.
    pub(crate) causal: bool,
    /// The tensor of token embeddings, without the prefix.
    pub(crate) token_embeddings: &'static str,
    /// What stands before the names of tensors where the model was saved with a head.
    pub(crate) prefix: &'static str,
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
        /// Code that comes with the model, by the class it is to stand in for.
        auto_map: Option<serde::de::IgnoredAny>,
    }
    let ModelType { model_type, auto_map } = layout.config()?;
    if auto_map.is_some() {
        let path = layout.config_path();
        tracing::warn!("{}: `auto_map` names code that comes with the model; it is not run", path.display());
    }
    Ok(model_type.unwrap_or_default())
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
