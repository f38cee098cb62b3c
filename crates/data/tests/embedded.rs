//! The corpora that come with the source.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_data::{Corpus, CorpusConfig, Fractions, Labels, LeakReport, PairColumns, Split, TextPairs};
use std::path::Path;

fn corpus(file: &str, label: &str) -> Corpus {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(file);
    let config = CorpusConfig {
        text: "text".into(),
        label: Some(label.into()),
        answers: None,
        split: Some("split".into()),
        id: Some("id".into()),
        beside: Vec::new(),
        limit: None,
        seed: 0,
        dedup: true,
        drop_missing: false,
    };
    Corpus::read(&[path], &config).unwrap()
}

fn labels(corpus: &Corpus) -> Labels {
    let labels = Labels::of(corpus.label.as_ref().unwrap());
    labels.check("label").unwrap();
    labels
}

fn sizes(corpus: &Corpus) -> (usize, usize, usize) {
    let split = Split::from_column(corpus.split.as_ref().unwrap()).unwrap();
    (split.train.len(), split.val.len(), split.test.len())
}

#[test]
fn medquad_holds_what_its_readme_says() {
    let areas = corpus("medquad/medquad.parquet", "label_area");
    assert_eq!((areas.texts.len(), areas.dropped), (1610, Default::default()));
    assert_eq!(sizes(&areas), (1127, 322, 161));
    assert_eq!(
        labels(&areas).names,
        ["cancer", "heart-lung-blood", "infection", "kidney-digestive-diabetes", "neurology"]
    );
    let types = corpus("medquad/medquad.parquet", "label_qtype");
    assert_eq!(
        labels(&types).names,
        [
            "causes",
            "exams and tests",
            "information",
            "outlook",
            "prevention",
            "susceptibility",
            "symptoms",
            "treatment"
        ]
    );
    assert_eq!(types.texts, areas.texts);
    assert_ne!(types.fingerprint, areas.fingerprint);
}

#[test]
fn the_pairs_of_medquad_hold_what_its_readme_says_and_split_without_a_leak() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/medquad/pairs.parquet");
    let columns = PairColumns { document: Some("focus".into()), ..PairColumns::default() };
    let pairs = TextPairs::read(&[path], &columns).unwrap();
    assert_eq!((pairs.queries.len(), pairs.passages.len()), (1482, 1481));
    assert_eq!(pairs.dropped, Default::default());
    let split = pairs.split(Fractions::new(0.5, 0.1, 0.4).unwrap(), 42).unwrap();
    let leaks = LeakReport::of(&pairs, &split);
    assert_eq!((leaks.documents, leaks.passages.exact, leaks.queries.exact), (0, 0, 0));
}

#[test]
fn clinc150_holds_what_its_readme_says() {
    let domains = corpus("clinc150/clinc150.parquet", "label_domain");
    assert_eq!((domains.texts.len(), domains.dropped), (2000, Default::default()));
    assert_eq!(sizes(&domains), (1400, 400, 200));
    for (label, classes, rows) in [("label_domain", 10, 200), ("label_intent", 40, 50)] {
        let labels = labels(&corpus("clinc150/clinc150.parquet", label));
        assert_eq!(labels.names.len(), classes);
        for code in 0..classes {
            assert_eq!(labels.codes.iter().filter(|&&c| c == code).count(), rows, "{}", labels.names[code]);
        }
    }
}
