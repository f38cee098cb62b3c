//! One driver for every task: stages, variants, cached fits, records, metrics, the report.

mod checkpoints;
mod context;
mod directory;
mod driver;
mod fine_tuning;
mod fit_cache;
mod stage;
mod tracking;

pub(crate) use checkpoints::check as check_checkpoints;
pub use context::{Context, Encoded, Tally, TextSet};
pub(crate) use context::{Pass, PassKey};
pub(crate) use directory::METRICS;
pub use directory::{RunDir, VariantDir, resolved};
pub use driver::{Outcome, run};
pub use fine_tuning::FineTuning;
pub(crate) use fine_tuning::check as check_fine_tuned;
pub use fit_cache::FitRecord;
pub(crate) use fit_cache::check as check_fit;
pub use stage::{Stage, Stages};
pub use tracking::{Secret, SyncedRecord, TrackingAccess, sync_tracking};
pub(crate) use tracking::{flat, server};
