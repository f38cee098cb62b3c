use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// One line of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, in milliseconds since 1970.
    pub time: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// The run begins; always the first line, and only that.
    Start {
        /// Its identity, 32 hex digits, the same for as long as the file exists.
        run: String,
        /// Its name.
        name: String,
        /// The experiment it belongs to.
        experiment: String,
        /// What it was set to.
        params: BTreeMap<String, String>,
        /// What else is known of it, such as the hashes of what it reads.
        tags: BTreeMap<String, String>,
    },
    /// The run goes on in another process.
    Resume,
    /// More of what it was set to.
    Params {
        /// By key.
        values: BTreeMap<String, String>,
    },
    /// More of what is known of it; a later value replaces an earlier one.
    Tags {
        /// By key.
        values: BTreeMap<String, String>,
    },
    /// A number measured.
    Metric {
        /// What was measured.
        key: String,
        /// The number; a NaN or an infinity is written as a string.
        #[serde(with = "number")]
        value: f64,
        /// At which step.
        step: u64,
    },
    /// A file was made.
    Artifact {
        /// The file, relative to the directory of the run when it is below it.
        path: String,
        /// What it is called on a server, parts separated by `/`.
        name: String,
    },
    /// The run ends.
    End {
        /// How.
        status: Status,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It did all it was asked.
    Finished,
    /// It stopped at an error.
    Failed,
    /// It was stopped.
    Killed,
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Self { time: now().as_millis().try_into().unwrap_or(u64::MAX), event }
    }
}

pub(crate) fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// JSON has no NaN and no infinity, so they go as strings.
mod number {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Finite(f64),
        Other(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { to.serialize_f64(*value) } else { to.serialize_str(&value.to_string()) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        match Written::deserialize(from)? {
            Written::Finite(value) => Ok(value),
            Written::Other(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(value: f64) -> f64 {
        let entry = Entry { time: 7, event: Event::Metric { key: "loss".into(), value, step: 3 } };
        let line = serde_json::to_string(&entry).unwrap();
        let back: Entry = serde_json::from_str(&line).unwrap();
        let Event::Metric { value, .. } = back.event else { panic!("{line}") };
        value
    }

    #[test]
    fn numbers_come_back_bit_for_bit_and_so_do_those_that_are_none() {
        for value in
            [0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, -0.0, 5e-324, f64::INFINITY, -f64::INFINITY]
        {
            assert_eq!(there_and_back(value).to_bits(), value.to_bits(), "{value}");
        }
        assert!(there_and_back(f64::NAN).is_nan());
    }

    #[test]
    fn a_line_reads_as_a_person_would_write_it() {
        let entry = Entry { time: 7, event: Event::End { status: Status::Killed } };
        assert_eq!(serde_json::to_string(&entry).unwrap(), r#"{"time":7,"event":"end","status":"killed"}"#);
    }
}
