use crate::scene::{Scene, corpus, npy};

/// The corpus with each label replaced by `label(row)`.
fn relabelled(n: usize, label: impl Fn(usize) -> String) -> String {
    let rows = corpus(n);
    let line = |(i, line): (usize, &str)| {
        let mut fields: Vec<String> = line.split(',').map(String::from).collect();
        if i > 0 {
            fields[1] = label(i - 1);
        }
        fields.join(",") + "\n"
    };
    rows.lines().enumerate().map(line).collect()
}

#[test]
fn a_missing_column_is_answered_with_the_columns_there_are() {
    let scene = Scene::new();
    for key in ["text", "label", "answers", "split"] {
        let words =
            ["corpus.csv", "no column `labell`, perhaps `label`", "`text`, `label`, `answer`, `split`"];
        scene.refused(&format!("run experiment.toml data.{key}=labell"), 2, &words);
    }
}

#[test]
fn a_corpus_that_is_no_corpus_is_refused_in_words() {
    let scene = Scene::new();
    let label = |l: &str| relabelled(60, |_| l.into());
    let cases: &[(&str, String, &[&str])] = &[
        ("empty.csv", String::new(), &["empty.csv", "is empty"]),
        ("names.csv", corpus(0), &["names.csv", "expected rows of texts", "add rows"]),
        ("three.csv", corpus(3), &["column `label`", "at least 4 rows", "found 3", "add rows"]),
        (
            "eight.csv",
            corpus(8),
            &["data.test", "at least 3 test rows", "found 1", "of 8 in eight.csv", "add rows"],
        ),
        ("one.csv", label("rain"), &["column `label`", "every row says `rain`", "at least two labels"]),
        (
            "all.csv",
            relabelled(60, |i| format!("l{i}")),
            &["column `label`", "all 60 rows differ", "identifier"],
        ),
        ("holes.csv", label(""), &["column `label`, row 0", "expected a value, found none", "drop_missing"]),
        ("cut.csv", corpus(60) + "only one field\n", &["cut.csv, line 62", "expected 4 fields, found 1"]),
        ("cut.jsonl", "{\"text\": \"a\", \"label\": ".into(), &["cut.jsonl, line 1"]),
        ("cut.parquet", "PAR1 and then nothing".into(), &["cut.parquet"]),
        ("corpus.txt", corpus(60), &["corpus.txt", ".parquet, .csv, .tsv, .jsonl or .ndjson"]),
    ];
    for (name, content, words) in cases {
        scene.write(name, content);
        scene.refused(&format!("run experiment.toml data.source={name}"), 2, words);
    }
    let words =
        ["data.source", "`medquat`", "embedded corpus (medquad, medquad-pairs, clinc150)", "hub:ORG/NAME"];
    scene.refused("run experiment.toml data.source=medquat", 2, &words);
    assert!(!scene.path("store").exists(), "something was encoded before the corpus was looked at");
}

#[test]
fn test_rows_that_cannot_be_scored_are_refused_before_anything_is_encoded() {
    let scene = Scene::new();
    let test_row = |i: usize| i / 3 % 6 == 5;
    scene.write(
        "one.csv",
        relabelled(60, |i| if test_row(i) { "rain".into() } else { format!("l{}", i % 4) }),
    );
    let words = ["data.split", "at least 2 labels", "found 9 rows with 1 in all", "one.csv"];
    scene.refused("run experiment.toml data.source=one.csv data.split=split", 2, &words);
    assert!(!scene.path("store").exists());
}

#[test]
fn a_teacher_file_that_does_not_fit_is_refused_with_its_row_or_its_size() {
    let scene = Scene::new();
    let matrix = |n: usize| (0..n).map(|i| vec![1.0, i as f32, 0.5]).collect::<Vec<_>>();
    let mut nan = matrix(60);
    nan[17][1] = f32::NAN;
    let mut infinite = matrix(60);
    infinite[3][0] = f32::INFINITY;
    let whole = npy(&matrix(60));
    let cases: &[(&str, Vec<u8>, i32, &[&str])] = &[
        ("nan.npy", npy(&nan), 6, &["nan.npy", "row 17", "expected finite numbers", "repair or drop"]),
        ("infinite.npy", npy(&infinite), 6, &["infinite.npy", "row 3", "finite"]),
        ("short.npy", npy(&matrix(59)), 2, &["teacher.vectors", "expected 60 rows", "found 59 in short.npy"]),
        ("cut.npy", whole[..whole.len() - 5].to_vec(), 2, &["cut.npy"]),
        ("text.npy", b"no numbers".to_vec(), 2, &["text.npy"]),
    ];
    for (name, content, code, words) in cases {
        scene.write(name, content);
        let line =
            format!("run experiment.toml teacher.kind=vectors train.towards=zero teacher.vectors={name}");
        scene.refused(&line, *code, words);
    }
    let line = "run experiment.toml teacher.kind=vectors teacher.vectors=nothere.npy";
    scene.refused(line, 3, &["nothere.npy", "No such file"]);
    scene.write("other.npy", npy(&matrix(60)));
    let line = "run experiment.toml teacher.kind=vectors teacher.vectors=other.npy train.towards=identity";
    scene.refused(line, 2, &["384", "3", "expected", "found"]);
}
