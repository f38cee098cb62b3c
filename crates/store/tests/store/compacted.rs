//! Small parts that are put together while others read and write.

use crate::crashes::{scratch, whole_rows};
use crate::toy::{Toy, files, parts, refs, stored, texts};
use manyview_core::{Encoder, Quiet};
use manyview_store::{Reuse, Store};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A part for each of the texts.
fn one_each(root: &Path, texts: &[String]) {
    texts.iter().for_each(|text| drop(stored(root).encode(&[text], None).unwrap()));
}

#[test]
fn small_parts_become_one_with_every_vector() {
    let (dir, texts) = (scratch(), texts(10));
    one_each(dir.path(), &texts);
    let store = Store::open(dir.path()).unwrap();
    let done = store.compact(&Quiet).unwrap().remove(0);
    assert_eq!((done.merged, done.written, done.rows, parts(dir.path()).len()), (10, 1, 10, 1));
    let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!(encoded, Toy::default().encode(&refs(&texts), None).unwrap());
    assert_eq!(reuse, Reuse { encoded: 0, reused: 10 });
    assert_eq!(store.compact(&Quiet).unwrap(), [], "one part is not put together with itself");
}

#[test]
fn small_parts_are_put_together_by_themselves_when_they_are_many() {
    let (dir, texts) = (scratch(), texts(200));
    one_each(dir.path(), &texts);
    let there = parts(dir.path()).len();
    assert!(there < 64, "{there} parts");
    assert_eq!(whole_rows(dir.path()), 200);
    assert_eq!(stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap().1.encoded, 0);
}

/// What was read before goes on from the large part.
#[test]
fn an_encoder_that_knew_the_small_parts_finds_the_large_one() {
    let (dir, texts) = (scratch(), texts(10));
    one_each(dir.path(), &texts);
    let mine = stored(dir.path());
    mine.encode(&refs(&texts), None).unwrap();
    Store::open(dir.path()).unwrap().compact(&Quiet).unwrap();
    for _ in 0..2 {
        let (encoded, reuse) = mine.encode_all(&refs(&texts), None, &Quiet).unwrap();
        assert_eq!((encoded, reuse.encoded), (Toy::default().encode(&refs(&texts), None).unwrap(), 0));
    }
    assert!(files(&dir.path().join("quarantine")).is_empty());
}

#[test]
fn a_damaged_part_goes_to_quarantine_and_into_no_other() {
    let (dir, texts) = (scratch(), texts(10));
    one_each(dir.path(), &texts);
    let damaged = parts(dir.path()).remove(3);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[60] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let done = Store::open(dir.path()).unwrap().compact(&Quiet).unwrap().remove(0);
    assert_eq!((done.merged, done.rows, done.damaged.len()), (9, 9, 1));
    assert_eq!((&done.damaged[0].0, files(&dir.path().join("quarantine")).len()), (&damaged, 1));
    let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!((encoded, reuse.encoded), (Toy::default().encode(&refs(&texts), None).unwrap(), 1));
}

/// Small parts come, and are put together by two at once, while four read all that is there.
#[test]
fn c7_readers_miss_no_vector_while_small_parts_are_put_together() {
    let (dir, all) = (scratch(), texts(300));
    let (old, new) = all.split_at(100);
    one_each(dir.path(), old);
    let expected = Toy::default().encode(&refs(old), None).unwrap();
    let (over, root) = (AtomicBool::new(false), dir.path());
    let looked: usize = std::thread::scope(|scope| {
        let read = || {
            let (mut looked, mine) = (0, stored(root));
            while !over.load(Ordering::SeqCst) {
                for encoder in [&stored(root), &mine] {
                    let (encoded, reuse) = encoder.encode_all(&refs(old), None, &Quiet).unwrap();
                    assert_eq!(reuse.encoded, 0, "after {looked} looks");
                    assert_eq!(encoded, expected);
                    looked += 1;
                }
            }
            looked
        };
        let compact = || {
            while !over.load(Ordering::SeqCst) {
                Store::open(root).unwrap().compact(&Quiet).unwrap();
            }
        };
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        (0..2).for_each(|_| drop(scope.spawn(compact)));
        one_each(root, new);
        over.store(true, Ordering::SeqCst);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    assert!(looked > 0);
    let (encoded, reuse) = stored(root).encode_all(&refs(&all), None, &Quiet).unwrap();
    assert_eq!((encoded, reuse.encoded), (Toy::default().encode(&refs(&all), None).unwrap(), 0));
    println!("reliability: C7 tried={looked} looks at a store whose small parts are put together");
}
