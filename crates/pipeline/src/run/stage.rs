/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Encodes the corpus into the store.
    Encode,
    /// Fits what the task fits: an adapter, a head, an encoder.
    Train,
    /// Measures it on test texts.
    Evaluate,
    /// Draws the report.
    Report,
}

/// Which steps a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// All, one after the other.
    All,
    /// One alone, after those that came before it in an earlier run.
    Only(Stage),
}

impl Stages {
    /// Whether `stage` is among them.
    pub fn include(self, stage: Stage) -> bool {
        self == Self::All || self == Self::Only(stage)
    }

    /// The last of them.
    pub fn last(self) -> Stage {
        match self {
            Self::All => Stage::Report,
            Self::Only(stage) => stage,
        }
    }
}
