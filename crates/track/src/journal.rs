use crate::log::{FILE, Tail};
use crate::{Entry, Error, Result};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Appends whole lines to the record.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Opens the record in `dir` at the end of its last whole line, and gives what it holds so far.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Vec<Entry>)> {
        let path = dir.join(FILE);
        let (mut entries, mut length) = (Vec::new(), 0);
        match Tail::open(dir) {
            Ok(mut tail) => {
                while let Some(entry) = tail.next()? {
                    entries.push(entry);
                }
                length = tail.offset();
            }
            Err(Error::NoRun { .. }) => (),
            Err(e) => return Err(e),
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        let journal = Self { path, file, length };
        journal.file.set_len(length).map_err(Error::io(&journal.path))?;
        Ok((journal, entries))
    }

    /// Appends `entries` as lines, all or none. They outlive the process from here on, though not yet the machine.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<()> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry).map_err(|e| Error::io(&self.path)(e.into()))?;
            lines.push(b'\n');
        }
        if let Err(e) = self.file.write_all(&lines) {
            // Half a line would spoil the next one. Where even this fails, the next opening cuts it off.
            self.file.set_len(self.length).ok();
            return Err(Error::io(&self.path)(e));
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Waits until the lines outlive the machine.
    pub(crate) fn settle(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Status, read};

    fn start() -> Entry {
        let (params, tags) = Default::default();
        Event::Start { run: "r".into(), name: "n".into(), experiment: "e".into(), params, tags }.into()
    }

    fn metric(step: u64) -> Entry {
        Event::Metric { key: "loss".into(), value: 0.5, step }.into()
    }

    #[test]
    fn a_torn_last_line_is_passed_over_when_read_and_cut_off_when_written() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, before) = Journal::open(dir.path()).unwrap();
        assert!(before.is_empty());
        journal.append(&[start(), metric(0)]).unwrap();
        drop(journal);
        let path = dir.path().join(FILE);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"time":1,"event":"met"#).unwrap();

        let log = read(dir.path()).unwrap();
        assert!(log.torn);
        assert_eq!(log.metric("loss"), [(0, 0.5)]);

        let (mut journal, before) = Journal::open(dir.path()).unwrap();
        assert_eq!(before.len(), 2);
        journal.append(&[metric(1)]).unwrap();
        let log = read(dir.path()).unwrap();
        assert!(!log.torn);
        assert_eq!(log.metric("loss"), [(0, 0.5), (1, 0.5)]);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(&[start()]).unwrap();
        journal.file.write_all(b"{\"time\":\n").unwrap();
        journal.append(&[metric(0)]).unwrap();
        let e = read(dir.path()).unwrap_err();
        assert!(matches!(e, Error::Line { line: 2, .. }), "{e}");
        assert!(Journal::open(dir.path()).is_err());
    }

    #[test]
    fn a_reader_follows_a_growing_file_across_half_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(&[start()]).unwrap();
        let mut tail = Tail::open(dir.path()).unwrap();
        tail.start().unwrap();
        assert_eq!(tail.next().unwrap(), None);
        let entry = metric(4);
        let line = serde_json::to_string(&entry).unwrap();
        let (head, rest) = line.split_at(9);
        journal.file.write_all(head.as_bytes()).unwrap();
        assert_eq!(tail.next().unwrap(), None);
        journal.file.write_all(rest.as_bytes()).unwrap();
        journal.file.write_all(b"\n").unwrap();
        assert_eq!(tail.next().unwrap(), Some(entry));
    }

    #[test]
    fn a_run_that_went_on_has_not_ended() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal.append(&[start(), Event::End { status: Status::Failed }.into()]).unwrap();
        assert_eq!(read(dir.path()).unwrap().status(), Some(Status::Failed));
        journal.append(&[Event::Resume.into()]).unwrap();
        assert_eq!(read(dir.path()).unwrap().status(), None);
    }
}
