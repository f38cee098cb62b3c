//! Tables of inputs: each is read right or refused by name, and the page of the results says how many.

pub(crate) use Expected::{Refused, Right};

/// What must come of an input.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// It is read as this.
    Right(&'static str),
    /// It is refused with words that hold these.
    Refused(&'static str),
}

/// Tries every input of a kind, and compares the counts with the row of that kind in docs/results/inputs.md.
pub(crate) fn counted(kind: &str, cases: &[(&str, Expected)], read: impl Fn(&str) -> Result<String, String>) {
    let (mut right, mut refused) = (0, 0);
    for (input, expected) in cases {
        match (read(input), expected) {
            (Ok(found), Right(value)) if found == *value => right += 1,
            (Err(found), Refused(words)) if found.contains(words) => refused += 1,
            (found, Right(value)) => panic!("{input}\nexpected {value}, found {found:?}"),
            (found, Refused(words)) => panic!("{input}\nexpected a refusal with {words:?}, found {found:?}"),
        }
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/results/inputs.md"))
        .unwrap();
    let row = format!("| {kind} | {} | {right} | {refused} | 0 |", cases.len());
    assert!(page.contains(&row), "docs/results/inputs.md lacks the row {row}");
}
