//! Whether this build trains by gradient.

#[cfg(not(feature = "train"))]
use crate::Error;

/// Refuses training by gradient, which this build cannot do.
#[cfg(not(feature = "train"))]
pub(crate) fn needs_training() -> Error {
    let problem = "expected ridge, found a method that trains by gradient, which this program was built without; build \
                   it with `--features train` (docs/guide/devices.md)";
    Error::setting("train.method", problem)
}

/// How this build trains, for people.
pub(crate) fn training() -> &'static str {
    match cfg!(feature = "train") {
        true => "by ridge and by gradient",
        false => "by ridge; by gradient in a build with `--features train`",
    }
}
