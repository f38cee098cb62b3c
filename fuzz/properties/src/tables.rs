use crate::scratch;
use manyview_data::{CsvWriter, Result, Rows, Table};
use std::path::{Path, PathBuf};

/// A table of text, `.csv`, `.tsv` or `.jsonl` by the first byte, or `.json` for a byte above 250: read whole, in chunks, by column and after being
/// written as CSV the same.
pub fn table(data: &[u8]) {
    let (kind, text) = data.split_first().unwrap_or((&0, &[]));
    let name = if *kind > 250 { "x.json" } else { ["x.csv", "x.tsv", "x.jsonl"][usize::from(*kind) % 3] };
    let path = scratch::file(name, text);
    let Some(table) = read(&path) else { return };
    if table.columns().is_empty() {
        return;
    }
    let names: Vec<String> = (0..table.columns().len()).map(|i| format!("c{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = cells(&table);
    let again = scratch::place("again.csv");
    let mut writer = CsvWriter::create(&again, &names).unwrap();
    let row = |i: usize| columns.iter().map(move |values| values[i].clone().unwrap_or_default());
    writer.append((0..table.n()).map(row)).unwrap();
    let given = |v: &Option<String>| v.clone().filter(|v| !v.is_empty());
    let given: Vec<Vec<_>> = columns.iter().map(|values| values.iter().map(given).collect()).collect();
    assert_eq!(cells(&whole(&again, &[]).unwrap()), given);
}

/// An Arrow file or stream of strings.
pub fn arrow(data: &[u8]) {
    read(&scratch::file("x.arrow", data));
}

/// The table in a file, which is the same whole, in chunks and column by column.
pub(crate) fn read(path: &Path) -> Option<Table> {
    let table = whole(path, &[]);
    for chunk in [1, 3] {
        let read = Rows::open(path, &[], chunk).and_then(Iterator::collect::<Result<Vec<_>>>);
        match (&table, read) {
            (Ok(table), Ok(read)) => {
                assert_eq!(table.n(), read.iter().map(Table::n).sum::<usize>());
                assert!(read.iter().all(|part| part.n() <= chunk && part.columns() == table.columns()));
                for (place, values) in cells(table).iter().enumerate() {
                    let read = read.iter().flat_map(|part| cells(part).swap_remove(place));
                    assert_eq!(&read.collect::<Vec<_>>(), values);
                }
            }
            (Ok(_), Err(e)) => panic!("refused in chunks, not whole: {e}"),
            (Err(e), Ok(_)) => panic!("refused whole, not in chunks: {e}"),
            (Err(_), Err(e)) => scratch::refused(e.kind(), &e),
        }
    }
    let table = table.inspect_err(|e| scratch::refused(e.kind(), e)).ok()?;
    let names = table.columns();
    for name in names.iter().filter(|name| names.iter().filter(|n| n == name).count() == 1) {
        // A file may have further columns of that name that hold no text.
        if let Ok(alone) = whole(path, &[*name]) {
            assert_eq!(alone.column(name).unwrap(), table.column(name).unwrap());
        }
    }
    Some(table)
}

fn whole(path: &Path, columns: &[&str]) -> Result<Table> {
    let paths: [PathBuf; 1] = [path.into()];
    Table::read_all(&paths, columns)
}

/// The values of each column, as many as there are rows; of columns with one name, the first.
fn cells(table: &Table) -> Vec<Vec<Option<String>>> {
    let values = table.columns().into_iter().map(|name| table.column(name).unwrap().to_vec());
    values.inspect(|values| assert_eq!(values.len(), table.n())).collect()
}
