use crate::scratch;
use crate::vectors::bits;
use manyview_core::Embeddings;
use manyview_data::{Beside, CsvWriter, NpyWriter, ParquetWriter, Table, read_vectors};
use std::path::Path;

/// Rows written as CSV, NPY or Parquet by the first byte, in two goes with something lost between them: all come back.
pub fn writers(data: &[u8]) {
    let Some(([kind, width, cut], data)) = data.split_first_chunk() else { return };
    match kind % 3 {
        0 => csv(usize::from(width % 5) + 1, usize::from(*cut), data),
        1 => numbers(data, *width, *cut).into_iter().for_each(|(x, cut)| npy(&x, cut)),
        _ => numbers(data, *width, *cut).into_iter().for_each(|(x, cut)| parquet(&x, cut)),
    }
}

fn csv(width: usize, cut: usize, data: &[u8]) {
    let fields: Vec<String> =
        data.split(|b| *b == 1).map(|f| String::from_utf8_lossy(f).into_owned()).collect();
    let rows: Vec<&[String]> = fields.chunks_exact(width).collect();
    let cut = cut.min(rows.len());
    let names: Vec<String> = (0..width).map(|i| format!("c{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = scratch::place("w.csv");
    let mut writer = CsvWriter::create(&path, &names).unwrap();
    writer.append(rows[..cut].iter().copied()).unwrap();
    let length = writer.length();
    writer.append(rows[..cut / 2].iter().copied()).unwrap();
    let mut writer = CsvWriter::go_on(&path, length).unwrap();
    writer.append(rows[cut..].iter().copied()).unwrap();
    let table = Table::read_all(&[path], &names).unwrap();
    assert_eq!(table.n(), rows.len());
    for (i, name) in names.iter().enumerate() {
        let read: Vec<&str> =
            table.column(name).unwrap().iter().map(|v| v.as_deref().unwrap_or_default()).collect();
        assert_eq!(read, rows.iter().map(|row| row[i].as_str()).collect::<Vec<_>>());
    }
}

/// The finite numbers in `data`, up to eight a row, and some rows to begin with.
fn numbers(data: &[u8], width: u8, cut: u8) -> Option<(Embeddings, usize)> {
    let dim = usize::from(width % 8) + 1;
    let numbers = data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).filter(|v| v.is_finite());
    let mut numbers: Vec<f32> = numbers.collect();
    numbers.truncate(numbers.len() / dim * dim);
    let x = Embeddings::new(numbers, dim).ok()?;
    let cut = usize::from(cut) % (x.n() + 1);
    Some((x, cut))
}

fn rows(x: &Embeddings, from: usize, to: usize) -> Option<Embeddings> {
    x.select(&(from..to).collect::<Vec<_>>()).ok()
}

fn npy(x: &Embeddings, cut: usize) {
    let path = scratch::place("w.npy");
    let mut writer = NpyWriter::create(&path, x.dim()).unwrap();
    rows(x, 0, cut).iter().for_each(|part| writer.append(part).unwrap());
    rows(x, 0, cut / 2).iter().for_each(|part| writer.append(part).unwrap());
    writer.sync().unwrap();
    let mut writer = NpyWriter::go_on(&path, x.dim(), cut).unwrap();
    rows(x, cut, x.n()).iter().for_each(|part| writer.append(part).unwrap());
    assert_eq!(writer.rows(), x.n());
    writer.finish().unwrap();
    same(&path, x);
}

fn parquet(x: &Embeddings, cut: usize) {
    let path = scratch::place("w.parquet");
    let ids: Vec<String> = (0..x.n()).map(|i| format!("é{i}")).collect();
    let numbers: Vec<u64> = (0..x.n() as u64).collect();
    let cuts: Vec<bool> = (0..x.n()).map(|i| i % 3 == 0).collect();
    let append = |writer: &mut ParquetWriter, from: usize, to: usize| {
        let Some(part) = rows(x, from, to) else { return };
        let beside =
            Beside { rows: &numbers[from..to], ids: Some(&ids[from..to]), truncated: Some(&cuts[from..to]) };
        writer.append(&part, beside).unwrap();
    };
    let mut writer = ParquetWriter::create(&path, x.dim()).unwrap();
    append(&mut writer, 0, cut);
    let lengths = writer.lengths().to_vec();
    append(&mut writer, 0, cut / 2);
    let mut writer = ParquetWriter::go_on(&path, x.dim(), &lengths).unwrap();
    append(&mut writer, cut, x.n());
    writer.finish().unwrap();
    same(&path, x);
    let table = Table::read_all(&[path], &["row", "id", "truncated"]).unwrap();
    let column = |name| table.column(name).unwrap().iter().flatten().cloned().collect::<Vec<_>>();
    assert_eq!(column("id"), ids);
    assert_eq!(column("row"), numbers.iter().map(u64::to_string).collect::<Vec<_>>());
    assert_eq!(column("truncated"), cuts.iter().map(bool::to_string).collect::<Vec<_>>());
}

fn same(path: &Path, x: &Embeddings) {
    assert_eq!(bits(&read_vectors(path, "vector").unwrap()), bits(x));
}
