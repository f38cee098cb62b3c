//! Vectors that wait to be written together.

use crate::crashes::{acknowledged, rounds, scratch, start_in, whole_rows};
use crate::toy::{Toy, parts, refs, stored, texts};
use manyview_core::{Encoded, Encoder, Fingerprint, Instruction, Kind, Quiet};
use manyview_store::{CachedEncoder, Store, WriteBuffer};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NEVER: Duration = Duration::from_secs(3600);

fn buffered(root: &Path, rows: usize, wait: Duration) -> CachedEncoder<Toy> {
    stored(root).with_write_buffer(WriteBuffer { rows, wait })
}

#[test]
fn single_texts_share_a_part_and_are_found_before_it_is_written() {
    let (dir, texts) = (scratch(), texts(10));
    let encoder = buffered(dir.path(), 4, NEVER);
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    for _ in 0..2 {
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(encoder.encode(&[text], None).unwrap().vectors.row(0), expected.vectors.row(i));
        }
    }
    assert_eq!(encoder.inner().encoded(), 10, "each text once");
    assert_eq!((parts(dir.path()).len(), encoder.unwritten()), (2, 2));
    encoder.flush().unwrap();
    assert_eq!((parts(dir.path()).len(), encoder.unwritten(), whole_rows(dir.path())), (3, 0, 10));
    let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!((encoded, reuse.encoded), (expected, 0));
}

#[test]
fn what_waits_is_written_after_a_while_and_when_the_encoder_goes() {
    let (dir, texts) = (scratch(), texts(6));
    let encoder = buffered(dir.path(), 100, Duration::from_millis(20));
    encoder.encode(&refs(&texts[..3]), None).unwrap();
    while encoder.unwritten() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(whole_rows(dir.path()), 3);
    let slow = buffered(dir.path(), 100, NEVER);
    slow.encode(&refs(&texts[3..]), None).unwrap();
    assert_eq!(whole_rows(dir.path()), 3);
    drop(slow);
    assert_eq!(whole_rows(dir.path()), 6);
}

/// As many texts at once as the buffer may hold are on the disk when they are returned.
#[test]
fn a_large_batch_does_not_wait() {
    let (dir, texts) = (scratch(), texts(9));
    let encoder = buffered(dir.path(), 4, NEVER);
    encoder.encode(&refs(&texts), None).unwrap();
    assert_eq!((whole_rows(dir.path()), encoder.unwritten()), (8, 1));
}

#[test]
fn many_threads_share_a_buffer() {
    let (dir, texts) = (scratch(), texts(200));
    let encoder = buffered(dir.path(), 16, Duration::from_millis(1));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (encoder, texts) = (&encoder, &texts);
            scope.spawn(move || {
                for i in 0..texts.len() {
                    encoder.encode(&[&texts[(i + thread * 25) % texts.len()]], None).unwrap();
                }
            });
        }
    });
    encoder.flush().unwrap();
    let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!((encoded, reuse.encoded), (Toy::default().encode(&refs(&texts), None).unwrap(), 0));
}

/// The toy, which takes the directory of its space away while it encodes a text.
struct Saboteur {
    toy: Toy,
    root: PathBuf,
    at: String,
}

impl Encoder for Saboteur {
    fn dim(&self) -> usize {
        self.toy.dim()
    }
    fn fingerprint(&self) -> Fingerprint {
        self.toy.fingerprint()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        if texts.contains(&self.at.as_str()) {
            fs::remove_dir_all(self.root.join("spaces")).unwrap();
        }
        self.toy.encode(texts, instruction)
    }
}

#[test]
fn what_cannot_be_written_is_an_error_and_waits_on() {
    let (dir, texts) = (scratch(), texts(6));
    let saboteur = Saboteur { toy: Toy::default(), root: dir.path().into(), at: texts[3].clone() };
    let encoder = CachedEncoder::new(saboteur, Store::open(dir.path()).unwrap(), "toy")
        .with_write_buffer(WriteBuffer { rows: 4, wait: NEVER });
    for text in &texts[..3] {
        encoder.encode(&[text], None).unwrap();
    }
    let e = encoder.encode(&[&texts[3]], None).unwrap_err();
    assert_eq!((e.kind(), encoder.unwritten()), (Kind::Io, 4), "{e}");
    encoder.encode(&[&texts[4]], None).unwrap();
    assert_eq!((whole_rows(dir.path()), encoder.unwritten()), (4, 1), "written as soon as it could be");
    encoder.flush().unwrap();
    assert_eq!((whole_rows(dir.path()), encoder.inner().toy.encoded()), (5, 5));
}

/// Kills at any time of a process that encodes one text after the other and says after each flush how many are on the disk.
#[test]
fn c1_what_a_flush_acknowledged_is_there_after_a_kill() {
    const TEXTS: usize = 60;
    let (rounds, mut acknowledged_rows) = (rounds(60), 0);
    for round in 0..rounds {
        let dir = scratch();
        let mut child = start_in("buffered", dir.path(), 0..TEXTS);
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut heard = String::new();
        for _ in 0..round % 12 {
            said.read_line(&mut heard).unwrap();
        }
        std::thread::sleep(Duration::from_micros(37 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = acknowledged(heard.as_bytes().chain(said));
        let rows = whole_rows(dir.path());
        assert!(rows >= told, "round {round}: {told} were acknowledged, {rows} are there");
        acknowledged_rows += told;
    }
    assert!(acknowledged_rows > 0);
    println!(
        "reliability: C1 tried={rounds} kills of processes that write what waited, after {acknowledged_rows} acknowledged vectors"
    );
}
