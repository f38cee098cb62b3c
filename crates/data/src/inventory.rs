use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The BLAKE3 of every file at or below `paths`, with its name from the last part of the path it is below: no
/// directories of this machine. Sorted by name; hidden files are left out.
///
/// # Errors
/// A file that cannot be read.
pub fn file_hashes(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        add(path, &name, &mut found)?;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn add(path: &Path, name: &str, found: &mut Vec<(String, String)>) -> Result<()> {
    if !path.is_dir() {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path).map_err(Error::io(path))?).map_err(Error::io(path))?;
        found.push((name.to_string(), hasher.finalize().to_hex().to_string()));
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(Error::io(path))? {
        let entry = entry.map_err(Error::io(path))?;
        let below = entry.file_name().to_string_lossy().into_owned();
        if !below.starts_with('.') {
            add(&entry.path(), &format!("{name}/{below}"), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_nothing_of_where_and_hashes_follow_the_bytes() {
        let listed = |content: &[u8]| {
            let dir = tempfile::tempdir().unwrap();
            let encoder = dir.path().join("encoder");
            std::fs::create_dir_all(encoder.join("1_Pooling")).unwrap();
            for name in ["encoder/weights", "encoder/1_Pooling/config.json", "encoder/.git", "corpus.csv"] {
                std::fs::write(dir.path().join(name), content).unwrap();
            }
            file_hashes(&[encoder, dir.path().join("corpus.csv")]).unwrap()
        };
        let names: Vec<_> = listed(b"a").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["corpus.csv", "encoder/1_Pooling/config.json", "encoder/weights"]);
        assert_eq!(listed(b"a"), listed(b"a"));
        assert!(listed(b"a").iter().zip(&listed(b"b")).all(|(a, b)| a.1 != b.1));
        assert_eq!(listed(b"a")[0].1, blake3::hash(b"a").to_hex().to_string());
    }
}
