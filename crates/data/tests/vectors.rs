//! Vectors made by numpy and pyarrow, and vectors written here.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_core::{Embeddings, Kind};
use manyview_data::{read_vectors, write_npy};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn expected() -> Embeddings {
    Embeddings::new(vec![0.0, 0.25, 0.5, 0.75, 1.0, 1.25], 2).unwrap()
}

#[test]
fn npy_arrays_of_numpy_are_read_in_both_orders_and_widths() {
    for name in ["c_f32.npy", "fortran_f32.npy", "c_f64.npy"] {
        assert_eq!(read_vectors(&golden(name), "").unwrap(), expected(), "{name}");
    }
}

#[test]
fn parquet_lists_of_pyarrow_are_read() {
    for column in ["list", "fixed", "half"] {
        assert_eq!(read_vectors(&golden("types.parquet"), column).unwrap(), expected(), "{column}");
    }
}

#[test]
fn vectors_that_cannot_be_used_are_refused_with_file_and_row() {
    for (column, row) in [("nan", "row 2"), ("holey", "row 1"), ("ragged", "row 1")] {
        let e = read_vectors(&golden("types.parquet"), column).unwrap_err();
        assert!(e.to_string().contains("types.parquet") && e.to_string().contains(row), "{e}");
    }
    let e = read_vectors(&golden("types.parquet"), "nan").unwrap_err();
    assert_eq!(e.kind(), Kind::Numeric);
}

#[test]
fn other_types_and_shapes_are_refused_with_what_was_found() {
    for (name, column, found) in [
        ("i64.npy", "", "<i8"),
        ("flat.npy", "", "found 1"),
        ("types.parquet", "string", "Utf8"),
        ("types.parquet", "fixd", "perhaps `fixed`"),
        ("make.py", "", ".npy, .npz or .parquet"),
    ] {
        let e = read_vectors(&golden(name), column).unwrap_err().to_string();
        assert!(e.contains(found), "{name}: {e}");
    }
}

#[test]
fn written_vectors_are_read_back_and_leave_no_part_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    write_npy(&path, &expected()).unwrap();
    assert_eq!(read_vectors(&path, "").unwrap(), expected());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let data = |path: &Path| std::fs::read(path).unwrap().split_off(128);
    assert_eq!(data(&path), data(&golden("c_f32.npy")));
}

#[test]
fn a_truncated_npy_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(golden("c_f32.npy")).unwrap();
    for end in [0, 5, 60, whole.len() - 3] {
        let path = dir.path().join("x.npy");
        std::fs::write(&path, &whole[..end]).unwrap();
        let e = read_vectors(&path, "").unwrap_err();
        assert!(e.to_string().contains("x.npy") && e.kind() == Kind::Input, "{end}: {e}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_an_io_error() {
    let e = write_npy(Path::new("nowhere/x.npy"), &expected()).unwrap_err();
    assert_eq!(e.kind(), Kind::Io);
}
