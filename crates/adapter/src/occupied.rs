use std::fs;
use std::path::Path;

/// Whether something stands at `dir` other than a directory that holds nothing but files of these names.
pub(crate) fn occupied(dir: &Path, names: &[&str]) -> bool {
    match fs::read_dir(dir) {
        Ok(entries) => entries.flatten().any(|e| !names.iter().any(|name| e.file_name() == *name)),
        Err(_) => dir.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_occupied_by_anything_but_files_of_the_names() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a");
        assert!(!occupied(&dir, &["x"]));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("x"), "1").unwrap();
        assert!(!occupied(&dir, &["x"]));
        assert!(occupied(&dir, &["y"]) && occupied(&dir.join("x"), &["x"]));
    }
}
