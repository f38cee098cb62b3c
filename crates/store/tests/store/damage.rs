//! Bits that flip, and stores of earlier releases.

use crate::crashes::scratch;
use crate::toy::{Toy, parts, refs, stored, texts};
use manyview_core::{Encoder, Kind, Quiet};
use manyview_store::{Reuse, Store};
use std::fs;
use std::path::Path;

/// Each bit of a part and of the description beside it, one at a time.
#[test]
fn c6_no_flipped_bit_goes_unnoticed() {
    let (dir, texts) = (scratch(), texts(4));
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    stored(dir.path()).encode(&refs(&texts), None).unwrap();
    let part = parts(dir.path()).remove(0);
    let description = part.with_file_name("space.json");
    let spaces = Store::open(dir.path()).unwrap().spaces().unwrap();
    let (mut tried, mut mended, mut unharmed) = (0, 0, 0);
    for path in [&part, &description] {
        let whole = fs::read(path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(path, bytes).unwrap();
            let bad = Store::open(dir.path()).unwrap().verify(&Quiet);
            // A description of a later schema is left to the release that wrote it.
            let bad = bad.map_or(1, |checked| checked.iter().filter(|c| c.problem.is_some()).count());
            if bad == 0 {
                // In the name of a field that need not be there; what is read is the same.
                assert!(path == &description, "bit {bit} of {}", path.display());
                assert_eq!(Store::open(dir.path()).unwrap().spaces().unwrap(), spaces, "bit {bit}");
                unharmed += 1;
            } else if !path.exists() {
                let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
                assert_eq!(encoded, expected, "bit {bit} of {}", path.display());
                assert_eq!(reuse.encoded, if path == &part { 4 } else { 0 }, "bit {bit}");
                assert!(fs::read(path).unwrap() == whole);
                mended += 1;
            }
            let _ = fs::remove_dir_all(dir.path().join("quarantine"));
            fs::write(path, &whole).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 10_000 && mended + unharmed > tried - 20 && unharmed <= 16 * 8, "{mended}, {unharmed}");
    println!(
        "reliability: C6 tried={tried} bits of a part and its description, {mended} mended, {unharmed} without effect"
    );
}

/// A flipped bit is noticed by whoever reads, too, not by `verify` alone.
#[test]
fn c6_a_flipped_bit_is_noticed_where_vectors_are_read() {
    let (dir, texts) = (scratch(), texts(4));
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    stored(dir.path()).encode(&refs(&texts), None).unwrap();
    let part = parts(dir.path()).remove(0);
    let whole = fs::read(&part).unwrap();
    let bits: Vec<usize> = (0..whole.len() * 8).step_by(11).collect();
    for &bit in &bits {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&part, bytes).unwrap();
        let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
        assert_eq!((encoded, reuse), (expected.clone(), Reuse { encoded: 4, reused: 0 }), "bit {bit}");
        let _ = fs::remove_dir_all(dir.path().join("quarantine"));
    }
    println!("reliability: C6 tried={} bits, noticed in reading", bits.len());
}

/// A part that was read whole is checked again where a vector of it is read later, by an encoder that knows where it stands.
#[test]
fn c6_a_bit_that_flips_after_a_part_was_read_is_noticed_where_its_vector_is_read() {
    let texts = texts(4);
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    for bit in 0..32 {
        let dir = scratch();
        let mine = stored(dir.path());
        mine.encode(&refs(&texts), None).unwrap();
        assert_eq!(mine.encode_all(&refs(&texts), None, &Quiet).unwrap().1.encoded, 0); // and so read
        let part = parts(dir.path()).remove(0);
        let mut bytes = fs::read(&part).unwrap();
        let number = expected.vectors.row(2)[1].to_le_bytes();
        let place = bytes.windows(4).position(|bytes| bytes == number).unwrap();
        bytes[place + bit / 8] ^= 1 << (bit % 8);
        fs::write(&part, bytes).unwrap();
        let (encoded, reuse) = mine.encode_all(&refs(&texts), None, &Quiet).unwrap();
        assert_eq!(encoded, expected, "bit {bit}");
        assert!(reuse.encoded > 0 && dir.path().join("quarantine").exists(), "bit {bit} went unnoticed");
    }
    println!("reliability: C6 tried=32 bits that flipped after the part was read");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { assert!(fs::copy(&path, &target).is_ok()) }
    }
}

/// Every release before adds its store here, and none is ever changed.
#[test]
fn c9_the_stores_of_earlier_releases_are_read() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/releases");
    let mut tried = 0;
    for release in fs::read_dir(kept).unwrap().map(|entry| entry.unwrap().path()) {
        let dir = scratch();
        copy(&release, dir.path());
        let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts(10)), None, &Quiet).unwrap();
        assert_eq!(encoded, Toy::default().encode(&refs(&texts(10)), None).unwrap());
        assert_eq!(reuse, Reuse { encoded: 0, reused: 10 }, "{}", release.display());
        assert!(Store::open(dir.path()).unwrap().verify(&Quiet).unwrap().iter().all(|c| c.problem.is_none()));
        tried += 1;
    }
    assert!(tried >= 1);
    println!("reliability: C9 tried={tried} stores of earlier releases");
}

/// The first release wrote no checksum beside the length: the parts tell when it was changed.
#[test]
fn c9_a_length_that_was_changed_in_a_store_of_the_first_release_is_mended() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/releases/0.1.0");
    let dir = scratch();
    copy(&kept, dir.path());
    let description = parts(dir.path())[0].with_file_name("space.json");
    let changed = fs::read_to_string(&description).unwrap().replace("\"dim\": 5", "\"dim\": 6");
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.spaces().unwrap()[0].dim, 5);
    fs::write(&description, &changed).unwrap();
    assert_eq!(store.spaces().unwrap_err().kind(), Kind::Input);
    let bad: Vec<_> =
        store.verify(&Quiet).unwrap().into_iter().filter(|checked| checked.problem.is_some()).collect();
    assert_eq!((bad.len(), &bad[0].part), (1, &description));
    for content in [None, Some(&changed)] {
        content.iter().for_each(|content| fs::write(&description, content).unwrap());
        let (_, reuse) = stored(dir.path()).encode_all(&refs(&texts(10)), None, &Quiet).unwrap();
        assert_eq!(reuse, Reuse { encoded: 0, reused: 10 });
        assert_eq!(store.spaces().unwrap()[0].dim, 5);
    }
    println!("reliability: C9 tried=3 uses of a store whose length was changed");
}

/// Files that are none of its own are left as they are.
#[test]
fn c9_what_is_not_of_the_store_stays_and_disturbs_nothing() {
    let dir = scratch();
    stored(dir.path()).encode(&refs(&texts(10)), None).unwrap();
    let space = parts(dir.path())[0].parent().unwrap().to_path_buf();
    let foreign = [
        dir.path().join("notes.txt"),
        dir.path().join("spaces/readme"),
        dir.path().join("spaces/0123/part-00.parquet"),
        space.join("part-short.txt"),
        space.join(".DS_Store"),
        space.join("sub/part-x.parquet"),
    ];
    for path in &foreign {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    let (_, reuse) = stored(dir.path()).encode_all(&refs(&texts(10)), None, &Quiet).unwrap();
    assert_eq!(reuse.encoded, 0);
    let checked = Store::open(dir.path()).unwrap().verify(&Quiet).unwrap();
    assert!(checked.iter().all(|c| c.problem.is_none()), "{checked:?}");
    assert!(foreign.iter().all(|path| fs::read(path).unwrap() == b"mine"));
    println!("reliability: C9 tried={} files of others", foreign.len());
}
