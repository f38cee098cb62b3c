use std::fmt;

/// A secret that lets in. `Debug` does not show it.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// Takes a secret as it is sent; white space at its ends, as files leave it, is no part of it.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into().trim().into())
    }

    /// Whether nothing is left of it, or a header could not hold it.
    pub(crate) fn is_unfit(&self) -> bool {
        self.0.is_empty() || !self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// The value of a header that holds nothing else.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// `text` without the secret, should a server or a proxy repeat it.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}
