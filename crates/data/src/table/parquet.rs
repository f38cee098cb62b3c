use super::cells::{cells, named, spread, textual};
use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::parquet_file::{Batches, Opened};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use std::path::{Path, PathBuf};

pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let opened = Opened::open(path)?;
    let (kept, places, columns) = columns(path, &opened.schema(), wanted)?;
    let batches = opened.batches(&places, BATCH, 0)?;
    let source = Strings { path: path.into(), at: At::default(), columns, batches };
    Ok((kept, Box::new(source)))
}

/// The names of the columns that are kept, their places, and the names of their classes.
#[expect(clippy::type_complexity, reason = "three lists of one length")]
pub(super) fn columns(
    path: &Path,
    schema: &Schema,
    wanted: &[&str],
) -> Result<(Vec<String>, Vec<usize>, Vec<Option<Vec<String>>>)> {
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let classes = super::class_names::of_schema(schema);
    let places = places(path, &names, wanted, |i| textual(schema.field(i).data_type()))?;
    let kept: Vec<String> = places.iter().map(|&i| names[i].clone()).collect();
    let classes = kept.iter().map(|name| classes.get(name).cloned()).collect();
    Ok((kept, places, classes))
}

/// A place in a file: rows, and items where each row has several.
#[derive(Default)]
pub(super) struct At {
    row: usize,
    item: usize,
}

struct Strings {
    path: PathBuf,
    at: At,
    columns: Vec<Option<Vec<String>>>,
    batches: Batches,
}

impl Source for Strings {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        let Some(batch) = self.batches.next()? else { return Ok(false) };
        add(&self.path, &batch, &self.columns, &mut self.at, columns)?;
        Ok(true)
    }
}

/// Adds the rows of a batch that begins at a place of the file, which moves on. Where every column holds lists, each of
/// their items is a row.
pub(super) fn add(
    path: &Path,
    batch: &RecordBatch,
    classes: &[Option<Vec<String>>],
    at: &mut At,
    columns: &mut [NamedColumn],
) -> Result<()> {
    let wrong = |problem: String| Error::file(path, problem);
    let mut lists = Vec::new();
    let mut items = 0;
    for ((name, values), classes) in columns.iter_mut().zip(classes) {
        let Some(array) = batch.column_by_name(name) else { continue };
        let found = array.data_type();
        let problem =
            || wrong(format!("column `{name}`: expected strings, numbers, booleans or dates, found {found}"));
        let (array, rows) = match spread(array) {
            Some((items, rows)) => (items, Some(rows)),
            None => (array.clone(), None),
        };
        let read = cells(&array, at.item)
            .ok_or_else(problem)?
            .map_err(|p| wrong(format!("column `{name}`, {p}")))?;
        let read = match classes {
            Some(classes) => {
                named(read, classes, at.item).map_err(|p| wrong(format!("column `{name}`, {p}")))?
            }
            None => read,
        };
        items = read.len();
        values.extend(read);
        lists.push((name.clone(), rows));
    }
    // Rows are told apart by their place: lists must agree with each other, and with what is no list.
    if let Some((name, rows)) = lists.first() {
        for (other, more) in &lists {
            if rows != more {
                let row = match (rows, more) {
                    (Some(a), Some(b)) => at.row + a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(0),
                    _ => at.row,
                };
                return Err(wrong(format!(
                    "row {row}: `{name}` and `{other}` hold lists of different lengths, or only one of them holds \
                     lists; expected as many items in each"
                )));
            }
        }
    }
    at.row += batch.num_rows();
    at.item += items;
    Ok(())
}
