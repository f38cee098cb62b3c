use serde::{Deserialize, Serialize};
use std::fmt;

/// The identity of something that vectors depend on: a BLAKE3 hash over length-prefixed fields, as 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Starts a fingerprint for `schema`, a name and version such as `"encoder/1"`.
    pub fn builder(schema: &str) -> FingerprintBuilder {
        FingerprintBuilder(blake3::Hasher::new()).field("schema", schema.as_bytes())
    }

    /// All 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 hex digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects the fields of a [`Fingerprint`]; each name and value goes in with its length, so no two lists of fields
/// run together.
pub struct FingerprintBuilder(blake3::Hasher);

impl FingerprintBuilder {
    /// Adds one field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    /// The fingerprint of the fields so far.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().to_hex().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_shift_changes_the_fingerprint() {
        let of = |a: &str, b: &str| {
            Fingerprint::builder("t/1").field("a", a.as_bytes()).field("b", b.as_bytes()).finish()
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_eq!(of("ab", "c"), of("ab", "c"));
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_release() {
        let f = Fingerprint::builder("encoder/1").field("dim", b"384").finish();
        assert_eq!(f.short().len(), 12);
        assert_eq!(f.to_string(), f.as_str());
        assert_eq!(f.as_str(), "cc42e8a360bea222eb65d04acd5be6f19bec3d1ba70f04797b6defc1ab7b257a");
    }
}
