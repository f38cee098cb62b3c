use crate::scratch::{self, parts, put};
use manyview_core::{Embeddings, Encoded, Encoder, Fingerprint, Instruction, Quiet, Result};
use manyview_store::{CachedEncoder, Error, Store};
use std::fs;
use std::path::{Path, PathBuf};

/// Gives each text a vector of its length and its first byte.
#[derive(Clone)]
pub(crate) struct Toy;

impl Encoder for Toy {
    fn dim(&self) -> usize {
        2
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("encoder/1").field("name", b"toy").finish()
    }

    fn encode(&self, texts: &[&str], _: Option<&Instruction>) -> Result<Encoded> {
        let row = |text: &&str| [text.len() as f32, text.bytes().next().map_or(0.5, f32::from)];
        let vectors = Embeddings::from_rows(texts.iter().map(row))?;
        Ok(Encoded { vectors, norms: vec![1.0; texts.len()], truncated: vec![false; texts.len()] })
    }
}

const TEXTS: [&str; 4] = ["rain", "fog", "", "rain"];

/// A store with one space and nothing in it: its root, and the directory of the space.
fn store() -> (PathBuf, PathBuf) {
    let root = scratch::empty("store");
    encode(&root).unwrap();
    let space = fs::read_dir(root.join("spaces")).unwrap().next().unwrap().unwrap().path();
    for entry in fs::read_dir(&space).unwrap().map(|e| e.unwrap().path()) {
        if entry.extension().is_some_and(|e| e == "parquet") {
            fs::remove_file(entry).unwrap();
        }
    }
    (root, space)
}

/// The vectors as they come first, and a second time, when all are known.
fn encode(root: &Path) -> manyview_store::Result<[Embeddings; 2]> {
    let stored = CachedEncoder::new(Toy, Store::open(root)?, "toy");
    let (first, _) = stored.encode_all(&TEXTS, None, &Quiet)?;
    let (second, reuse) = stored.encode_all(&TEXTS, None, &Quiet)?;
    assert_eq!((reuse.encoded, reuse.reused), (0, TEXTS.len()));
    assert_eq!(first.vectors.row(0), first.vectors.row(3));
    Ok([first.vectors, second.vectors])
}

/// A part under the name its bytes give it: whole or set aside, and what it lacks is encoded. A part made by others may
/// say anything of a text, and of one whose hash begins like that of another.
pub fn store_part(data: &[u8]) {
    let (root, space) = store();
    let hash = blake3::hash(data).to_hex();
    put(&space, &format!("part-{}.parquet", &hash.as_str()[..32]), data);
    let store = Store::open(&root).unwrap();
    let said = store.spaces().unwrap();
    let checked = store.verify(&Quiet).unwrap();
    assert_eq!((said.len(), checked.len()), (1, 1));
    let whole = checked[0].problem.is_none();
    assert!(!whole || said[0].rows == checked[0].rows, "{said:?} {checked:?}");
    assert!(checked[0].rows * 8 <= data.len());
    assert_eq!(root.join("quarantine").exists(), !whole);
    let encoded = encode(&root).unwrap();
    if !whole {
        let expected = Toy.encode(&TEXTS, None).unwrap().vectors;
        assert_eq!(encoded, [expected.clone(), expected]);
    }
    assert!(store.verify(&Quiet).unwrap().iter().all(|part| part.problem.is_none()));
}

/// The description of a space, and the marker of the store: read, or refused and mended by verifying.
pub fn store_space(data: &[u8]) {
    let [description, marker] = parts(data);
    let (root, space) = store();
    put(&space, "space.json", description);
    if !marker.is_empty() {
        put(&root, "manyview-store.json", marker);
    }
    let store = match Store::open(&root) {
        Ok(store) => store,
        Err(e) => return scratch::refused(e.kind(), &e),
    };
    match store.spaces() {
        Ok(spaces) => {
            assert!(spaces.len() == 1 && space.ends_with(&spaces[0].key));
            assert!(spaces[0].instruction.is_none());
        }
        Err(e) => scratch::refused(e.kind(), &e),
    }
    match store.verify(&Quiet) {
        Ok(checked) => assert_eq!(checked.len(), usize::from(store.spaces().unwrap().is_empty())),
        Err(e) => scratch::refused(e.kind(), &e),
    }
    match encode(&root) {
        Ok(encoded) => {
            let expected = Toy.encode(&TEXTS, None).unwrap().vectors;
            assert_eq!(encoded, [expected.clone(), expected]);
        }
        Err(e) => assert!(matches!(e, Error::Schema { .. } | Error::Dim { .. }), "{e}"),
    }
}

/// A part, and the description of its space.
pub(crate) fn kept() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let root = scratch::empty("store");
    encode(&root).unwrap();
    let space = fs::read_dir(root.join("spaces")).unwrap().next().unwrap().unwrap().path();
    let read =
        |dir: &Path| -> Vec<PathBuf> { fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect() };
    let part =
        read(&space).into_iter().find(|path| path.extension().is_some_and(|e| e == "parquet")).unwrap();
    let description = fs::read(space.join("space.json")).unwrap();
    let marker = fs::read(root.join("manyview-store.json")).unwrap();
    vec![
        ("store_part", "part", fs::read(part).unwrap()),
        ("store_space", "toy", [&description, &marker[..]].join(scratch::SEPARATOR)),
    ]
}
