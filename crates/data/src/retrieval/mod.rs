//! Texts that belong together: queries and the passages that answer them.

mod column_names;
mod convert;
mod groups;
mod leaks;
mod read;
mod shingles;
mod split_column;

pub use convert::{Conversion, Converted, PairForm, PairOrigin, convert_pairs};
pub use leaks::{LeakReport, Repeats};
pub use read::{DroppedPairs, PairColumns, TextPairs};
