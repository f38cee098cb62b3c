use crate::scratch;
use manyview_core::Embeddings;
use manyview_data::{Error, Result, Table, VectorRows, read_vectors, write_npy};
use std::path::Path;

/// A `.npy` file: read whole and in chunks the same, from any row on, no larger than its bytes, and written again.
pub fn npy(data: &[u8]) {
    let path = scratch::file("x.npy", data);
    let Some(x) = read(&path, "") else { return };
    assert!(x.as_slice().len() * 2 <= data.len()); // float16 is the shortest
    let again = scratch::place("again.npy");
    write_npy(&again, &x).unwrap();
    assert_eq!(bits(&read_vectors(&again, "").unwrap()), bits(&x));
}

/// A Parquet file: its text columns and its list columns, read whole and in chunks the same.
pub fn parquet(data: &[u8]) {
    let path = scratch::file("x.parquet", data);
    crate::tables::read(&path);
    for column in ["vector", "list", "fixed", "half"] {
        read(&path, column);
    }
    if let Err(e) = Table::read_all(std::slice::from_ref(&path), &["int", "float"]) {
        scratch::refused(e.kind(), &e);
    }
}

/// The vectors in a file, which are the same whole, in chunks and from a later row.
fn read(path: &Path, column: &str) -> Option<Embeddings> {
    let whole = read_vectors(path, column);
    for chunk in [1, 3] {
        agree(&whole, 0, VectorRows::open(path, column, chunk));
    }
    let x = whole.inspect_err(|e| scratch::refused(e.kind(), e)).ok()?;
    for first in [1, x.n() / 2, x.n()] {
        let rows = VectorRows::open(path, column, 2).and_then(|rows| rows.starting_at(first));
        agree(&Ok(x.clone()), first, rows);
    }
    Some(x)
}

fn agree(whole: &Result<Embeddings>, first: usize, rows: Result<VectorRows>) {
    let n = rows.as_ref().map(VectorRows::n).ok();
    let read = rows.and_then(|rows| rows.collect::<Result<Vec<_>>>());
    match (whole, read) {
        (Ok(whole), Ok(read)) => {
            assert_eq!(n, Some(whole.n()));
            let whole = bits(whole).split_off(first.min(whole.n()) * whole.dim());
            assert_eq!(read.iter().flat_map(bits).collect::<Vec<_>>(), whole);
        }
        (Ok(_), Err(e)) => panic!("refused in chunks, not whole: {e}"),
        (Err(e), Ok(read)) => {
            let empty = matches!(e, Error::Vectors { .. }) && read.is_empty();
            assert!(empty, "refused whole, not in chunks: {e}");
        }
        (Err(_), Err(e)) => scratch::refused(e.kind(), &e),
    }
}

pub(crate) fn bits(x: &Embeddings) -> Vec<u32> {
    x.as_slice().iter().map(|v| v.to_bits()).collect()
}
