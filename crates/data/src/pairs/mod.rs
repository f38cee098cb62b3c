//! Texts that belong together: queries and the passages that answer them.

mod convert;
mod groups;
mod keys;
mod leaks;
mod near;
mod parts;
mod read;

pub use convert::{Conversion, Converted, PairForm, PairOrigin, convert_pairs};
pub use leaks::{LeakReport, Repeats};
pub use read::{DroppedPairs, PairColumns, TextPairs};
