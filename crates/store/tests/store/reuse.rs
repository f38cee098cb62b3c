//! What is encoded, and what is read back.

use crate::toy::{StopAfter, Toy, files, parts, refs, stored, texts};
use manyview_core::{Embeddings, Encoded, Encoder, Error, Fingerprint, Instruction, Kind, Quiet};
use manyview_store::{CachedEncoder, Reuse, Store};
use tempfile::tempdir;

#[test]
fn a_second_run_encodes_nothing_and_gives_the_same_bits() {
    let dir = tempdir().unwrap();
    let texts = texts(11);
    let (first, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!(reuse, Reuse { encoded: 11, reused: 0 });
    assert_eq!(first, Toy::default().encode(&refs(&texts), None).unwrap());

    let again = stored(dir.path());
    let (second, reuse) = again.encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!(reuse, Reuse { encoded: 0, reused: 11 });
    assert_eq!((again.inner().encoded(), again.dim()), (0, crate::toy::DIM));
    assert_eq!(second, first);
}

#[test]
fn rows_come_in_the_order_asked_for() {
    let dir = tempdir().unwrap();
    let texts = texts(9);
    let stored = stored(dir.path());
    let straight = stored.encode(&refs(&texts), None).unwrap();
    let mut backwards = refs(&texts);
    backwards.reverse();
    let turned = stored.encode(&backwards, None).unwrap();
    for i in 0..9 {
        assert_eq!(turned.vectors.row(8 - i), straight.vectors.row(i));
        assert_eq!(turned.norms[8 - i], straight.norms[i]);
        assert_eq!(turned.truncated[8 - i], straight.truncated[i]);
    }
    assert!(straight.truncated.contains(&true) && straight.truncated.contains(&false));
}

#[test]
fn added_texts_alone_are_encoded() {
    let dir = tempdir().unwrap();
    let texts = texts(10);
    let stored = stored(dir.path());
    stored.encode_all(&refs(&texts[..7]), None, &Quiet).unwrap();
    let (all, reuse) = stored.encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!(reuse, Reuse { encoded: 3, reused: 7 });
    assert_eq!(stored.inner().encoded(), 10);
    assert_eq!(all, Toy::default().encode(&refs(&texts), None).unwrap());
}

#[test]
fn a_text_that_occurs_twice_is_encoded_once() {
    let dir = tempdir().unwrap();
    let stored = stored(dir.path());
    let (encoded, reuse) = stored.encode_all(&["a", "b", "a", "a", "b"], None, &Quiet).unwrap();
    assert_eq!(reuse, Reuse { encoded: 2, reused: 3 });
    assert_eq!(stored.inner().encoded(), 2);
    assert_eq!(encoded, Toy::default().encode(&["a", "b", "a", "a", "b"], None).unwrap());
}

#[test]
fn chunks_go_from_the_longest_text_to_the_shortest() {
    let dir = tempdir().unwrap();
    let stored = stored(dir.path());
    stored.encode(&["a", "ccc", "bb", "dddd", "ee", "f"], None).unwrap();
    let batches = stored.inner().batches.lock().unwrap().clone();
    assert_eq!(batches, [vec!["dddd", "ccc", "bb", "ee"], vec!["a", "f"]]);
}

#[test]
fn each_instruction_has_its_own_space() {
    let dir = tempdir().unwrap();
    let stored = stored(dir.path());
    let topic = Instruction::new("Identify the topic");
    let spaced = topic.clone().with_template("{task}: {text}").unwrap();
    let plain = stored.encode(&["a"], None).unwrap();
    for instruction in [&topic, &spaced] {
        let (under, reuse) = stored.encode_all(&["a"], Some(instruction), &Quiet).unwrap();
        assert_eq!(reuse.encoded, 1);
        assert_ne!(under, plain);
    }
    let spaces = Store::open(dir.path()).unwrap().spaces().unwrap();
    let mut tasks: Vec<_> = spaces.iter().map(|s| s.instruction.as_ref().map(|i| i.template())).collect();
    tasks.sort();
    assert_eq!(tasks, [None, Some(Instruction::DEFAULT_TEMPLATE), Some("{task}: {text}")]);
    assert!(
        spaces.iter().all(|s| (s.rows, s.parts, s.dim, s.encoder.as_str()) == (1, 1, crate::toy::DIM, "toy"))
    );
    assert!(spaces.iter().all(|s| s.encoder_fingerprint == stored.fingerprint().as_str() && s.bytes > 0));
}

#[test]
fn a_stop_keeps_the_chunks_before_it_and_going_on_gives_the_same_bits() {
    let (whole, halved) = (tempdir().unwrap(), tempdir().unwrap());
    let texts = texts(14);
    let uninterrupted = stored(whole.path()).encode(&refs(&texts), None).unwrap();

    let stop = StopAfter::new(8);
    let e = stored(halved.path()).encode_all(&refs(&texts), None, &stop).unwrap_err();
    assert_eq!(e.kind(), Kind::Interrupted);
    assert!(matches!(Error::from(e), Error::Interrupted));
    assert_eq!(*stop.stages.lock().unwrap(), [("encode".to_string(), 14)]);
    assert_eq!(parts(halved.path()).len(), 2);

    let (resumed, reuse) = stored(halved.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
    assert_eq!(reuse, Reuse { encoded: 6, reused: 8 });
    let bits = |e: &Encoded| e.vectors.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&resumed), bits(&uninterrupted));
    assert_eq!(resumed, uninterrupted);
    let names = |root| parts(root).iter().map(|p| p.file_name().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(halved.path()), names(whole.path()));
}

/// An encoder that is not batch-invariant: each vector depends on the texts beside it.
struct Neighbours(Toy);

impl Encoder for Neighbours {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("encoder/1").field("name", b"neighbours").finish()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        let together = texts.concat();
        let beside: Vec<_> = texts.iter().map(|text| format!("{text} in {together}")).collect();
        self.0.encode(&refs(&beside), instruction)
    }
}

#[test]
fn going_on_gives_the_same_bits_even_when_neighbours_matter() {
    let (whole, halved) = (tempdir().unwrap(), tempdir().unwrap());
    let texts = texts(14);
    let open = |root| {
        CachedEncoder::new(Neighbours(Toy::default()), Store::open(root).unwrap(), "n").with_part_rows(4)
    };
    let uninterrupted = open(whole.path()).encode(&refs(&texts), None).unwrap();
    open(halved.path()).encode_all(&refs(&texts), None, &StopAfter::new(8)).unwrap_err();
    assert_eq!(open(halved.path()).encode(&refs(&texts), None).unwrap(), uninterrupted);
    assert_ne!(open(halved.path()).inner().encode(&refs(&texts), None).unwrap(), uninterrupted);
}

#[test]
fn a_stop_does_not_take_away_what_is_there_already() {
    let dir = tempdir().unwrap();
    stored(dir.path()).encode(&["a"], None).unwrap();
    let (_, reuse) = stored(dir.path()).encode_all(&["a"], None, &StopAfter::new(0)).unwrap();
    assert_eq!(reuse, Reuse { encoded: 0, reused: 1 });
}

#[test]
fn two_writers_at_once_agree() {
    let dir = tempdir().unwrap();
    let texts = texts(60);
    let expected = Toy::default().encode(&refs(&texts), None).unwrap();
    std::thread::scope(|scope| {
        for part_rows in [1, 3, 3, 8] {
            let (texts, expected, root) = (&texts, &expected, dir.path());
            scope.spawn(move || {
                let stored = stored(root).with_part_rows(part_rows);
                assert_eq!(&stored.encode(&refs(texts), None).unwrap(), expected);
            });
        }
    });
    let again = stored(dir.path());
    assert_eq!(again.encode(&refs(&texts), None).unwrap(), expected);
    assert_eq!(again.inner().encoded(), 0);
    assert!(Store::open(dir.path()).unwrap().verify(&Quiet).unwrap().iter().all(|c| c.problem.is_none()));
}

/// Answers each batch wrongly in one way.
#[derive(Debug)]
enum Wrong {
    Rows,
    Dim,
    Norms,
    Truncated,
    InfiniteNorm,
}

impl Encoder for Wrong {
    fn dim(&self) -> usize {
        2
    }
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("encoder/1").field("name", b"wrong").finish()
    }
    fn encode(&self, texts: &[&str], _: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        let n = texts.len();
        let right: Encoded = Embeddings::new(vec![1.0; n * 2], 2)?.into();
        Ok(match self {
            Self::Rows => Embeddings::new(vec![1.0; n * 2 + 2], 2)?.into(),
            Self::Dim => Embeddings::new(vec![1.0; n * 3], 3)?.into(),
            Self::Norms => Encoded { norms: vec![1.0], ..right },
            Self::Truncated => Encoded { truncated: vec![], ..right },
            Self::InfiniteNorm => Encoded { norms: vec![f32::INFINITY; n], ..right },
        })
    }
}

#[test]
fn a_wrong_answer_is_named_and_never_published() {
    for (wrong, says) in [
        (Wrong::Rows, "expected 2 vectors, found 3"),
        (Wrong::Dim, "expected 2 numbers in each vector, found 3"),
        (Wrong::Norms, "expected 2 norms, found 1"),
        (Wrong::Truncated, "expected 2 marks of truncation, found 0"),
        (Wrong::InfiniteNorm, "norms of encoder wrong, row 0: expected finite numbers"),
    ] {
        let dir = tempdir().unwrap();
        let stored = CachedEncoder::new(wrong, Store::open(dir.path()).unwrap(), "wrong");
        let e = stored.encode_all(&["a", "b"], None, &Quiet).unwrap_err();
        assert!(e.to_string().contains(says), "{:?}: {e}", stored.inner());
        assert!(parts(dir.path()).is_empty());
        assert!(files(dir.path()).iter().all(|f| !f.to_string_lossy().ends_with(".tmp")));
    }
}

#[test]
fn no_texts_are_refused() {
    let dir = tempdir().unwrap();
    let e = stored(dir.path()).encode(&[], None).unwrap_err();
    assert!(matches!(e, Error::Empty { .. }), "{e}");
}

/// The toy with another dimension under the same fingerprint.
struct Grown(Toy);

impl Encoder for Grown {
    fn dim(&self) -> usize {
        crate::toy::DIM + 1
    }
    fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint()
    }
    fn encode(&self, texts: &[&str], instruction: Option<&Instruction>) -> manyview_core::Result<Encoded> {
        self.0.encode(texts, instruction)
    }
}

#[test]
fn another_dimension_under_one_fingerprint_is_refused() {
    let dir = tempdir().unwrap();
    stored(dir.path()).encode(&["a"], None).unwrap();
    let grown = CachedEncoder::new(Grown(Toy::default()), Store::open(dir.path()).unwrap(), "grown");
    let e = grown.encode(&["a"], None).unwrap_err();
    assert!(e.to_string().contains("of length 6 as encoder grown makes them, found length 5"), "{e}");
    assert_eq!(parts(dir.path()).len(), 1);
}

#[test]
fn another_dimension_where_nothing_is_stored_is_described_anew() {
    let dir = tempdir().unwrap();
    let grown = CachedEncoder::new(Grown(Toy::default()), Store::open(dir.path()).unwrap(), "grown");
    assert!(grown.encode(&["a"], None).is_err(), "vectors shorter than it says");
    assert_eq!(Store::open(dir.path()).unwrap().spaces().unwrap()[0].dim, crate::toy::DIM + 1);
    stored(dir.path()).encode(&["a"], None).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().spaces().unwrap()[0].dim, crate::toy::DIM);
}
