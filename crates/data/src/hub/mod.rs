mod address;
mod cache;
mod client;
mod download;
mod leftovers;
mod listing;
mod repo;
mod selection;
mod upload;
mod upload_file;
mod upload_lfs;
mod upload_request;

use crate::{Error, Result};
pub use address::{redirected, same_origin};
use cache::Cache;
use client::Client;
use listing::{Listed, Listing};
use manyview_core::Progress;
use repo::{Repo, is_commit};
use std::path::PathBuf;
use std::time::Duration;
pub use upload::{Upload, Uploaded};

/// The Hugging Face hub and the cache in front of it, in the layout of Python's `huggingface_hub`.
///
/// A commit that is whole in the cache needs no network; a branch or tag is looked up, and taken from the cache when
/// the hub cannot be reached.
///
/// ```no_run
/// # use manyview_data::Hub;
/// let hub = Hub::new("/home/me/.cache/huggingface/hub");
/// let model = hub.fetch_model("sentence-transformers/all-MiniLM-L6-v2", "main", &manyview_core::Quiet)?;
/// # Ok::<(), manyview_data::Error>(())
/// ```
#[derive(Clone)]
pub struct Hub {
    cache: PathBuf,
    client: Client,
    offline: bool,
}

/// Chooses files of a repository, or says why it holds nothing to choose.
type Select<'a> = &'a dyn Fn(&Listing) -> Result<Vec<Listed>>;

impl Hub {
    /// The hub at its usual address, cached in `cache`.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self { cache: cache.into(), client: Client::new(), offline: false }
    }

    /// Another address, as of a mirror.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.client.endpoint = endpoint.into().trim_end_matches('/').into();
        self
    }

    /// An access token, for private and gated repositories. It is sent to the endpoint only and never printed.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.client.token = Some(token.into().trim().into());
        self
    }

    /// Whether to use the cache alone.
    #[must_use]
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// How long to wait before a second try; each further try waits twice as long. 300 ms unless told.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.client.delay = delay;
        self
    }

    /// The directory of a model at `revision` (a branch, a tag or a commit) with the files an encoder needs: its
    /// configuration, tokenizer, safetensors weights and sentence-transformers modules.
    ///
    /// # Errors
    /// [`Error::Repository`], [`Error::Refused`], [`Error::Unreachable`], [`Error::Answer`], [`Error::Offline`], a cache
    /// that cannot be written, or an interruption, which keeps what was fetched.
    pub fn fetch_model(&self, repo: &str, revision: &str, progress: &dyn Progress) -> Result<PathBuf> {
        let repo = Repo::model(repo)?;
        let select = |listing: &Listing| selection::encoder_files(&repo, listing);
        Ok(self.fetch(&repo, revision, &select, progress)?.0)
    }

    /// The directory of an adapter, a head or an encoder that was trained and sent to the hub, at `revision`.
    ///
    /// # Errors
    /// As [`Hub::fetch_model`].
    pub fn fetch_artifact(&self, repo: &str, revision: &str, progress: &dyn Progress) -> Result<PathBuf> {
        let repo = Repo::model(repo)?;
        let select = |listing: &Listing| selection::artifact_files(&repo, listing);
        Ok(self.fetch(&repo, revision, &select, progress)?.0)
    }

    /// The data files of a data set at `revision`, sorted by name: Parquet, or else CSV, or else JSONL. `config` picks
    /// those whose path has it as a directory or as part of the file's name.
    ///
    /// # Errors
    /// As [`Hub::fetch_model`]; [`Error::Repository`] names the configurations when there are several and `config` is
    /// not one of them.
    pub fn fetch_dataset(
        &self,
        repo: &str,
        config: Option<&str>,
        revision: &str,
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>> {
        let repo = Repo::dataset(repo)?;
        let select = |listing: &Listing| selection::data_files(&repo, listing, config);
        let (snapshot, files) = self.fetch(&repo, revision, &select, progress)?;
        Ok(files.iter().map(|file| snapshot.join(&file.path)).collect())
    }

    fn fetch(
        &self,
        repo: &Repo,
        revision: &str,
        select: Select,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, Vec<Listed>)> {
        let cache = Cache::new(&self.cache, repo, revision)?;
        if is_commit(revision)
            && let Some(held) = cache.held(revision, select, false)?
        {
            return Ok(held);
        }
        let stored =
            || cache.commit_of(revision).map_or(Ok(None), |commit| cache.held(&commit, select, true));
        if self.offline {
            let (name, cache) = (repo.to_string(), self.cache.clone());
            return stored()?.ok_or_else(|| Error::Offline { repo: name, revision: revision.into(), cache });
        }
        match self.client.listing(repo, revision, progress) {
            Ok(listing) => {
                let files = select(&listing)?;
                self.download(&cache, repo, &listing, &files, progress)?;
                cache.keep_revision(revision, &listing.commit)?;
                Ok((cache.snapshot(&listing.commit), files))
            }
            Err(e @ (Error::Unreachable { .. } | Error::Answer { .. })) => match stored()? {
                Some(held) => {
                    tracing::warn!("{e}; using what the cache holds of hub:{repo} at `{revision}`");
                    Ok(held)
                }
                None => Err(e),
            },
            Err(e) => Err(e),
        }
    }

    fn download(
        &self,
        cache: &Cache,
        repo: &Repo,
        listing: &Listing,
        files: &[Listed],
        progress: &dyn Progress,
    ) -> Result<()> {
        cache.keep_listing(listing)?;
        for file in files.iter().filter(|file| !cache.holds(&listing.commit, file)) {
            let blob = file.blob(&listing.commit);
            let _lock = cache.lock(&blob, progress)?;
            if !cache.holds_blob(&blob, file) {
                let part = cache.part(&blob);
                self.client.download(repo, &listing.commit, file, &part, progress)?;
                cache.keep_blob(&part, &blob)?;
            }
            cache.link(&listing.commit, file, &blob)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("cache", &self.cache)
            .field("endpoint", &self.client.endpoint)
            .field("token", &self.client.token.as_ref().map(|_| "set"))
            .field("offline", &self.offline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_never_printed() {
        let shown = format!("{:?}", Hub::new("cache").with_token("hf_secret"));
        assert!(!shown.contains("secret") && shown.contains("set"), "{shown}");
    }
}
