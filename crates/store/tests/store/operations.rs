//! The system calls of a process that stores, each made to fail, each the last before a kill, and what a power failure
//! between any two of them could leave. `strace` makes them fail and writes them down; where there is none these are ignored.
#![cfg(target_os = "linux")]

use crate::crashes::{acknowledged, child_of, scratch, whole_rows};
use crate::toy::{Toy, files, refs, stored, texts};
use manyview_core::{Encoder, Quiet};
use manyview_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TEXTS: usize = 10;

/// Does `mode` with ten texts in `root` under `strace`.
fn traced(mode: &str, root: &Path, options: &[&str]) -> Output {
    let log = root.with_extension("trace");
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(&log).args(["-s", "0"]).args(options);
    command.arg(std::env::current_exe().unwrap());
    let output = child_of(&mut command, mode, root, 0..TEXTS).stderr(std::process::Stdio::piped()).output();
    assert!(fs::metadata(&log).is_ok_and(|log| log.len() > 0), "nothing was traced: {output:?}");
    output.unwrap()
}

/// That the store in `root` is whole, has what was acknowledged, and can be filled.
fn assert_goes_on(mode: &str, root: &Path, output: &Output, what: &str) {
    let rows = whole_rows(root);
    assert!(rows >= acknowledged(&output.stdout[..]), "{what}: {rows} rows");
    let texts = texts(TEXTS);
    let (encoded, reuse) =
        stored(root).encode_all(&refs(&texts), None, &Quiet).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(encoded, Toy::default().encode(&refs(&texts), None).unwrap(), "{what}");
    assert!(mode != "compacted" || reuse.encoded == 0, "{what}: {} texts were lost", reuse.encoded);
    // Where the parts were put together and not yet removed, a text is there twice.
    assert!(whole_rows(root) == TEXTS || mode == "compacted", "{what}");
    Store::open(root).unwrap().compact(&Quiet).unwrap();
    assert_eq!(stored(root).encode_all(&refs(&texts), None, &Quiet).unwrap().1.encoded, 0, "{what}");
}

/// Does `fault` to the first, second, ... call of `name` in `mode` until there is no such call any more.
fn each_call(mode: &str, name: &str, fault: &str) -> usize {
    for k in 1.. {
        let dir = scratch();
        let root = dir.path().join("store");
        if mode == "compacted" {
            let texts = texts(TEXTS);
            texts.iter().for_each(|text| drop(stored(&root).encode(&[text], None).unwrap()));
        }
        let (once, on) = (format!("{k}"), format!("{k}+"));
        let when = if fault.ends_with("ENOSPC") { &on } else { &once }; // a full disk stays full
        let inject = format!("inject={name}:{fault}:when={when}");
        let output = traced(mode, &root, &["-e", &format!("trace={name}"), "-e", &inject]);
        let what = format!("{mode}, {name} {k}, {fault}");
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!errors.contains("panicked") || !said.contains("refused"), "{what}: {errors}");
        if let Some(refused) = said.lines().find(|line| line.contains("refused ")) {
            assert!(["Io", "DiskFull"].iter().any(|kind| refused.contains(kind)), "{what}: {refused}");
            let left = files(&root).into_iter().filter(|f| f.to_string_lossy().ends_with(".tmp"));
            assert!(name.contains("unlink") || left.count() == 0, "{what}: a temporary file stays");
        }
        assert_goes_on(mode, &root, &output, &what);
        if !fs::read_to_string(root.with_extension("trace")).unwrap().contains("(INJECTED)")
            && output.status.success()
        {
            return k - 1;
        }
    }
    unreachable!()
}

#[test]
#[cfg_attr(not(strace), ignore = "strace is not installed")]
fn c2_any_call_of_the_system_may_fail_once_or_for_good() {
    let calls = ["openat", "write", "fsync", "rename", "mkdir"];
    let mut tried = 0;
    for (name, fault) in
        calls.iter().flat_map(|name| ["error=EIO", "error=ENOSPC"].map(|fault| (name, fault)))
    {
        tried += each_call("stored", name, fault) + each_call("buffered", name, fault);
    }
    println!("reliability: C2 tried={tried} calls of the system that failed");
}

#[test]
#[cfg_attr(not(strace), ignore = "strace is not installed")]
fn c2_a_kill_at_any_call_of_the_system_loses_nothing() {
    let mut tried = 0;
    for name in ["openat", "write", "fsync", "rename", "mkdir"] {
        tried += each_call("stored", name, "signal=KILL") + each_call("buffered", name, "signal=KILL");
    }
    println!("reliability: C2 tried={tried} kills at a call of the system");
}

/// Small parts are put together: a call of the system fails, or is the last before a kill.
#[test]
#[cfg_attr(not(strace), ignore = "strace is not installed")]
fn c2_no_vector_is_lost_while_small_parts_are_put_together() {
    let mut tried = 0;
    for name in ["openat", "write", "fsync", "rename", "unlink"] {
        for fault in ["error=EIO", "error=ENOSPC", "signal=KILL"] {
            tried += each_call("compacted", name, fault);
        }
    }
    println!("reliability: C2 tried={tried} faults while small parts are put together");
}

/// What a process did to the disk, in order.
#[derive(Clone, Debug, PartialEq)]
enum Done {
    Made(PathBuf),
    MadeDir(PathBuf),
    Synced(PathBuf),
    Renamed(PathBuf, PathBuf),
    /// It said that so many texts are stored.
    Told(usize),
}

/// Reads what `strace -y` wrote down, as far as it is about the directory of `root` or standard output.
fn journal(log: &str, root: &Path) -> Vec<Done> {
    let home = root.parent().unwrap();
    let below = |path: &str| Some(PathBuf::from(path)).filter(|path| path.starts_with(home));
    let line = |line: &str| {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        if call.contains(" = -1 ") {
            return None;
        }
        let quoted: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
        let angled = call.split('<').nth(1).and_then(|rest| rest.split('>').next());
        match call.split('(').next()? {
            "openat" if call.contains("O_CREAT") => below(quoted.first()?).map(Done::Made),
            "mkdir" => below(quoted.first()?).map(Done::MadeDir),
            "fsync" => below(angled?).map(Done::Synced),
            "rename" => Some(Done::Renamed(below(quoted.first()?)?, below(quoted.get(1)?)?)),
            "write" if call.starts_with("write(1<") => {
                let told = quoted.first()?.strip_prefix("stored ")?.trim_end_matches("\\n");
                told.parse().ok().map(Done::Told)
            }
            _ => None,
        }
    };
    log.lines().filter_map(line).collect()
}

/// What is left of a file whose content did not reach the disk.
type Remains = fn(&[u8]) -> Vec<u8>;

const REMAINS: [Remains; 3] =
    [|_| Vec::new(), |whole| whole[..whole.len() / 2].to_vec(), |whole| vec![0; whole.len()]];

/// What the disk may hold after a power failure that follows `done`: files that were not synced hold what `remains` makes
/// of them; names that were given since their directory was synced are there only if `named`.
fn image(
    done: &[Done],
    content: &BTreeMap<PathBuf, Vec<u8>>,
    named: bool,
    remains: Remains,
) -> BTreeMap<PathBuf, Vec<u8>> {
    let last_name = |path: &PathBuf| {
        let renamed = done.iter().find_map(|d| match d {
            Done::Renamed(from, to) if from == path => Some(to.clone()),
            _ => None,
        });
        renamed.unwrap_or_else(|| path.clone())
    };
    let synced_since = |at: usize, what: &Path| done[at..].contains(&Done::Synced(what.into()));
    let (mut there, mut dirs) = (BTreeMap::new(), BTreeSet::new());
    for (at, step) in done.iter().enumerate() {
        let lasts = |path: &Path| named || path.parent().is_some_and(|dir| synced_since(at, dir));
        match step {
            Done::MadeDir(path) if lasts(path) => drop(dirs.insert(path.clone())),
            Done::Made(path) if lasts(path) => {
                let whole = content.get(&last_name(path)).cloned().unwrap_or_default();
                let lost = !synced_since(at, path);
                there.insert(path.clone(), if lost { remains(&whole) } else { whole });
            }
            Done::Renamed(from, to) if lasts(to) => {
                // Its directory was synced after it got its last name, so its first name need not have lasted.
                let whole = content.get(to).cloned().unwrap_or_default();
                let lost = !done[..at].contains(&Done::Synced(from.clone()));
                there.remove(from);
                there.insert(to.clone(), if lost { remains(&whole) } else { whole });
            }
            _ => {}
        }
    }
    there.retain(|path, _| path.ancestors().skip(1).all(|dir| dirs.contains(dir) || !made(done, dir)));
    there
}

fn made(done: &[Done], dir: &Path) -> bool {
    done.contains(&Done::MadeDir(dir.into()))
}

/// Every image after every step: how many, and after how many something that was acknowledged is lost.
fn power_failures(done: &[Done], content: &BTreeMap<PathBuf, Vec<u8>>, root: &Path) -> (usize, usize) {
    let (mut tried, mut lost) = (0, 0);
    let texts = texts(TEXTS);
    for end in 0..=done.len() {
        let told = done[..end].iter().rev().find_map(|d| if let Done::Told(n) = d { Some(*n) } else { None });
        for (named, remains) in [true, false].into_iter().flat_map(|named| REMAINS.map(|r| (named, r))) {
            let dir = scratch();
            let place = dir.path().join("store");
            for (path, bytes) in image(&done[..end], content, named, remains) {
                let path = place.join(path.strip_prefix(root).unwrap());
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            let store = Store::open(&place);
            let rows = store.as_ref().map_or(0, |store| {
                store.verify(&Quiet).map_or(0, |checked| checked.iter().map(|c| c.rows).sum::<usize>())
            });
            let filled = store.is_ok().then(|| stored(&place).encode(&refs(&texts), None).ok()).flatten();
            let right =
                filled.is_some_and(|found| found == Toy::default().encode(&refs(&texts), None).unwrap());
            lost += usize::from(rows < told.unwrap_or(0) || !right);
            tried += 1;
        }
    }
    (tried, lost)
}

#[test]
#[cfg_attr(not(strace), ignore = "strace is not installed")]
fn c3_a_power_failure_leaves_what_was_acknowledged() {
    let dir = scratch();
    let root = dir.path().join("store");
    let output = traced("stored", &root, &["-y", "-s", "64", "-e", "trace=openat,mkdir,fsync,rename,write"]);
    assert!(output.status.success());
    let log = fs::read_to_string(root.with_extension("trace")).unwrap();
    let done = journal(&log, &root);
    assert_eq!(done.iter().filter(|d| matches!(d, Done::Renamed(..))).count(), 5, "{done:?}");
    assert_eq!(done.iter().filter(|d| matches!(d, Done::Told(_))).count(), 3, "{done:?}");
    let content: BTreeMap<_, _> =
        files(&root).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let (tried, lost) = power_failures(&done, &content, &root);
    assert_eq!(lost, 0, "of {tried}");

    // The control: had nothing been synced, or no directory, something would be lost.
    let unsynced: Vec<Done> = done.iter().filter(|d| !matches!(d, Done::Synced(_))).cloned().collect();
    let files_alone: Vec<Done> =
        done.iter().filter(|d| !matches!(d, Done::Synced(path) if path.is_dir())).cloned().collect();
    for (what, done) in [("nothing", unsynced), ("no directory", files_alone)] {
        assert!(power_failures(&done, &content, &root).1 > 0, "with {what} synced nothing is lost");
    }
    println!("reliability: C3 tried={tried} disks as a power failure may leave them");
}
