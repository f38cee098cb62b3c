use crate::TrackingAccess;
use manyview_artifact::Sources;
use std::path::PathBuf;

/// What surrounds a run. The command line fills it from environment variables.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The embedded data, and the hub.
    pub sources: Sources,
    /// How to be let into a tracking server.
    pub tracking: TrackingAccess,
}

impl Environment {
    /// The embedded data of this program, unpacked below `cache`, and a hub whose cache that is as well.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self { sources: Sources::new(cache), tracking: TrackingAccess::default() }
    }
}
