use super::{Experiment, limits};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// Tables laid over each other, and where each key was last set.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    values: Table,
    origins: BTreeMap<String, String>,
}

impl Layers {
    /// Lays a whole table over what is there.
    ///
    /// # Errors
    /// Keys below one that holds a value: laid over it, they would hide that it is wrong.
    pub(super) fn add_table(&mut self, table: Table, origin: &str) -> Result<()> {
        merge(&mut self.values, table, "", origin, &mut self.origins)
    }

    /// Lays one `key=value` over what is there. The value is TOML where it parses as such, a string otherwise.
    pub(super) fn add_override(&mut self, assignment: &str) -> Result<()> {
        const ORIGIN: &str = "command line";
        let bad = |problem: &str| Error::Config {
            key: format!("`{assignment}`"),
            origin: ORIGIN.into(),
            problem: problem.into(),
        };
        let (key, value) =
            assignment.split_once('=').ok_or_else(|| bad("expected key=value, such as data.seed=7"))?;
        let mut path: Vec<&str> = key.trim().split('.').collect();
        let Some(leaf) = path.pop().filter(|leaf| !leaf.is_empty() && path.iter().all(|p| !p.is_empty()))
        else {
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
        let table = path.iter().rev().fold(leaf, |t, k| Table::from_iter([(k.to_string(), Value::Table(t))]));
        self.add_table(table, ORIGIN)
    }

    /// Whether anything set this key.
    pub(super) fn sets(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }

    /// Removes and gives a top-level table.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.origins.retain(|k, _| k != key && !k.starts_with(&format!("{key}.")));
        self.values.remove(key)
    }

    /// The experiment these layers describe; keys not set have their defaults.
    pub(super) fn experiment(&self) -> Result<Experiment> {
        let read = serde_path_to_error::deserialize(Value::Table(self.values.clone()));
        let experiment = read.map_err(|e| {
            let key = e.path().to_string();
            Error::Config { origin: self.origin(&key), problem: explain(&e.into_inner().to_string()), key }
        })?;
        match limits::broken(&experiment) {
            None => Ok(experiment),
            Some((key, problem)) => Err(Error::Config { key: key.into(), origin: self.origin(key), problem }),
        }
    }

    fn origin(&self, key: &str) -> String {
        let below = format!("{key}.");
        let found = self.origins.iter().find(|(k, _)| *k == key || k.starts_with(&below));
        found.map_or_else(|| "configuration".into(), |(_, origin)| origin.clone())
    }
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
fn explain(message: &str) -> String {
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

    fn layers(text: &str, overrides: &[&str]) -> Result<Experiment> {
        let mut layers = Layers::default();
        layers.add_table(parse_table(text, "a.toml")?, "a.toml")?;
        overrides.iter().try_for_each(|o| layers.add_override(o))?;
        layers.experiment()
    }

    #[test]
    fn an_unknown_key_names_the_key_the_file_and_the_nearest_key() {
        let e = layers("[data]\nlabl = 'x'", &[]).unwrap_err().to_string();
        assert!(e.contains("data.labl") && e.contains("a.toml") && e.contains("did you mean `label`"), "{e}");
    }

    #[test]
    fn an_unknown_override_names_the_command_line() {
        let e = layers("", &["train.lrr=1"]).unwrap_err().to_string();
        assert!(e.contains("train.lrr") && e.contains("command line") && e.contains("`lr`"), "{e}");
    }

    #[test]
    fn a_wrong_type_names_key_and_origin() {
        let e = layers("", &["data.seed=many"]).unwrap_err().to_string();
        assert_eq!(e, "data.seed (command line): expected a whole number from 0, found string \"many\"");
        let e = layers("", &["train.method=rigde"]).unwrap_err().to_string();
        assert!(e.contains("expected `ridge` or `gradient`, found `rigde`"), "{e}");
    }

    #[test]
    fn a_key_like_no_other_gets_no_guess() {
        let e = layers("", &["nonsense.x=1"]).unwrap_err().to_string();
        assert!(!e.contains("did you mean") && e.ends_with("evaluate, output, tracking"), "{e}");
    }

    #[test]
    fn an_override_wins_and_numbers_are_numbers() {
        let x = layers("[train]\nlr = 0.5", &["train.lr=1e-3", "name=abc", "data.limit=12"]).unwrap();
        assert_eq!((x.train.lr, x.name.as_str(), x.data.limit), (1e-3, "abc", Some(12)));
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
}
