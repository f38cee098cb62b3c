use crate::part::{Opened, Part};
use crate::{Error, Result, part};
use manyview_core::publish::write_whole;
use manyview_core::{Fingerprint, Instruction};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{fs, io};

const SCHEMA: u64 = 1;
const DESCRIPTION: &str = "space.json";

/// What is stored for one encoder and one instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// Names the space: 32 hex digits that stand for the encoder's fingerprint and the instruction.
    pub key: String,
    /// The name the encoder was first stored under.
    pub encoder: String,
    /// The encoder's fingerprint, 64 hex digits.
    pub encoder_fingerprint: String,
    /// The instruction the texts were encoded under.
    pub instruction: Option<Instruction>,
    /// Length of each vector.
    pub dim: usize,
    /// Number of stored vectors; a text that two processes encoded at once counts twice, a part that cannot be read
    /// not at all.
    pub rows: usize,
    /// Number of part files.
    pub parts: usize,
    /// Size of the part files together, in bytes.
    pub bytes: u64,
}

impl Space {
    pub(crate) fn read(dir: &Path, key: &str) -> Result<Option<Self>> {
        let Some(description) = Description::read(dir)? else { return Ok(None) };
        let (mut rows, mut bytes, parts) = (0, 0, parts(dir)?);
        for path in &parts {
            bytes += fs::metadata(path).map_or(0, |m| m.len());
            match part::count(path) {
                Ok(n) => rows += n,
                Err(problem) => tracing::warn!(part = %path.display(), problem, "a part cannot be read"),
            }
        }
        Ok(Some(Self {
            key: key.into(),
            encoder: description.encoder,
            encoder_fingerprint: description.encoder_fingerprint.as_str().into(),
            instruction: description.instruction,
            dim: description.dim,
            rows,
            parts: parts.len(),
            bytes,
        }))
    }
}

/// What `space.json` says of the parts beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    schema: u64,
    pub(crate) encoder: String,
    pub(crate) encoder_fingerprint: Fingerprint,
    pub(crate) instruction: Option<Instruction>,
    pub(crate) dim: usize,
    /// Over all that is above, for a bit that flips in it; the first release wrote none.
    #[serde(default)]
    check: Option<Fingerprint>,
}

impl Description {
    pub(crate) fn new(encoder: &str, fingerprint: Fingerprint, i: Option<&Instruction>, dim: usize) -> Self {
        let description = Self {
            schema: SCHEMA,
            encoder: encoder.into(),
            encoder_fingerprint: fingerprint,
            instruction: i.cloned(),
            dim,
            check: None,
        };
        Self { check: Some(description.checksum()), ..description }
    }

    fn checksum(&self) -> Fingerprint {
        Fingerprint::builder("description/1")
            .field("schema", &self.schema.to_le_bytes())
            .field("key", self.key().as_bytes())
            .field("encoder", self.encoder.as_bytes())
            .field("dim", &(self.dim as u64).to_le_bytes())
            .finish()
    }

    /// Where it stands in the space's directory.
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join(DESCRIPTION)
    }

    /// The key of the space, also the name of its directory.
    pub(crate) fn key(&self) -> String {
        let key =
            Fingerprint::builder("space/1").field("encoder", self.encoder_fingerprint.as_str().as_bytes());
        let key = match &self.instruction {
            Some(i) => key.field("template", i.template().as_bytes()).field("task", i.task().as_bytes()),
            None => key,
        };
        key.finish().as_str().chars().take(32).collect()
    }

    /// Reads it; a directory without one is no space yet.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = Self::path(dir);
        let bytes = match fs::read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(Error::io(&path))?,
        };
        let unreadable = |found| Error::Description {
            path: path.clone(),
            expected: "the description of the parts beside it",
            found,
            cure: "verify the store: that sets the file aside, and the next run writes it again",
        };
        let description: Self = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
        if description.schema > SCHEMA {
            return Err(Error::Schema { path, found: description.schema, supported: SCHEMA });
        }
        if dir.file_name().is_none_or(|name| name != description.key().as_str()) {
            return Err(unreadable("that of another space".into()));
        }
        let changed = match &description.check {
            Some(check) => *check != description.checksum(),
            None => length_of_parts(dir)?.is_some_and(|length| length != description.dim),
        };
        if changed {
            return Err(unreadable("one that was changed since it was written".into()));
        }
        Ok(Some(description))
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = Self::path(dir);
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|e| Error::io(&path)(e.into()))?;
        bytes.push(b'\n');
        Ok(write_whole(&path, &bytes)?)
    }
}

/// The length of the vectors in the first part that is whole: a part is named by its content, so it can be believed.
fn length_of_parts(dir: &Path) -> Result<Option<usize>> {
    for path in parts(dir)? {
        if let Opened::Whole(part) = Part::open(&path, None)? {
            return Ok(part.dim());
        }
    }
    Ok(None)
}

/// The parts in the directory of a space, in order of their names.
pub(crate) fn parts(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        if entry.file_name().to_str().is_some_and(part::is_name) {
            parts.push(entry.path());
        }
    }
    parts.sort();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(encoder: &str, instruction: Option<Instruction>) -> String {
        let fingerprint = Fingerprint::builder("encoder/1").field("name", encoder.as_bytes()).finish();
        Description::new("any", fingerprint, instruction.as_ref(), 3).key()
    }

    #[test]
    fn a_key_is_the_same_in_every_release() {
        assert_eq!(key("toy", None), "da803264b5bd2ef2caf85f279530ffbe");
        assert_eq!(
            key("toy", Some(Instruction::new("Identify the topic"))),
            "401f02eaee475632e6d18b549edcb316"
        );
    }

    #[test]
    fn each_part_of_an_instruction_changes_the_key() {
        let with = |task: &str, template: &str| Instruction::new(task).with_template(template).unwrap();
        let keys = [
            key("toy", None),
            key("other", None),
            key("toy", Some(with("topic", "{task}: {text}"))),
            key("toy", Some(with("topic", "{task}; {text}"))),
            key("toy", Some(with("tone", "{task}: {text}"))),
            key("toy", Some(with("", "topic{task}: {text}"))),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    /// An encoder's fingerprint, the template and the task: what goes from the end of one to the start of the next.
    #[test]
    #[allow(clippy::print_stdout)] // the figures of tests/README.md are printed
    fn c8_a_boundary_that_shifts_between_the_parts_of_a_key_changes_it() {
        let (mut keys, mut tried) = (std::collections::HashSet::new(), 0);
        for line in 0..2000 {
            let line = format!("{line:04}{{task}} and more");
            for cut in (0..line.len()).filter(|cut| !(4..10).contains(cut)) {
                let (template, task) = line.split_at(cut);
                let instruction =
                    Instruction::new(task).with_template(format!("{template}{{text}}")).unwrap();
                for encoder in ["a", "b"] {
                    assert!(keys.insert(key(encoder, Some(instruction.clone()))), "{line}, cut at {cut}");
                    tried += 1;
                }
            }
        }
        println!("reliability: C8 tried={tried} encoders, templates and tasks");
    }
}
