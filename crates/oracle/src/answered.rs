//! The scores in what a model wrote, where it can mean only one thing.

use crate::Rubric;
use crate::lenient::object_at;
use crate::reasoning::without_reasoning;
use crate::rubric::start;
use crate::scored::{Found, found};

/// An object in a text, and what it says.
struct Candidate<'a> {
    found: Found,
    source: &'a str,
    /// Whether the words before it, or names in it, say that it counts.
    marked: bool,
}

/// Reads `text`, which answers the words `asked`.
pub(crate) fn scores(rubric: &Rubric, text: &str, asked: &str) -> Result<Vec<f64>, String> {
    let answer = without_reasoning(text);
    if answer.trim().is_empty() {
        return Err(match text.trim().is_empty() {
            true => "\"\", an empty answer".into(),
            false => "reasoning alone, and no answer behind it".into(),
        });
    }
    let mut candidates = candidates(rubric, &answer)?;
    let there = candidates.len();
    let examples = examples(asked);
    candidates.retain(|candidate| !examples.contains(&bare(candidate.source)));
    if candidates.is_empty() && there > 0 {
        return Err(format!(
            "only what the prompt itself says, {:?}; put words such as <score> in place of the numbers of its example",
            start(&answer)
        ));
    }
    decide(&candidates, &answer)
}

/// Of several objects the last counts, where the others agree with it or it is marked.
fn decide(candidates: &[Candidate], answer: &str) -> Result<Vec<f64>, String> {
    let mut last: Option<(&Vec<f64>, bool)> = None;
    for candidate in candidates {
        match (&candidate.found, last) {
            (Found::Scores { scores, .. }, Some((before, marked)))
                if before != scores && (marked || !candidate.marked) =>
            {
                return Err(format!(
                    "two answers, {before:?} and then {scores:?}, and no word says that the second is the final one"
                ));
            }
            (Found::Scores { scores, .. }, _) => last = Some((scores, candidate.marked)),
            (Found::Wrong { problem, .. }, Some(_)) => return Err(format!("{problem}, behind other scores")),
            (Found::Wrong { problem, .. }, None) if candidate.marked => return Err(problem.clone()),
            _ => {}
        }
    }
    if let Some((scores, _)) = last {
        return Ok(scores.clone());
    }
    let wrong = candidates.iter().rev().find_map(|candidate| match &candidate.found {
        Found::Wrong { problem, .. } => Some(problem.clone()),
        _ => None,
    });
    let nothing = candidates.iter().find_map(|candidate| match &candidate.found {
        Found::Nothing(problem) => Some(problem.clone()),
        _ => None,
    });
    Err(wrong.or(nothing).unwrap_or_else(|| format!("{:?}", start(answer))))
}

fn candidates<'a>(rubric: &Rubric, answer: &'a str) -> Result<Vec<Candidate<'a>>, String> {
    /// Braces that begin no object; each costs a look at the rest.
    const MOST_TORN: usize = 200;
    let (mut candidates, mut at, mut before, mut torn) = (Vec::new(), 0, 0, 0);
    while let Some(start) = answer.get(at..).and_then(|rest| rest.find('{')).map(|found| at + found) {
        let Some((node, end)) = object_at(answer, start) else {
            torn += 1;
            if torn > MOST_TORN {
                return Err(format!("more than {MOST_TORN} braces that begin no JSON object"));
            }
            candidates.extend(broken(rubric, answer, start));
            at = start + 1;
            continue;
        };
        let found = found(rubric, &node);
        let inside = matches!(&found, Found::Scores { marked: true, .. } | Found::Wrong { marked: true, .. });
        let words = answer.get(before..start).unwrap_or_default();
        let source = answer.get(start..end).unwrap_or_default();
        candidates.push(Candidate { found, source, marked: inside || says_final(words) });
        (at, before) = (end, end);
    }
    Ok(candidates)
}

/// What begins as an object and is none, where a dimension is named in it.
fn broken<'a>(rubric: &Rubric, answer: &'a str, at: usize) -> Option<Candidate<'a>> {
    let rest = answer.get(at..)?;
    let end = rest.find('}').map_or(rest.len(), |end| end + 1);
    let source = rest.get(..end)?;
    let words = source.to_lowercase();
    let named = rubric.dimensions.iter().any(|name| words.contains(&name.to_lowercase()));
    let problem = format!("{:?}, which is no whole JSON object", start(source));
    named.then_some(Candidate { found: Found::Wrong { problem, marked: false }, source, marked: false })
}

/// Whether the words before an object say that it is the answer: the last part of a sentence does, and does not take
/// it back.
fn says_final(words: &str) -> bool {
    const FINAL: [&str; 10] = [
        "final",
        "answer",
        "definitive",
        "corrected",
        "revised",
        "réponse",
        "antwort",
        "antwoord",
        "respuesta",
        "结果",
    ];
    const OTHER: [&str; 17] = [
        "not",
        "no",
        "isn't",
        "initial",
        "initially",
        "draft",
        "example",
        "template",
        "preliminary",
        "first",
        "before",
        "previous",
        "format",
        "such",
        "like",
        "if",
        "would",
    ];
    let words = words.trim_end().trim_end_matches("```json").trim_end_matches("```JSON");
    let words = words.trim_end_matches(|c: char| c.is_whitespace() || ":*`_#-=>".contains(c));
    // A mark such as `<answer>` has lost its last sign above.
    let clause = words.rsplit(['.', '!', '?', ';', ',', '\n', '}']).next().unwrap_or_default().to_lowercase();
    let of = |list: &[&str]| {
        let mut parts = clause.split(|c: char| !c.is_alphanumeric() && c != '\'');
        parts.any(|part| list.contains(&part) || (part.starts_with("final") && list.contains(&"final")))
    };
    of(&FINAL) && !of(&OTHER)
}

/// The objects that the prompt holds: an answer that repeats one says nothing.
fn examples(asked: &str) -> Vec<String> {
    const MOST: usize = 1000;
    let starts = asked.match_indices('{').take(MOST);
    starts
        .filter_map(|(at, _)| {
            let (_, end) = object_at(asked, at)?;
            asked.get(at..end).map(bare)
        })
        .collect()
}

fn bare(source: &str) -> String {
    source.split_whitespace().collect()
}
