use crate::TrackingAccess;
use manyview_data::Hub;
use std::path::{Path, PathBuf};

/// What surrounds a run: the embedded data, and the hub. The command line fills it from environment variables.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Directory of the embedded encoder and corpora.
    pub data: PathBuf,
    /// The hub, its cache and its token.
    pub hub: Hub,
    /// How to be let into a tracking server.
    pub tracking: TrackingAccess,
}

impl Environment {
    /// The embedded data of this source tree, and a hub cached in `cache`.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self { data: Self::embedded(), hub: Hub::new(cache), tracking: TrackingAccess::default() }
    }

    /// `data/` of the source tree this was built from.
    pub fn embedded() -> PathBuf {
        let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        crate_dir.ancestors().nth(2).unwrap_or(crate_dir).join("data")
    }
}
