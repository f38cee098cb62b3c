//! What tells one training from another.
use crate::{Error, Result};
use manyview_core::Embeddings;
use serde::Serialize;

/// The identity of some rows.
pub(crate) fn hash(x: &Embeddings) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for row in x.rows() {
        hasher.update(&row.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    }
    hasher.finalize().into()
}

/// The identity of a configuration.
pub(crate) fn json(config: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(config)
        .map_err(|e| Error::Unwritable { what: "training configuration", reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_one_identity_and_other_rows_another() {
        let of = |values: &[f32]| hash(&Embeddings::new(values.to_vec(), 2).unwrap());
        assert_eq!(of(&[1.0, 2.0, 3.0, 4.0]), of(&[1.0, 2.0, 3.0, 4.0]));
        assert_ne!(of(&[1.0, 2.0, 3.0, 4.0]), of(&[3.0, 4.0, 1.0, 2.0]));
        assert_ne!(of(&[1.0, 2.0]), of(&[1.0, -2.0]));
    }
}
