use crate::scratch;
use manyview_data::{Corpus, CorpusConfig, CsvWriter, Fractions, Labels, Split, Table};

/// Lines as labels, as a split column and as the rows of a corpus: numbers that stand for their labels, parts that
/// share out all rows, and a corpus whose columns keep together.
pub fn labels(data: &[u8]) {
    let Some(([flags, train, val, seed], data)) = data.split_first_chunk() else { return };
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.lines().collect();
    numbered(&lines);
    if let Ok(split) = Split::from_column(&lines).inspect_err(|e| scratch::refused(e.kind(), e)) {
        shared_out(&split, lines.len());
    }
    let shares = [f64::from(*train) / 255.0, f64::from(*val) / 255.0];
    let fractions = Fractions::new(shares[0], shares[1], 1.0 - shares[0] - shares[1]);
    let codes = Labels::of(&lines).codes;
    if let Ok(fractions) = fractions.inspect_err(|e| scratch::refused(e.kind(), e)) {
        for split in [
            Split::random(lines.len(), fractions, u64::from(*seed)),
            Split::stratified(&codes, fractions, u64::from(*seed)),
        ] {
            if let Ok(split) = split.inspect_err(|e| scratch::refused(e.kind(), e)) {
                shared_out(&split, lines.len());
                assert!(!split.train.is_empty() && !split.test.is_empty());
            }
        }
    }
    corpus(*flags, u64::from(*seed), &lines);
}

fn numbered(lines: &[&str]) {
    let labels = Labels::of(lines);
    assert!(labels.names.is_sorted_by(|a, b| a < b));
    assert!(lines.iter().zip(&labels.codes).all(|(line, &code)| labels.names[code] == *line));
    assert_eq!(labels.codes.len(), lines.len());
    if let Err(e) = labels.check("column") {
        scratch::refused(e.kind(), &e);
    }
}

fn shared_out(split: &Split, n: usize) {
    let parts = [&split.train, &split.val, &split.test];
    assert!(parts.iter().all(|part| part.is_sorted_by(|a, b| a < b)));
    let mut rows: Vec<usize> = parts.into_iter().flatten().copied().collect();
    rows.sort_unstable();
    assert_eq!(rows, (0..n).collect::<Vec<_>>());
}

/// The corpus of a table with the fields of four lines in each row.
fn corpus(flags: u8, seed: u64, lines: &[&str]) {
    const NAMES: [&str; 5] = ["text", "label", "answer", "split", "id"];
    let path = scratch::place("corpus.csv");
    let mut writer = CsvWriter::create(&path, &NAMES).unwrap();
    writer.append(lines.chunks_exact(NAMES.len())).unwrap();
    let table = Table::read_all(std::slice::from_ref(&path), &[]).unwrap();
    let named = |bit: u8, name: &str| (flags & bit != 0).then(|| name.to_string());
    let config = CorpusConfig {
        text: "text".into(),
        label: named(1, "label"),
        answers: named(2, "answer"),
        split: named(4, "split"),
        id: named(8, "id"),
        beside: Vec::new(),
        limit: (flags & 16 != 0).then_some(seed as usize),
        seed,
        dedup: flags & 32 != 0,
        drop_missing: flags & 64 != 0,
    };
    let corpus = match Corpus::read(std::slice::from_ref(&path), &config) {
        Ok(corpus) => corpus,
        Err(e) => return scratch::refused(e.kind(), &e),
    };
    let (n, dropped) = (corpus.texts.len(), corpus.dropped);
    assert_eq!(n + dropped.missing + dropped.duplicates + dropped.limited, table.n());
    assert!(corpus.rows.is_sorted_by(|a, b| a < b) && corpus.rows.len() == n && corpus.ids.len() == n);
    let texts = table.column("text").unwrap();
    assert!(corpus.rows.iter().zip(&corpus.texts).all(|(&row, text)| texts[row].as_deref() == Some(text)));
    assert!(corpus.texts.iter().all(|text| !text.trim().is_empty()));
    assert!([&corpus.label, &corpus.split].into_iter().flatten().all(|values| values.len() == n));
    assert!(corpus.answers.iter().all(|values| values.len() == n));
    let mut ids = corpus.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
    assert_eq!(Corpus::read(std::slice::from_ref(&path), &config).unwrap(), corpus);
}
