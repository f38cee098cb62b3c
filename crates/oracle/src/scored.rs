//! Scores within one JSON object, wherever in it they stand.

use crate::Rubric;
use crate::lenient::{Node, decimal};
use crate::rubric::start;

/// What an object says of the dimensions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// One score for each; whether a name such as `final` marks them as the ones that count.
    Scores { scores: Vec<f64>, marked: bool },
    /// Scores, but not such that each dimension has one; why, and whether they are marked as the ones that count.
    Wrong { problem: String, marked: bool },
    /// No score of any dimension; what was found instead.
    Nothing(String),
}

/// What `object` says of the dimensions of `rubric`.
pub(crate) fn found(rubric: &Rubric, object: &Node) -> Found {
    let mut levels = Vec::new();
    collect(rubric, object, Path::default(), 0, &mut levels);
    let marked = levels.iter().any(|(path, found)| path.marked && !matches!(found, Found::Nothing(_)));
    if marked {
        levels.retain(|(path, _)| path.marked);
    }
    let named = levels.iter().any(|(path, found)| path.named && matches!(found, Found::Scores { .. }));
    let mut kept: Option<Vec<f64>> = None;
    let mut wrong = None;
    let mut nothing = None;
    for (path, found) in levels {
        match found {
            Found::Scores { scores, .. } => match &kept {
                Some(other) if *other != scores => {
                    let problem = format!("two sets of scores, {other:?} and {scores:?}, in one object");
                    return Found::Wrong { problem, marked };
                }
                _ => kept = Some(scores),
            },
            // Beside `scores`, one name at another level is another matter.
            Found::Wrong { problem, .. } if path.named || !named => wrong = Some(problem),
            Found::Wrong { .. } => {}
            Found::Nothing(problem) => {
                nothing.get_or_insert(problem);
            }
        }
    }
    match (wrong, kept) {
        (Some(problem), _) => Found::Wrong { problem, marked },
        (None, Some(scores)) => Found::Scores { scores, marked },
        (None, None) => Found::Nothing(nothing.unwrap_or_else(|| none_for(rubric))),
    }
}

/// What the names that lead to an object say of it.
#[derive(Clone, Copy, Default)]
struct Path {
    marked: bool,
    named: bool,
}

fn collect(rubric: &Rubric, node: &Node, path: Path, depth: usize, to: &mut Vec<(Path, Found)>) {
    const DEEPEST: usize = 6;
    match node {
        _ if depth > DEEPEST => {}
        Node::List(values) => values.iter().for_each(|value| collect(rubric, value, path, depth + 1, to)),
        Node::Object(pairs) => {
            let found = level(rubric, pairs);
            let scored = matches!(found, Found::Scores { .. });
            to.push((path, found));
            for (name, value) in pairs {
                // What stands beside a score, such as its reason, is no other score.
                if scored && rubric.dimensions.iter().any(|dimension| is(dimension, name)) {
                    continue;
                }
                let word = plain(name);
                let path = Path {
                    marked: path.marked || word.starts_with("final") || word == "answer",
                    named: path.named || word == "dimensions" || word == "scores",
                };
                collect(rubric, value, path, depth + 1, to);
            }
        }
        _ => {}
    }
}

/// What the pairs of one object say, without those below them.
fn level(rubric: &Rubric, pairs: &[(String, Node)]) -> Found {
    let (mut scores, mut problem, mut none) = (Vec::new(), None, None);
    for dimension in &rubric.dimensions {
        match one(rubric, dimension, pairs) {
            Ok(Some(score)) => scores.push(score),
            Ok(None) => none = none.or_else(|| Some(no_score(dimension, pairs))),
            Err(found) => problem = problem.or_else(|| Some(format!("{found} for `{dimension}`"))),
        }
    }
    let whole = scores.len() == rubric.dimensions.len();
    match (problem, none) {
        (Some(problem), _) => Found::Wrong { problem, marked: false },
        (None, _) if whole && !scores.is_empty() => Found::Scores { scores, marked: false },
        (None, Some(problem)) if !scores.is_empty() => Found::Wrong { problem, marked: false },
        (None, problem) => Found::Nothing(problem.unwrap_or_else(|| none_for(rubric))),
    }
}

fn none_for(rubric: &Rubric) -> String {
    let first = rubric.dimensions.first().map_or("", String::as_str);
    format!("none for `{first}`")
}

fn no_score(dimension: &str, pairs: &[(String, Node)]) -> String {
    match pairs.iter().find(|(name, _)| is(dimension, name)) {
        Some((_, value)) => format!("{} for `{dimension}`", value.shown()),
        None => format!("none for `{dimension}`"),
    }
}

/// The score of a dimension; none where nothing under its name is one.
fn one(rubric: &Rubric, dimension: &str, pairs: &[(String, Node)]) -> Result<Option<f64>, String> {
    let other = |name: &str| name != dimension && rubric.dimensions.iter().any(|other| other == name);
    let mut score: Option<f64> = None;
    for (_, value) in pairs.iter().filter(|(name, _)| is(dimension, name) && !other(name)) {
        if let Some(found) = value_of(rubric, value)? {
            if score.is_some_and(|score| score != found) {
                return Err(format!("{} and {found}", score.unwrap_or_default()));
            }
            score = Some(found);
        }
    }
    Ok(score)
}

/// The score that a value is: a number, a number in quotes, or an object with one.
fn value_of(rubric: &Rubric, value: &Node) -> Result<Option<f64>, String> {
    const NAMES: [&str; 3] = ["score", "value", "rating"];
    let [low, high] = rubric.range;
    let within = |score: f64| {
        let fits = (low..=high).contains(&score);
        if fits { Ok(Some(score)) } else { Err(value.shown()) }
    };
    match value {
        Node::Number(number) => within(*number),
        Node::Text(text) => written(text, high).map_or(Ok(None), |number| number.and_then(within)),
        Node::Object(pairs) => {
            let mut score: Option<f64> = None;
            for (_, value) in pairs.iter().filter(|(name, _)| NAMES.contains(&plain(name).as_str())) {
                let found = value_of(rubric, value)?;
                if let (Some(a), Some(b)) = (score, found)
                    && a != b
                {
                    return Err(format!("{a} and {b}"));
                }
                score = score.or(found);
            }
            Ok(score)
        }
        Node::List(_) | Node::Word(_) => Ok(None),
    }
}

/// The number that a text is, such as `7`, or `7/10` where 10 is the highest score; none where it is words.
fn written(text: &str, high: f64) -> Option<Result<f64, String>> {
    let text = text.trim();
    if let Some(number) = decimal(text) {
        return Some(Ok(number));
    }
    let lower = text.to_lowercase();
    let parts = ["/", " out of ", " of "].iter().find_map(|sign| lower.split_once(sign));
    if let Some((Some(number), Some(of))) = parts.map(|(a, b)| (decimal(a.trim()), decimal(b.trim()))) {
        let problem = || format!("{text:?}, of another scale than to {high}");
        return Some(if of == high { Ok(number) } else { Err(problem()) });
    }
    // A number with something beside it, `7-8`, `70%` or `7 (strong)`, could mean more than one thing.
    let digit = text.starts_with(|c: char| c.is_ascii_digit() || "+-.~<>≈".contains(c));
    (digit && text.chars().any(|c| c.is_ascii_digit())).then(|| Err(format!("{:?}", start(text))))
}

/// Whether `name` calls a dimension, in capitals or not.
fn is(dimension: &str, name: &str) -> bool {
    plain(dimension) == plain(name)
}

/// A name in small letters, with `_` between its words.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}
