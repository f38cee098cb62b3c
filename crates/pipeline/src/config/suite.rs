use super::{Experiment, layers};
use crate::{Error, Result};
use layers::Layers;
use std::path::Path;
use toml::{Table, Value};

/// One experiment, or several that differ in a few keys and share a corpus, an encoder and a report.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The shared settings; the whole experiment if there are no variants.
    pub base: Experiment,
    /// The variants in the order of the file; empty for a lone experiment.
    pub variants: Vec<Variant>,
    /// Where it was read from.
    pub origin: String,
    /// The overrides, as given.
    pub overrides: Vec<String>,
}

/// One variant of a [`Suite`].
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name in `[variants.NAME]`.
    pub name: String,
    /// The base with the variant's keys.
    pub experiment: Experiment,
}

impl Suite {
    /// Reads an experiment file, and applies `key=value` overrides to it and to each of its variants.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value of the wrong type: the error names the key, where it was
    /// set, and the nearest known key.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self> {
        Self::of(layers::read_table(path)?, &path.display().to_string(), overrides)
    }

    /// The same from text; `origin` names it in errors.
    ///
    /// # Errors
    /// As [`Suite::load`].
    pub fn parse(text: &str, origin: &str, overrides: &[String]) -> Result<Self> {
        Self::of(layers::parse_table(text, origin)?, origin, overrides)
    }

    fn of(table: Table, origin: &str, overrides: &[String]) -> Result<Self> {
        let mut base = Layers::default();
        base.add_table(table, origin)?;
        let variants = match base.take("variants") {
            None => Table::new(),
            Some(Value::Table(variants)) => variants,
            Some(_) => return Err(not_a_table("variants", origin)),
        };
        let set = Layers::overrides(overrides)?;
        // An override reaches every variant whose method reads it; one that none reads is refused.
        let (mut unread, mut last) = (None::<Vec<String>>, None::<Layers>);
        let mut with_overrides = |mut layers: Layers, runs: bool| -> Result<Experiment> {
            let idle = layers.add_overrides(&set)?;
            let experiment = layers.experiment()?;
            if runs {
                let everywhere =
                    |seen: Vec<String>| seen.into_iter().filter(|key| idle.contains(key)).collect();
                unread = Some(unread.take().map_or(idle.clone(), everywhere));
                if unread.as_ref().is_some_and(|unread| !unread.is_empty()) {
                    last = Some(layers);
                }
            }
            Ok(experiment)
        };
        let variants = variants.into_iter().map(|(name, keys)| {
            let Value::Table(keys) = keys else {
                return Err(not_a_table(&format!("variants.{name}"), origin));
            };
            check_name(&format!("variants.{name}"), &name, origin)?;
            let mut layers = base.clone();
            layers.add_table(keys, &format!("{origin}, variants.{name}"))?;
            Ok(Variant { experiment: with_overrides(layers, true)?, name })
        });
        let variants = variants.collect::<Result<Vec<_>>>()?;
        let base = with_overrides(base, variants.is_empty())?;
        if let Some(mut layers) = last.filter(|_| unread.is_some_and(|unread| !unread.is_empty())) {
            layers.add_table(set, "command line")?;
            layers.experiment()?; // which says what is wrong with the key
        }
        check_name("name", &base.name, origin)?;
        Ok(Self { base, variants, origin: origin.into(), overrides: overrides.to_vec() })
    }

    /// The experiments to run, with the directory of each below the run directory (none for a lone experiment).
    pub fn members(&self) -> Vec<(Option<&str>, &Experiment)> {
        match self.variants.is_empty() {
            true => vec![(None, &self.base)],
            false => self.variants.iter().map(|v| (Some(v.name.as_str()), &v.experiment)).collect(),
        }
    }
}

fn not_a_table(key: &str, origin: &str) -> Error {
    let problem = "expected a table of keys, such as [variants.topic]".into();
    Error::Config { key: key.into(), origin: origin.into(), problem }
}

/// A name becomes a directory: no separators, no dots at the front.
fn check_name(key: &str, name: &str, origin: &str) -> Result<()> {
    let fine = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if fine && !name.is_empty() && !name.starts_with('.') {
        return Ok(());
    }
    Err(Error::Config {
        key: key.into(),
        origin: origin.into(),
        problem: format!(
            "expected letters, digits, `-`, `_` and `.`, found {name:?}; it becomes a directory"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "name = 'two'\n[data]\nlabel = 'a'\n[variants.x]\n[variants.y]\ndata.label = 'b'";

    #[test]
    fn variants_keep_their_order_and_differ_in_their_keys() {
        let suite = Suite::parse(TWO, "two.toml", &[]).unwrap();
        let members: Vec<_> =
            suite.members().into_iter().map(|(n, e)| (n.unwrap(), &*e.data.label)).collect();
        assert_eq!(members, [("x", "a"), ("y", "b")]);
    }

    #[test]
    fn an_override_reaches_every_variant() {
        let suite = Suite::parse(TWO, "two.toml", &["data.seed=9".into()]).unwrap();
        assert!(suite.variants.iter().all(|v| v.experiment.data.seed == 9));
    }

    #[test]
    fn a_wrong_key_in_a_variant_names_the_variant() {
        let e = Suite::parse("[variants.x]\ndata.lable = 'b'", "two.toml", &[]).unwrap_err().to_string();
        assert!(e.contains("variants.x") && e.contains("did you mean `label`"), "{e}");
    }

    #[test]
    fn a_name_that_leaves_its_directory_is_refused() {
        for bad in ["../x", "a/b", "", ".x"] {
            assert!(Suite::parse(&format!("name = {bad:?}"), "f", &[]).is_err(), "{bad}");
        }
    }
    #[test]
    fn an_override_is_read_by_the_task_that_the_overrides_ask_for() {
        let overrides = ["scores.id=id", "train.method=gradient", "train.hidden=[16]"].map(String::from);
        let saved = crate::run::resolved(&Suite::parse("", "empty", &overrides).unwrap()).unwrap();
        assert!(saved.contains("hidden = [16]"), "{saved}");
    }

    #[test]
    fn an_override_reaches_the_variants_whose_method_reads_it_and_is_refused_where_none_does() {
        let text = "[variants.x]\n[variants.y]\ntrain = { method = 'gradient', epochs = 3 }";
        let suite = Suite::parse(text, "two.toml", &["train.lr=0.5".into()]).unwrap();
        let saved = crate::run::resolved(&suite).unwrap();
        assert_eq!(saved.matches("lr = 0.5").count(), 1, "{saved}");
        let again = Suite::parse(&saved, "saved", &[]).unwrap();
        assert_eq!(again.variants[1].experiment, suite.variants[1].experiment);
        let e = Suite::parse("[variants.x]", "two.toml", &["train.lr=0.5".into()]).unwrap_err().to_string();
        assert!(
            e.contains("train.lr (command line)") && e.contains("`gradient`, `lora` and `full` read it"),
            "{e}"
        );
    }
}
