/// Receives the progress of a long job, and can cancel it.
pub trait Progress: Send + Sync {
    /// A stage of `total` steps begins, and with it an earlier one ends.
    fn begin(&self, stage: &str, total: u64);

    /// `by` more steps are done.
    fn advance(&self, by: u64);

    /// What was measured after `step` steps of a training, by name. Where a training goes on, what was measured before it
    /// was stopped comes again.
    fn measured(&self, _step: u64, _values: &[(&str, f64)]) {}

    /// The stage is over.
    fn end(&self);

    /// Whether the user asked to stop. Long jobs ask between parts and then return [`crate::Error::Interrupted`].
    fn stopped(&self) -> bool {
        false
    }
}

/// Shows nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
}
