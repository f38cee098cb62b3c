//! Corpora that are gone through piece by piece.

use crate::toy::{Toy, files, parts, refs, stored, texts};
use manyview_core::{Encoder, Quiet};
use manyview_store::{Reuse, Store};
use std::fs;
use tempfile::tempdir;

#[test]
fn a_corpus_read_in_any_order_and_any_pieces_gives_the_same_bits() {
    let dir = tempdir().unwrap();
    let texts = texts(500);
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    stored(dir.path()).encode(&refs(&texts), None).unwrap();
    for (step, piece) in [(1, 1), (1, 64), (7, 13), (499, 33)] {
        let again = stored(dir.path());
        let order: Vec<usize> = (0..500).map(|i| i * step % 500).collect();
        for rows in order.chunks(piece) {
            let asked: Vec<&str> = rows.iter().map(|&i| texts[i].as_str()).collect();
            let (encoded, reuse) = again.encode_all(&asked, None, &Quiet).unwrap();
            assert_eq!(reuse, Reuse { encoded: 0, reused: rows.len() });
            for (place, &i) in rows.iter().enumerate() {
                assert_eq!(encoded.vectors.row(place), expected.vectors.row(i));
                assert_eq!(encoded.norms[place], expected.norms[i]);
                assert_eq!(encoded.truncated[place], expected.truncated[i]);
            }
        }
    }
}

#[test]
fn vectors_longer_than_a_page_are_read_one_by_one() {
    let dir = tempdir().unwrap();
    let texts = texts(300);
    let wide = || {
        let store = Store::open(dir.path()).unwrap();
        manyview_store::CachedEncoder::new(Wide(Toy::default()), store, "wide").with_part_rows(150)
    };
    let first = wide().encode(&refs(&texts), None).unwrap();
    let again = wide();
    for i in (0..300).rev() {
        assert_eq!(again.encode(&[&texts[i]], None).unwrap().vectors.row(0), first.vectors.row(i), "{i}");
    }
    assert_eq!(again.inner().0.encoded(), 0);
}

/// The toy with vectors of 3000 numbers, of which 87 fill a page of Parquet.
struct Wide(Toy);

impl Encoder for Wide {
    fn dim(&self) -> usize {
        3000
    }
    fn fingerprint(&self) -> manyview_core::Fingerprint {
        manyview_core::Fingerprint::builder("encoder/1").field("name", b"wide").finish()
    }
    fn encode(
        &self,
        texts: &[&str],
        instruction: Option<&manyview_core::Instruction>,
    ) -> manyview_core::Result<manyview_core::Encoded> {
        let short = self.0.encode(texts, instruction)?;
        let wide = short.vectors.rows().map(|v| v.repeat(3000 / v.len()));
        Ok(manyview_core::Embeddings::from_rows(wide)?.into())
    }
}

#[test]
fn a_part_that_another_process_adds_meanwhile_is_found() {
    let dir = tempdir().unwrap();
    let texts = texts(40);
    let (mine, theirs) = (stored(dir.path()), stored(dir.path()));
    for piece in refs(&texts).chunks(8) {
        mine.encode(&piece[..2], None).unwrap();
        theirs.encode(piece, None).unwrap();
        let (encoded, reuse) = mine.encode_all(piece, None, &Quiet).unwrap();
        assert_eq!(reuse.encoded, 0);
        assert_eq!(encoded, Toy::default().encode(piece, None).unwrap());
    }
    assert_eq!((mine.inner().encoded(), theirs.inner().encoded()), (10, 30));
}

#[test]
fn parts_that_vanish_or_shrink_meanwhile_are_encoded_again() {
    let dir = tempdir().unwrap();
    let texts = texts(12);
    let mine = stored(dir.path());
    let before = mine.encode(&refs(&texts), None).unwrap();
    assert_eq!(mine.encode_all(&refs(&texts), None, &Quiet).unwrap().1.encoded, 0);
    let three = parts(dir.path());
    fs::remove_file(&three[0]).unwrap();
    let whole = fs::read(&three[1]).unwrap();
    fs::write(&three[1], &whole[..80]).unwrap();
    let (after, reuse) = mine.encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!((after, reuse.encoded), (before.clone(), 8));
    assert_eq!(files(&dir.path().join("quarantine")).len(), 1);
    let space = Store::open(dir.path()).unwrap().spaces().unwrap().remove(0);
    assert_eq!(space.rows, 12);

    Store::open(dir.path()).unwrap().remove(&space.key).unwrap();
    let (after, reuse) = mine.encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!((after, reuse.encoded), (before, 12));
}
