use manyview_data::Hub;
use manyview_embedded::EmbeddedData;
use std::path::PathBuf;

/// The repository of the hub that the embedded encoder is made from.
pub const MINILM_ORIGIN: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// Where encoders and corpora are found by name: the embedded data, and the hub.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The embedded encoder and corpora.
    pub embedded: EmbeddedData,
    /// The hub, its cache and its token.
    pub hub: Hub,
}

impl Sources {
    /// The embedded data of this program, unpacked below `cache`, and a hub whose cache that is as well.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        let cache = cache.into();
        Self { embedded: EmbeddedData::unpacked_in(&cache), hub: Hub::new(cache) }
    }
}
