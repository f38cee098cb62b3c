mod card;
mod head;
mod measured;
mod npy;
mod onnx;
mod protobuf;
mod sentence_transformers;
mod staging;

use super::open::{Artifact, open};
use crate::{Error, Result, Sources, encoder};
use card::Card;
use manyview_adapter::Saved;
use manyview_core::Progress;
use measured::measured;
use std::path::{Path, PathBuf};

/// A fitted adapter to write for other programs.
#[derive(Clone, Debug)]
pub struct Export {
    /// A run directory, a variant's directory in it, or the directory of an adapter or a head.
    pub adapter: PathBuf,
    /// Directory to make.
    pub output: PathBuf,
    /// What to write.
    pub format: Format,
    /// Encoder in place of the one the adapter names; only [`Format::SentenceTransformers`] needs one.
    pub encoder: Option<String>,
    /// Device the encoder is loaded on, to check that it is the adapter's.
    pub device: String,
}

/// What an adapter is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Encoder and adapter as one sentence-transformers model.
    SentenceTransformers,
    /// The adapter alone as an ONNX graph: `base` `[n, dim_in]` to `view` `[n, dim_out]`.
    Onnx,
    /// The adapter alone as NumPy matrices.
    Npy,
    /// The adapter alone as Manyview saves it, for `infer`.
    Adapter,
}

/// Writes the adapter, or the head, and a model card beside it into a directory that appears whole or not at all. Names of
/// local directories stay out of it.
///
/// # Errors
/// An artifact that [`open`] refuses, an encoder, a head, or an adapter that is more than a linear map of all texts, as
/// anything but [`Format::Adapter`], an output directory with something in it, an encoder that is not the adapter's, or files
/// that cannot be written.
pub fn export(export: &Export, sources: &Sources, progress: &dyn Progress) -> Result<()> {
    let opened = open(&sources.artifact(&export.adapter, progress)?)?;
    let named = opened.encoder(export.encoder.as_deref(), &export.device)?;
    let given = named.fingerprint_of_given(opened.card.dim_in) == opened.card.encoder_fingerprint;
    let saved = match &opened.artifact {
        Artifact::Head(head) => return head::export_head(&opened, head, given, export, progress),
        Artifact::Adapter(maps) => Saved {
            model: maps.clone(),
            card: opened.card.clone(),
            weights_blake3: opened.weights_blake3.clone(),
        },
        Artifact::Encoder => return Err(opened.is_encoder()),
    };
    if export.format != Format::Adapter {
        saved.linear()?; // what other programs are given is one matrix for all texts
    }
    if given && export.format == Format::SentenceTransformers {
        return Err(Error::setting(
            "--to sentence-transformers",
            "expected an adapter of an encoder that runs here, found one of vectors that came with the corpus; export \
             onnx, npy or adapter",
        ));
    }
    let metrics = measured(&opened)?;
    let card = Card { saved: &saved, metrics: metrics.as_ref(), format: export.format, given };
    staging::publish(&export.output, progress, |dir| {
        match export.format {
            Format::SentenceTransformers => {
                let encoder = encoder::load(&named, sources, progress)?;
                sentence_transformers::write(dir, &saved, &encoder, progress)?;
            }
            Format::Onnx => onnx::write(dir, &saved)?,
            Format::Npy => npy::write(dir, saved.linear()?)?,
            Format::Adapter => {
                manyview_adapter::save(dir, &saved.model.clone().into(), &card::public(&saved.card, given))?;
            }
        }
        write(&dir.join("README.md"), card.markdown().as_bytes())
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_adapter::{Card, Linear, Map, Maps, Shape, TaskCard, load as read, save};
    use manyview_core::{Fingerprint, Quiet};

    #[test]
    fn an_adapter_that_is_more_than_one_matrix_is_refused_by_all_formats_but_its_own() {
        let root = tempfile::tempdir().unwrap();
        let identity = || Linear::identity(2).unwrap();
        let low_rank = Map::new(Shape::LowRank, vec![identity(), identity()]).unwrap();
        let card = Card {
            task: TaskCard::Retrieval { instruction: String::new() },
            encoder: "one".into(),
            encoder_fingerprint: Fingerprint::builder("test/1").finish(),
            dim_in: 2,
            dim_out: 2,
            method: "contrastive".into(),
            n_train: 1,
            settings: Default::default(),
        };
        for (maps, found) in
            [(Maps::Query(identity().into()), "query-only"), (Maps::Both(low_rank), "low_rank")]
        {
            let adapter = root.path().join(found);
            save(&adapter, &maps.clone().into(), &card).unwrap();
            let to = |format| {
                let output = root.path().join(format!("{found}-{format:?}"));
                let asked =
                    Export { adapter: adapter.clone(), output, format, encoder: None, device: "flex".into() };
                export(&asked, &Sources::new(root.path()), &Quiet).map(|()| asked.output)
            };
            for format in [Format::SentenceTransformers, Format::Onnx, Format::Npy] {
                let e = to(format).unwrap_err().to_string();
                assert!(e.contains(found), "{e}");
            }
            assert_eq!(read(&to(Format::Adapter).unwrap()).unwrap().model, maps.into());
        }
    }
}
