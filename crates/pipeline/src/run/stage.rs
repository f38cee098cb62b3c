/// One stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Encodes the corpus into the store.
    Encode,
    /// Fits what the task fits: an adapter, a head, an encoder.
    Train,
    /// Evaluates it on test texts.
    Evaluate,
    /// Writes the report.
    Report,
}

/// Which stages to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// All, in order.
    All,
    /// A single stage; an earlier run did the stages before it.
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
