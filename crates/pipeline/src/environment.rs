use crate::TrackingAccess;
use manyview_data::Hub;
use manyview_embedded::EmbeddedData;
use std::path::PathBuf;

/// What surrounds a run: the embedded data, and the hub. The command line fills it from environment variables.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The embedded encoder and corpora.
    pub embedded: EmbeddedData,
    /// The hub, its cache and its token.
    pub hub: Hub,
    /// How to be let into a tracking server.
    pub tracking: TrackingAccess,
}

impl Environment {
    /// The embedded data of this program, unpacked below `cache`, and a hub whose cache that is as well.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        let cache = cache.into();
        Self {
            embedded: EmbeddedData::unpacked_in(&cache),
            hub: Hub::new(cache),
            tracking: TrackingAccess::default(),
        }
    }
}
