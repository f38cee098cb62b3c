//! Which tensors of a checkpoint a model reads, and which of the others change no vector. Any other is refused: it
//! may be what makes the model another one.
use crate::checkpoint::{Checkpoint, SCALE};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Tensors of a model that nothing reads, by the end of their names, and why.
const UNREAD: [(&str, &str); 6] = [
    ("embeddings.position_ids", "0, 1, 2 and so on"),
    ("embeddings.token_type_ids", "zeros"),
    ("rotary_emb.inv_freq", "follows from rope_theta"),
    ("pooler.dense.weight", "sentence-transformers pools without it"),
    ("pooler.dense.bias", "sentence-transformers pools without it"),
    ("loss.lm_head.decoder.weight", "training"),
];

/// Heads on top of a model, which transformers leaves out where it loads the model alone, by the beginning of their
/// names.
const HEADS: [(&str, &str); 14] = [
    ("cls.", "BERT's heads for masked tokens and next sentences"),
    ("lm_head.", "a head for masked or next tokens"),
    ("classifier.", "a head for classes"),
    ("pre_classifier.", "DistilBERT's head for classes"),
    ("vocab_transform.", "DistilBERT's head for masked tokens"),
    ("vocab_layer_norm.", "DistilBERT's head for masked tokens"),
    ("vocab_projector.", "DistilBERT's head for masked tokens"),
    ("head.dense.", "ModernBERT's heads"),
    ("head.norm.", "ModernBERT's heads"),
    ("decoder.weight", "ModernBERT's head for masked tokens"),
    ("decoder.bias", "ModernBERT's head for masked tokens"),
    ("score.", "a head for classes"),
    ("qa_outputs.", "a head for answers"),
    ("dropout.", "training"),
];

/// The names of the tensors of one linear layer.
pub(crate) fn linear(name: &str, bias: bool) -> Vec<String> {
    let bias = bias.then(|| format!("{name}.bias"));
    std::iter::once(format!("{name}.weight")).chain(bias).collect()
}

/// Checks that a checkpoint has every tensor of `read`, and no other that might be part of what the model computes.
pub(crate) fn check(checkpoint: &Checkpoint, read: &[String]) -> Result<()> {
    let mut known = BTreeSet::new();
    for name in read {
        let saved = checkpoint.saved_name(name);
        if checkpoint.shape(&saved).is_none() {
            let problem = "expected it, found none; is this the model config.json describes?";
            return Err(checkpoint.bad(&saved, problem));
        }
        known.insert(saved);
    }
    let prefix = checkpoint.prefix();
    for name in checkpoint.names().filter(|name| !known.contains(*name)) {
        let scales = name.strip_suffix(SCALE).is_some_and(|of| checkpoint.is_int8(of));
        let own = name.strip_prefix(prefix);
        let unread = own.is_some_and(|own| UNREAD.iter().any(|(end, _)| own.ends_with(end)));
        let head = HEADS.iter().any(|(start, _)| name.starts_with(start));
        if !(scales || unread || head) {
            return Err(Error::Unsupported {
                path: checkpoint.path(name).into(),
                what: "tensor",
                found: name.into(),
                supported: "the tensors of the model and the number of layers that config.json describes; if it changes \
                            nothing that is computed, save the model without it"
                    .into(),
            });
        }
    }
    Ok(())
}
