//! Checks of training checkpoints: each is a directory with a manifest that has the BLAKE3 of its files.
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
/// What a damaged one is called, as training calls it.
const ASIDE: &str = "damaged";
/// How deep below the directory of a member they are.
const DEPTH: usize = 3;

#[derive(Deserialize)]
struct Manifest {
    files: BTreeMap<String, String>,
}

/// The number of complete checkpoints below `dir`. Damaged ones are renamed.
///
/// # Errors
/// [`Error::File`] that names one that was damaged, and what to do; directories that cannot be read.
pub(crate) fn check(dir: &Path) -> Result<usize> {
    let (mut whole, mut damaged) = (0, Vec::new());
    for checkpoint in found(dir, DEPTH)? {
        match problem(&checkpoint) {
            None => whole += 1,
            Some(problem) => {
                let aside = checkpoint.with_extension(ASIDE);
                fs::remove_dir_all(&aside).ok();
                fs::rename(&checkpoint, &aside).map_err(Error::io(&checkpoint))?;
                damaged.push((checkpoint, problem));
            }
        }
    }
    match damaged.first() {
        None => Ok(whole),
        Some((path, problem)) => Err(Error::File {
            path: path.clone(),
            problem: format!(
                "{problem}; {} damaged checkpoints were set aside: train again, which goes on from the one before",
                damaged.len()
            ),
        }),
    }
}

fn found(dir: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || !path.is_dir() || path.extension().is_some_and(|end| end == ASIDE) {
            continue;
        }
        match path.join(MANIFEST).is_file() {
            true => found.push(path),
            false if depth > 0 => found.extend(self::found(&path, depth - 1)?),
            false => {}
        }
    }
    Ok(found)
}

/// What is wrong with a checkpoint.
fn problem(checkpoint: &Path) -> Option<String> {
    let manifest = fs::read(checkpoint.join(MANIFEST)).map_err(|e| e.to_string());
    let manifest = manifest.and_then(|bytes| {
        serde_json::from_slice::<Manifest>(&bytes).map_err(|e| format!("expected a manifest, found {e}"))
    });
    let files = match manifest {
        Ok(manifest) => manifest.files,
        Err(problem) => return Some(problem),
    };
    files.iter().find_map(|(name, expected)| match fs::read(checkpoint.join(name)) {
        Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() == expected => None,
        Ok(_) => Some(format!("{name} is not what was written")),
        Err(e) => Some(format!("{name}: {e}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_checkpoint_is_set_aside_and_named_and_the_others_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let dir = root.path().join(name);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("state"), name).unwrap();
            let hash = blake3::hash(name.as_bytes()).to_hex().to_string();
            fs::write(dir.join(MANIFEST), format!("{{\"files\": {{\"state\": \"{hash}\"}}}}")).unwrap();
            dir
        };
        let [first, _, third] =
            ["checkpoints/ab/ab-00000001", "checkpoints/ab/ab-00000002", "tuning/checkpoints/cd-00000001"]
                .map(write);
        assert_eq!(check(root.path()).unwrap(), 3);
        fs::write(first.join("state"), "other").unwrap();
        let e = check(root.path()).unwrap_err().to_string();
        assert!(e.contains("ab-00000001") && e.contains("1 damaged") && e.contains("train again"), "{e}");
        assert!(!first.exists() && first.with_extension(ASIDE).exists());
        assert_eq!(check(root.path()).unwrap(), 2);
        fs::write(third.join(MANIFEST), "{").unwrap();
        assert!(check(root.path()).unwrap_err().to_string().contains("expected a manifest"));
    }
}
