use crate::cursor::Artifact;
use crate::item::Item;
use crate::log::Tail;
use crate::{Entry, Event, Result, Status};
use std::path::Path;

/// How many values one step holds before it is closed.
const MANY: usize = 1000;

/// A few lines of the record that go to the server together.
pub(crate) struct Step {
    pub(crate) lines: u64,
    pub(crate) work: Work,
}

/// What a step asks of the server.
pub(crate) enum Work {
    Log { items: Vec<Item>, not_finite: u64 },
    Artifact(Artifact),
    Status { status: &'static str, end: Option<u64> },
}

/// The record as steps, in order.
pub(crate) struct Steps {
    tail: Tail,
    held: Option<Entry>,
}

impl Steps {
    /// The steps of the record in `dir` after its first `lines` lines, and its start.
    ///
    /// A machine that went down may have lost the last lines; then `lines` becomes what is left.
    pub(crate) fn open(dir: &Path, lines: &mut u64) -> Result<(Self, Entry)> {
        let mut tail = Tail::open(dir)?;
        let start = tail.start()?;
        let held = (*lines == 0).then(|| start.clone());
        while tail.line() < *lines {
            if !tail.skip()? {
                *lines = tail.line();
            }
        }
        Ok((Self { tail, held }, start))
    }

    /// The next step; nothing when there is none yet.
    pub(crate) fn next(&mut self) -> Result<Option<Step>> {
        let (mut items, mut not_finite, mut lines) = (Vec::new(), 0, 0);
        while items.len() < MANY {
            let entry = match self.held.take() {
                Some(entry) => entry,
                None => match self.tail.next()? {
                    Some(entry) => entry,
                    None => break,
                },
            };
            match &entry.event {
                Event::Start { params, tags, .. } => {
                    items.extend(Item::params(params).chain(Item::tags(tags)))
                }
                Event::Params { values } => items.extend(Item::params(values)),
                Event::Tags { values } => items.extend(Item::tags(values)),
                Event::Metric { key, value, step } if value.is_finite() => {
                    let (key, timestamp) = (key.clone(), entry.time);
                    items.push(Item::Metric { key, value: *value, timestamp, step: *step });
                }
                Event::Metric { .. } => not_finite += 1,
                _ if lines > 0 => {
                    self.held = Some(entry);
                    break;
                }
                Event::Artifact { path, name } => {
                    return Ok(Some(alone(Work::Artifact(Artifact {
                        path: path.clone(),
                        name: name.clone(),
                    }))));
                }
                Event::Resume => return Ok(Some(alone(Work::Status { status: "RUNNING", end: None }))),
                Event::End { status } => {
                    return Ok(Some(alone(Work::Status { status: word(*status), end: Some(entry.time) })));
                }
            }
            lines += 1;
        }
        Ok((lines > 0).then_some(Step { lines, work: Work::Log { items, not_finite } }))
    }
}

fn alone(work: Work) -> Step {
    Step { lines: 1, work }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Finished => "FINISHED",
        Status::Failed => "FAILED",
        Status::Killed => "KILLED",
    }
}
