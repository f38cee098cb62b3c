//! Processes that are killed, and many at once.

use crate::toy::{Toy, files, refs, stored, texts};
use manyview_core::{Encoder, Progress, Quiet};
use manyview_store::{Reuse, Store, WriteBuffer};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

const MODE: &str = "MANYVIEW_STORE_TEST_MODE";
const ROOT: &str = "MANYVIEW_STORE_TEST_ROOT";
const ROWS: &str = "MANYVIEW_STORE_TEST_ROWS";

/// Says how many texts are on disk, as soon as they are.
#[derive(Default)]
struct Told(std::sync::atomic::AtomicU64);

impl Progress for Told {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, by: u64) {
        let done = self.0.fetch_add(by, std::sync::atomic::Ordering::Relaxed) + by;
        println!("stored {done}");
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// The process that the tests start, and kill: what it does with the texts `rows`.
fn child(mode: &str, root: &str, rows: &str) {
    let (from, to) = rows.split_once("..").unwrap();
    let texts = texts(to.parse().unwrap()).split_off(from.parse().unwrap());
    let done = match mode {
        "stored" => {
            stored(root.as_ref()).encode_all(&refs(&texts), None, &Told::default()).map(|(encoded, _)| {
                assert_eq!(encoded, Toy::default().encode(&refs(&texts), None).unwrap());
            })
        }
        "buffered" => one_by_one(root.as_ref(), &texts),
        "compacted" => Store::open(root).and_then(|store| store.compact(&Quiet)).map(drop),
        other => panic!("{other}"),
    };
    if let Err(e) = done {
        println!("refused {:?}: {e}", e.kind());
        std::process::exit(e.kind().exit_code().into());
    }
}

/// Encodes one text after the other, and says after every fifth how many are on the disk.
fn one_by_one(root: &Path, texts: &[String]) -> manyview_store::Result<()> {
    let limits = WriteBuffer { rows: 4, wait: Duration::from_secs(3600) };
    let encoder = stored(root).with_write_buffer(limits);
    for (text, number) in texts.iter().zip(1..) {
        encoder.encode_all(&[text], None, &Quiet)?;
        if number % 5 == 0 {
            encoder.flush()?;
            println!("stored {number}");
        }
    }
    Ok(())
}

/// Arguments and variables with which `command`, this program or one that runs it, does `mode` with `rows` texts in `root`.
pub(crate) fn child_of<'a>(
    command: &'a mut Command,
    mode: &str,
    root: &Path,
    rows: std::ops::Range<usize>,
) -> &'a mut Command {
    command.args([
        "crashes::c1_what_was_acknowledged_before_a_kill_is_there_after_it",
        "--exact",
        "--nocapture",
    ]);
    command
        .env(MODE, mode)
        .env(ROOT, root)
        .env(ROWS, format!("{}..{}", rows.start, rows.end))
        .stdout(Stdio::piped())
}

fn start(root: &Path, rows: std::ops::Range<usize>) -> Child {
    start_in("stored", root, rows)
}

/// Starts the process that does `mode`.
pub(crate) fn start_in(mode: &str, root: &Path, rows: std::ops::Range<usize>) -> Child {
    child_of(&mut Command::new(std::env::current_exe().unwrap()), mode, root, rows).spawn().unwrap()
}

/// A directory in memory where the system has one.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempdir()).unwrap()
}

pub(crate) fn rounds(usual: usize) -> usize {
    std::env::var("ROUNDS").map_or(usual, |n| n.parse().unwrap())
}

/// How many texts a process said were stored.
pub(crate) fn acknowledged(said: impl Read) -> usize {
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    let counts = lines.filter_map(|line| line.strip_prefix("stored ")?.parse().ok());
    counts.last().unwrap_or(0)
}

fn line(said: &mut impl BufRead) -> String {
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    line
}

/// The rows that are whole; none may be damaged.
pub(crate) fn whole_rows(root: &Path) -> usize {
    let checked = Store::open(root).unwrap().verify(&Quiet).unwrap();
    let problem = checked.iter().find_map(|c| c.problem.clone());
    assert_eq!(problem, None, "in {}", root.display());
    checked.iter().map(|c| c.rows).sum()
}

/// Numbers without a pattern, the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Kills at any time of a run, from its first word to after its last; every fifth time the store is filled and compared.
#[test]
fn c1_what_was_acknowledged_before_a_kill_is_there_after_it() {
    if let (Ok(mode), Ok(root), Ok(rows)) = (std::env::var(MODE), std::env::var(ROOT), std::env::var(ROWS)) {
        return child(&mode, &root, &rows); // started by `child_of`
    }
    const TEXTS: usize = 200;
    let texts = texts(TEXTS);
    let (mut dice, mut dir, rounds) = (Dice(1), scratch(), rounds(500));
    let (mut cut, mut acknowledged_rows) = (0, 0);
    for round in 0.. {
        if cut == rounds {
            break;
        }
        if round % 5 == 0 {
            dir = scratch();
        }
        let before = if round % 5 == 0 { 0 } else { whole_rows(dir.path()) };
        let mut child = start(dir.path(), 0..TEXTS);
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let words = dice.below((TEXTS - before) / 4 + 2);
        let heard: String = (0..words).map(|_| line(&mut said)).collect();
        std::thread::sleep(Duration::from_micros(dice.below(2000) as u64));
        child.kill().unwrap();
        cut += usize::from(!child.wait().unwrap().success());
        let stored_rows = acknowledged(heard.as_bytes().chain(said));
        let after = whole_rows(dir.path());
        assert!(after >= before + stored_rows, "round {round}: {before} and {stored_rows} were, {after} are");
        acknowledged_rows += stored_rows;
        if round % 5 == 4 {
            let (encoded, reuse) = stored(dir.path()).encode_all(&refs(&texts), None, &Quiet).unwrap();
            assert_eq!(reuse, Reuse { encoded: TEXTS - after, reused: after }, "round {round}");
            assert_eq!(encoded, Toy::default().encode(&refs(&texts), None).unwrap(), "round {round}");
        }
    }
    println!(
        "reliability: C1 tried={cut} kills of processes that store, after {acknowledged_rows} acknowledged vectors"
    );
}

#[test]
fn c7_sixteen_processes_with_texts_in_common_agree_though_one_is_killed() {
    let (rounds, mut longest) = (rounds(4), Duration::ZERO);
    for round in 0..rounds {
        let (dir, begin) = (scratch(), Instant::now());
        let mut children: Vec<Child> = (0..16).map(|i| start(dir.path(), i * 10..i * 10 + 100)).collect();
        let mut killed = children.remove(round * 5 % 16);
        std::thread::sleep(Duration::from_millis(3 * round as u64));
        killed.kill().unwrap();
        killed.wait().unwrap();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        longest = longest.max(begin.elapsed());
        let (texts, rows) = (texts(250), whole_rows(dir.path()));
        let again = stored(dir.path());
        assert_eq!(
            again.encode(&refs(&texts), None).unwrap(),
            Toy::default().encode(&refs(&texts), None).unwrap()
        );
        assert!(rows < 16 * 100 && again.inner().encoded() <= 100, "{rows}");
    }
    println!(
        "reliability: C7 tried={} processes at once in lots of 16, one of each killed, {longest:.1?} at most",
        16 * rounds
    );
}

/// What a killed process was writing is no obstacle to the next, and is removed once it is a day old.
#[test]
fn c1_what_a_killed_process_was_writing_goes_after_a_day() {
    let dir = scratch();
    let all = texts(40);
    stored(dir.path()).encode(&refs(&all[..20]), None).unwrap();
    let space = files(&dir.path().join("spaces"))[0].parent().unwrap().to_path_buf();
    for name in [dir.path().join(".x.7-0.tmp"), space.join(".x.7-1.tmp"), space.join(".x.7-2.tmp")] {
        std::fs::write(&name, "PAR1 half").unwrap();
        let file = std::fs::File::options().write(true).open(&name).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(2 * 86_400)).unwrap();
    }
    assert_eq!(whole_rows(dir.path()), 20);
    assert!(files(dir.path()).iter().all(|f| !f.to_string_lossy().ends_with(".tmp")));
}
