use super::{Experiment, limits, methods};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

const TRAIN: &str = "train";
const SCORES: &str = "scores";
const RETRIEVAL: &str = "retrieval";
const COMMAND_LINE: &str = "command line";

/// Keys of earlier versions, and what to write in their place.
const RENAMED: &[(&str, &str)] = &[
    (
        "pairs",
        "[retrieval]; its `shape`, `width` and `checkpoint_every` are keys of [train] now, `recovery` is `identity_penalty`",
    ),
    ("train.encoder", "train.method = \"lora\" or \"full\""),
    ("train.lora_rank", "train.rank"),
    ("scores.head", "train.method: `ridge`, or `gradient`, whose train.hidden makes it more than linear"),
    ("scores.hidden", "train.hidden"),
    ("scores.loss", "train.loss"),
    ("scores.huber_delta", "train.huber_delta"),
    ("scores.checkpoint_every", "train.checkpoint_every"),
];

/// Merged tables, and where each key was last set.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    values: Table,
    origins: BTreeMap<String, String>,
}

impl Layers {
    /// Merges a table over the current one. If it sets another `train.method`, it replaces the `[train]` table.
    ///
    /// # Errors
    /// Keys below one that has a value: merging them would hide the error.
    pub(super) fn add_table(&mut self, table: Table, origin: &str) -> Result<()> {
        let before = methods::chosen(self.task(&table), self.train());
        let named = table.get(TRAIN).and_then(|train| train.get("method")).and_then(Value::as_str);
        if named.is_some_and(|named| named != before) {
            self.take(TRAIN);
        }
        merge(&mut self.values, table, "", origin, &mut self.origins)
    }

    /// The keys set by `assignments`, each `key=value`. A value is TOML if it parses, otherwise a string.
    ///
    /// # Errors
    /// Text that is not an assignment.
    pub(super) fn overrides(assignments: &[String]) -> Result<Table> {
        let mut layers = Self::default();
        for assignment in assignments {
            let table = parse_override(assignment)?;
            merge(&mut layers.values, table, "", COMMAND_LINE, &mut layers.origins)?;
        }
        Ok(layers.values)
    }

    /// Merges `overrides`, except keys of `[train]` that the method does not use; returns those.
    ///
    /// # Errors
    /// As [`Layers::add_table`].
    pub(super) fn add_overrides(&mut self, overrides: &Table) -> Result<Vec<String>> {
        let mut overrides = overrides.clone();
        let mut unread = Vec::new();
        let task = self.task(&overrides);
        if let Some(Value::Table(train)) = overrides.get_mut(TRAIN) {
            let before = methods::chosen(task, self.train());
            let named = train.get("method").and_then(Value::as_str).unwrap_or(before).to_string();
            unread = train.keys().filter(|key| !methods::reads(task, &named, key)).cloned().collect();
            unread.iter().for_each(|key| drop(train.remove(key)));
        }
        self.add_table(overrides, COMMAND_LINE)?;
        Ok(unread)
    }

    fn train(&self) -> Option<&Table> {
        self.values.get(TRAIN).and_then(Value::as_table)
    }

    /// The task that the tables ask for, those of `over` included.
    fn task(&self, over: &Table) -> &'static str {
        let asked = |table: &&str| self.values.contains_key(*table) || over.contains_key(*table);
        [SCORES, RETRIEVAL].into_iter().find(asked).unwrap_or("views")
    }

    /// Removes and gives a top-level table.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.origins.retain(|k, _| k != key && !k.starts_with(&format!("{key}.")));
        self.values.remove(key)
    }

    /// The experiment these layers describe; keys not set have their defaults.
    pub(super) fn experiment(&self) -> Result<Experiment> {
        let refuse =
            |key: &str, problem: String| Error::Config { origin: self.origin(key), problem, key: key.into() };
        if let Some((key, now)) = RENAMED.iter().find(|(key, _)| self.has(key)) {
            return Err(refuse(key, format!("no key any more; write {now}")));
        }
        let read = serde_path_to_error::deserialize(Value::Table(self.values.clone()));
        let mut experiment: Experiment = read.map_err(|e| {
            let key = e.path().to_string();
            refuse(&key, explain(&e.into_inner().to_string()))
        })?;
        if let Some(other) = self.values.get(TRAIN).filter(|train| !train.is_table()) {
            let problem = format!("expected a table of keys, found {} `{other}`", other.type_str());
            return Err(refuse(TRAIN, problem));
        }
        let none = Table::new();
        let train = self.train().unwrap_or(&none);
        experiment.train = methods::read(train, self.task(&none), &|key| self.origin(key))?;
        match limits::broken(&experiment) {
            None => Ok(experiment),
            Some((key, problem)) => Err(refuse(key, problem)),
        }
    }

    /// Whether anything set this key, or one below it.
    fn has(&self, key: &str) -> bool {
        let mut parts = key.split('.');
        let first = parts.next().and_then(|first| self.values.get(first));
        parts.fold(first, |value, part| value?.get(part)).is_some()
    }

    fn origin(&self, key: &str) -> String {
        let below = format!("{key}.");
        let found = self.origins.iter().find(|(k, _)| *k == key || k.starts_with(&below));
        found.map_or_else(|| "configuration".into(), |(_, origin)| origin.clone())
    }
}

fn parse_override(assignment: &str) -> Result<Table> {
    let bad = |problem: &str| Error::Config {
        key: format!("`{assignment}`"),
        origin: COMMAND_LINE.into(),
        problem: problem.into(),
    };
    let (key, value) =
        assignment.split_once('=').ok_or_else(|| bad("expected key=value, such as data.seed=7"))?;
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let Some(leaf) = path.pop().filter(|leaf| !leaf.is_empty() && path.iter().all(|p| !p.is_empty())) else {
        return Err(bad("expected a key before `=`, such as data.seed=7"));
    };
    let value = value.trim();
    let parsed = format!("x = {value}")
        .parse::<Table>()
        .ok()
        .filter(|t| t.len() == 1)
        .and_then(|mut t| t.remove("x"))
        .unwrap_or_else(|| Value::String(value.into()));
    let leaf = Table::from_iter([(leaf.to_string(), parsed)]);
    Ok(path.iter().rev().fold(leaf, |t, k| Table::from_iter([(k.to_string(), Value::Table(t))])))
}

/// Reads one TOML file.
pub(super) fn read_table(path: &Path) -> Result<Table> {
    let (bytes, origin) = (std::fs::read(path).map_err(Error::io(path))?, path.display().to_string());
    let text = String::from_utf8(bytes).map_err(|e| Error::Config {
        key: "TOML".into(),
        origin: origin.clone(),
        problem: format!("expected UTF-8, found other bytes after {}", e.utf8_error().valid_up_to()),
    })?;
    parse_table(&text, &origin)
}

/// Parses TOML text; `origin` names it in errors.
pub(super) fn parse_table(text: &str, origin: &str) -> Result<Table> {
    text.parse().map_err(|e: toml::de::Error| Error::Config {
        key: "TOML".into(),
        origin: origin.into(),
        problem: e.to_string().trim_end().to_string(),
    })
}

fn merge(
    into: &mut Table,
    from: Table,
    at: &str,
    origin: &str,
    origins: &mut BTreeMap<String, String>,
) -> Result<()> {
    for (key, value) in from {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new, &path, origin, origins)?,
            (None, Value::Table(new)) => {
                let mut table = Table::new();
                merge(&mut table, new, &path, origin, origins)?;
                into.insert(key, Value::Table(table));
            }
            (Some(value), Value::Table(_)) => {
                let problem = format!("expected a table of keys, found {} `{value}`", value.type_str());
                let origin = origins.remove(&path).unwrap_or_else(|| origin.into());
                return Err(Error::Config { key: path, origin, problem });
            }
            (_, value) => {
                into.insert(key, value);
                origins.insert(path, origin.into());
            }
        }
    }
    Ok(())
}

/// Serde's words on a key, with the nearest known key for one that is unknown.
pub(super) fn explain(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default(); // the rest says again which key it is
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return in_words(message);
    };
    let mut names = rest.split('`').step_by(2);
    let unknown = names.next().unwrap_or_default();
    let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|k| (strsim::jaro_winkler(unknown, k), *k))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.7);
    match nearest {
        Some((_, name)) => format!("unknown key; did you mean `{name}`? known here: {}", known.join(", ")),
        None => format!("unknown key; known here: {}", known.join(", ")),
    }
}

/// What a value should be and what it is, without names of types.
fn in_words(message: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("u64", "a whole number from 0"),
        ("usize", "a whole number from 0"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
        ("path string", "a path in quotes"),
        ("a string", "text in quotes"),
    ];
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.into() };
    let kinds = ["invalid type: ", "invalid value: ", "unknown variant "];
    let found = kinds.iter().find_map(|kind| found.strip_prefix(kind)).unwrap_or(found);
    let word = WORDS.iter().find(|(name, _)| *name == expected).map_or(expected, |(_, word)| word);
    format!("expected {word}, found {found}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Train, ViewsRidge, ViewsTrain};

    fn layers(text: &str, overrides: &[&str]) -> Result<Experiment> {
        let mut layers = Layers::default();
        layers.add_table(parse_table(text, "a.toml")?, "a.toml")?;
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        layers.add_table(Layers::overrides(&overrides)?, COMMAND_LINE)?;
        layers.experiment()
    }

    #[test]
    fn an_unknown_key_names_the_key_the_file_and_the_nearest_key() {
        let e = layers("[data]\nlabl = 'x'", &[]).unwrap_err().to_string();
        assert!(e.contains("data.labl") && e.contains("a.toml") && e.contains("did you mean `label`"), "{e}");
    }

    #[test]
    fn an_unknown_override_names_the_command_line() {
        let e = layers("train.method = 'gradient'", &["train.lrr=1"]).unwrap_err().to_string();
        assert!(e.contains("train.lrr") && e.contains("command line") && e.contains("`lr`"), "{e}");
    }

    #[test]
    fn a_wrong_type_names_key_and_origin() {
        let e = layers("", &["data.seed=many"]).unwrap_err().to_string();
        assert_eq!(e, "data.seed (command line): expected a whole number from 0, found string \"many\"");
        let e = layers("", &["train.method=rigde"]).unwrap_err().to_string();
        assert!(e.contains("expected `ridge`, `gradient`, `lora` or `full` for views, found `rigde`"), "{e}");
    }

    #[test]
    fn a_key_like_no_other_gets_no_guess() {
        let e = layers("", &["nonsense.x=1"]).unwrap_err().to_string();
        assert!(!e.contains("did you mean") && e.ends_with("evaluate, output, tracking"), "{e}");
    }

    #[test]
    fn an_override_wins_and_numbers_are_numbers() {
        let base = "[train]\nmethod = 'gradient'\nlr = 0.5";
        let x = layers(base, &["train.lr=1e-3", "name=abc", "data.limit=12"]).unwrap();
        let Train::Views(ViewsTrain::Gradient(train)) = &x.train else { panic!("{:?}", x.train) };
        assert_eq!((train.optimizer.lr, x.name.as_str(), x.data.limit), (1e-3, "abc", Some(12)));
    }

    #[test]
    fn a_value_in_place_of_a_section_is_refused_though_an_override_is_laid_over_it() {
        let e = layers("data = 'clinc150'", &["data.seed=7"]).unwrap_err().to_string();
        assert_eq!(e, "data (a.toml): expected a table of keys, found string `\"clinc150\"`");
    }

    #[test]
    fn an_override_without_a_value_is_refused() {
        for bad in ["data.seed", "=3", "data.=3"] {
            assert!(layers("", &[bad]).unwrap_err().to_string().contains("data.seed=7"), "{bad}");
        }
    }
    #[test]
    fn a_key_that_the_method_does_not_read_names_the_method_that_does_and_where_it_was_set() {
        let e = layers("", &["train.lr=1e-3"]).unwrap_err().to_string();
        assert_eq!(
            e,
            "train.lr (command line): train.method = `ridge` does not read it; `gradient`, `lora` and `full` read it"
        );
        let e = layers("[scores]\n[train]\nepochs = 3", &[]).unwrap_err().to_string();
        assert!(
            e.starts_with("train.epochs (a.toml)") && e.contains("`gradient`, `lora` and `full` read it"),
            "{e}"
        );
        let e = layers("[retrieval]\n[train]\nlambdas = [1.0]", &[]).unwrap_err().to_string();
        assert!(e.contains("no method of retrieval reads it") && e.contains("`ridge` of views"), "{e}");
        let e = layers("[retrieval]\n[train]\nmethod = 'ridge'", &[]).unwrap_err().to_string();
        assert!(e.contains("expected `gradient`, `lora` or `full` for retrieval, found `ridge`"), "{e}");
        let e = layers("", &["train.method=gradient", "train.epochs=0"]).unwrap_err().to_string();
        assert_eq!(e, "train.epochs (command line): expected at least 1, found 0");
        let e = layers("[train]\nmethod = 'gradient'\nlr = 'much'", &[]).unwrap_err().to_string();
        assert_eq!(e, "train.lr (a.toml): expected a number, found string \"much\"");
        let e = layers("train = 3", &[]).unwrap_err().to_string();
        assert!(e.starts_with("train (a.toml): expected a table of keys"), "{e}");
    }

    #[test]
    fn a_layer_that_names_another_method_starts_its_table_anew() {
        let base = "[train]\ntowards = 'zero'\nlambdas = [1.0]";
        let x = layers(base, &["train.lr=0.5", "train.method=gradient"]).unwrap();
        let Train::Views(ViewsTrain::Gradient(train)) = &x.train else { panic!("{:?}", x.train) };
        assert_eq!(train.optimizer.lr, 0.5);
        let x = layers(base, &["train.method=ridge"]).unwrap();
        let Train::Views(ViewsTrain::Ridge(ViewsRidge { lambdas, .. })) = &x.train else {
            panic!("{:?}", x.train)
        };
        assert_eq!(*lambdas, Some(vec![1.0]), "the same method goes on with what is there");
    }

    #[test]
    fn a_key_of_an_earlier_version_is_refused_with_the_new_one() {
        for (old, new) in [
            ("[pairs]\nquery = 'q'", "[retrieval]"),
            ("train.encoder = 'lora'", "train.method"),
            ("[scores]\nhead = 'mlp'", "train.hidden"),
        ] {
            let e = layers(old, &[]).unwrap_err().to_string();
            assert!(e.contains("a.toml") && e.contains("no key any more") && e.contains(new), "{e}");
        }
    }
}
