//! The files that a path stands for: itself, those of a directory, or those that a pattern matches; and what the name
//! of each says it is for.

use crate::error::list;
use crate::kind::{Form, check_path};
use crate::{Error, Result};
use glob::MatchOptions;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of rows that `path` stands for, sorted: a file, those within a directory, at most three levels down, or
/// those that match a pattern as in a shell: `*`, `?`, `[…]`, and `**` for directories.
///
/// # Errors
/// A path that is not there, or is written for another system; a directory without such files, or with files of several
/// formats.
pub fn data_files(path: &Path) -> Result<Vec<PathBuf>> {
    check_path(path)?;
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let mut found = Vec::new();
    if path.is_dir() {
        walk(path, 0, &mut found)?;
        found.retain(|file| Form::of_name(file).is_some());
        // Beside rows, .json files mostly describe them.
        if found.iter().any(|file| Form::of_name(file) != Some(Form::Array)) {
            found.retain(|file| Form::of_name(file) != Some(Form::Array));
        }
    } else if is_pattern(path) {
        found = matching(path)?;
    } else {
        return Err(Error::file(
            path,
            "no such file or directory; check the path, which starts from the current one",
        ));
    }
    found.sort();
    if found.is_empty() {
        let problem =
            "expected files of rows, found none; such names end in .parquet, .csv, .jsonl and the like";
        return Err(Error::file(path, problem));
    }
    let ends: BTreeSet<&str> = found
        .iter()
        .filter_map(|file| file.extension()?.to_str())
        .filter(|end| !["gz", "zst"].contains(end))
        .collect();
    let forms: Vec<_> = found.iter().filter_map(|file| Form::of_name(file)).collect();
    if forms.windows(2).any(|pair| pair[0] != pair[1]) {
        let ends: Vec<&str> = ends.into_iter().collect();
        let problem = format!(
            "files of several formats, {}, perhaps of the same rows; name those of one, such as {}/*.{}",
            list(&ends),
            path.display(),
            ends.first().unwrap_or(&"csv")
        );
        return Err(Error::file(path, problem));
    }
    Ok(found)
}

fn walk(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    const DEEPEST: usize = 3;
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // What `datasets` keeps of earlier computations, and what is hidden.
        if name.starts_with('.') || name.starts_with("cache-") {
            continue;
        }
        if path.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, found)?;
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']))
}

fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let as_a_shell = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let wrong = |problem: &str| Error::file(pattern, format!("not a pattern of paths: {problem}"));
    let text = pattern.to_str().ok_or_else(|| wrong("not UTF-8"))?;
    let paths = glob::glob_with(text, as_a_shell).map_err(|e| wrong(e.msg))?;
    Ok(paths.filter_map(std::result::Result::ok).filter(|path| path.is_file()).collect())
}

/// The part of a data set that each file holds, as its name says: `train`, `val` or `test`. None unless every name says
/// one, and training and test are among them.
pub(crate) fn parts(paths: &[PathBuf]) -> Option<Vec<&'static str>> {
    let parts: Vec<&str> = paths.iter().map(|path| part(path)).collect::<Option<_>>()?;
    (parts.contains(&"train") && parts.contains(&"test")).then_some(parts)
}

fn part(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let of = |words: &str| {
        let found: BTreeSet<&str> = words.split(|c: char| !c.is_alphanumeric()).filter_map(word).collect();
        Some(found).filter(|found| found.len() == 1)?.first().copied()
    };
    let folder = path.parent().and_then(|folder| folder.file_name()?.to_str()).unwrap_or_default();
    // The stem of a name such as `train-00000-of-00001.parquet`, or the folder of one that says nothing.
    of(&name).or_else(|| word(&folder.to_lowercase()))
}

fn word(word: &str) -> Option<&'static str> {
    Some(match word {
        "train" | "training" => "train",
        "val" | "valid" | "validation" | "dev" => "val",
        "test" | "testing" => "test",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_that_the_names_say() {
        let of = |names: &[&str]| parts(&names.iter().map(PathBuf::from).collect::<Vec<_>>());
        let expected = Some(vec!["test", "train", "val"]);
        assert_eq!(
            of(&["data/test-00000-of-00001.parquet", "data/train-0.parquet", "data/validation.parquet"]),
            expected
        );
        assert_eq!(of(&["test/0000.parquet", "train/0000.parquet", "val/0000.parquet"]), expected);
        assert_eq!(of(&["x_TEST.csv.gz", "x_train.csv.gz", "x.dev.csv.gz"]), expected);
        for names in [
            &["a.csv", "b.csv"][..],
            &["train.csv", "more.csv"],
            &["train.csv", "validation.csv"],
            &["train_test.csv", "x"],
        ] {
            assert_eq!(of(names), None, "{names:?}");
        }
    }
}
