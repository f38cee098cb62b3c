use crate::Result;
use manyview_core::Progress;
use manyview_data::Hub;
use manyview_embedded::EmbeddedData;
use std::path::{Path, PathBuf};

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

    /// The directory of what was trained: a path as it is; of `hub:ORG/NAME`, or `hub:ORG/NAME@REVISION`, the one in the
    /// cache, where it is fetched to.
    ///
    /// # Errors
    /// A repository that is not there, or holds something else.
    pub fn artifact(&self, path: &Path, progress: &dyn Progress) -> Result<PathBuf> {
        let Some(repo) = path.to_str().and_then(|path| path.strip_prefix("hub:")) else {
            return Ok(path.into());
        };
        let (repo, revision) = repo.split_once('@').unwrap_or((repo, "main"));
        Ok(self.hub.fetch_artifact(repo, revision, progress)?)
    }
}
