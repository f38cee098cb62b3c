//! What models write, in the forms they write it in: read where it can mean one thing, refused by name where not.

use crate::inputs::{Expected, Refused, Right, counted};
use crate::scene::rubric;

const ASKED: &str =
    "Score it.\n{\"scope\": <score>, \"proof\": <score>}\nAnswer such as {\"scope\": 0, \"proof\": 0}.";
const SEVEN_FIVE: Expected = Right("7 5");

fn said(answer: &str) -> Result<String, String> {
    let scores = rubric().scores(answer, ASKED)?;
    Ok(scores.iter().map(f64::to_string).collect::<Vec<_>>().join(" "))
}

#[test]
fn drafts_and_reasoning_are_no_answer() {
    let cases = [
        (
            "<think>\nA first guess: {\"scope\": 2, \"proof\": 3}.\n</think>\n\n{\"scope\": 7, \"proof\": 5}",
            SEVEN_FIVE,
        ),
        (
            "Initial: {\"scope\": 2, \"proof\": 3}\nAfter review, final: {\"scope\": 7, \"proof\": 5}",
            SEVEN_FIVE,
        ),
        ("{\"scope\": 2, \"proof\": 3}</think>{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("<thinking>{\"scope\": 2, \"proof\": 3}</thinking>{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("<reasoning>{\"scope\": 2, \"proof\": 3}</reasoning>\n{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("[THINK]{\"scope\": 2, \"proof\": 3}[/THINK]{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("◁think▷{\"scope\": 2, \"proof\": 3}◁/think▷{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        (
            "<|channel|>analysis<|message|>{\"scope\": 2, \"proof\": 3}<|end|><|start|>assistant<|channel|>final\
             <|message|>{\"scope\": 7, \"proof\": 5}",
            SEVEN_FIVE,
        ),
        (
            "analysisPerhaps {\"scope\": 2, \"proof\": 3}assistantfinal{\"scope\": 7, \"proof\": 5}",
            SEVEN_FIVE,
        ),
        (
            "<draft>{\"scope\": 2, \"proof\": 3}</draft><answer>{\"scope\": 7, \"proof\": 5}</answer>",
            SEVEN_FIVE,
        ),
        (
            "{\"scope\": 2, \"proof\": 3}\n\n**Final answer:**\n```json\n{\"scope\": 7, \"proof\": 5}\n```",
            SEVEN_FIVE,
        ),
        ("{\"scope\": 2, \"proof\": 3}\n### Revised scores\n{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("{\"scope\": 7, \"proof\": 5} and once more {\"proof\": 5.0, \"scope\": 7}", SEVEN_FIVE),
        ("{\"draft\": {\"scope\": 2, \"proof\": 3}, \"final\": {\"scope\": 7, \"proof\": 5}}", SEVEN_FIVE),
        ("{\"scope\": 2} is not enough, so {\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("Answer such as {\"scope\": 0, \"proof\": 0}.\n\n{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("{\"scope\": <score>, \"proof\": <score>}\n{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("<think>{\"scope\": 2, \"proof\": 3}", Refused("reasoning alone")),
        ("<think>hm</think>", Refused("reasoning alone")),
        ("<|channel|>analysis<|message|>{\"scope\": 2, \"proof\": 3}", Refused("reasoning alone")),
        ("{\"scope\": 2, \"proof\": 3}\n{\"scope\": 7, \"proof\": 5}", Refused("two answers")),
        ("[{\"scope\": 2, \"proof\": 3}, {\"scope\": 7, \"proof\": 5}]", Refused("two answers")),
        (
            "{\"a\": {\"scope\": 2, \"proof\": 3}, \"b\": {\"scope\": 7, \"proof\": 5}}",
            Refused("two sets of scores"),
        ),
        (
            "Final: {\"scope\": 7, \"proof\": 5}, at first {\"scope\": 2, \"proof\": 3}",
            Refused("two answers"),
        ),
        ("{\"scope\": 2, \"proof\": 3}, not final: {\"scope\": 7, \"proof\": 5}", Refused("two answers")),
        ("{\"scope\": 2, \"proof\": 3}\nFinal: {\"scope\": 7, \"proof\": 50}", Refused("50 for `proof`")),
        ("{\"scope\": 2, \"proof\": 3}\nFinal: {\"scope\": 7, \"proof\":", Refused("no whole JSON")),
        ("{\"scope\": 2, \"proof\": 3}\nFinal: {scope: 7, proof: 5}", Refused("no whole JSON")),
        ("{\"scope\": 2, \"proof\": 3}, or rather {\"scope\": 7}", Refused("none for `proof`")),
        ("{\"scope\": 2, \"proof\": 3, \"revised\": {\"scope\": 7}}", Refused("none for `proof`")),
        ("{\"scope\": 0, \"proof\": 0}", Refused("what the prompt itself says")),
        ("Answer such as {\"scope\": 0, \"proof\": 0}.", Refused("what the prompt itself says")),
        ("```json\n{\n  \"scope\": 0,\n  \"proof\": 0\n}\n```", Refused("what the prompt itself says")),
        ("{\"scope\": <score>, \"proof\": <score>}", Refused("no whole JSON")),
    ];
    counted("drafts, reasoning and echoes", &cases, said);
}

#[test]
fn scores_are_read_in_the_forms_models_give_them() {
    let cases = [
        ("{\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("{\"scope\": \"7\", \"proof\": \"5.0\"}", SEVEN_FIVE),
        ("{\"scope\": \"7/10\", \"proof\": \"5 / 10\"}", SEVEN_FIVE),
        ("{\"scope\": \"7 out of 10\", \"proof\": \" 5 \"}", SEVEN_FIVE),
        (
            "{\"scope\": {\"score\": \"7\", \"reason\": \"x\"}, \"proof\": {\"score\": \"5\", \"reason\": \"y\"}}",
            SEVEN_FIVE,
        ),
        ("{\"scope\": {\"Score\": 7, \"proof\": \"cited\"}, \"proof\": {\"value\": 5}}", SEVEN_FIVE),
        ("{\"scope\": 7, \"proof\": 5,}", SEVEN_FIVE),
        (
            "{\"scope\": {\"score\": 7, \"reason\": \"x\",}, \"proof\": {\"score\": 5, \"reason\": \"y\"},}",
            SEVEN_FIVE,
        ),
        ("{\"reason\": \"line one\nline two\ttab\", \"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("{\"scores\": {\"scope\": 7, \"proof\": 5}}", SEVEN_FIVE),
        ("{\"answer\": {\"scope\": 7, \"proof\": 5}}", SEVEN_FIVE),
        ("{\"result\": [{\"scope\": 7, \"proof\": 5}]}", SEVEN_FIVE),
        ("{\"dimensions\": {\"scope\": 7, \"proof\": 5}}", SEVEN_FIVE),
        ("{\"news_analysis\": {\"dimensions\": {\"scope\": 7, \"proof\": 5}}, \"scope\": 1}", SEVEN_FIVE),
        (
            "{\"scores\": {\"scope\": 7, \"proof\": 5}, \"reasons\": {\"scope\": \"far\", \"proof\": \"cited\"}}",
            SEVEN_FIVE,
        ),
        ("{\"Scope\": 7, \"PROOF\": 5}", SEVEN_FIVE),
        ("{\" scope \": 7, \"proof\": 5, \"total\": 12}", SEVEN_FIVE),
        ("{\"scope\": 7.0, \"proof\": 5e0}", SEVEN_FIVE),
        ("{'scope': 7, 'proof': 5, 'reason': 'it's far', 'x': None}", SEVEN_FIVE),
        ("{\"scope\": 7, // far\n \"proof\": 5 /* cited */}", SEVEN_FIVE),
        ("Here it is:\n```json\n{\"scope\": 7, \"proof\": 5}\n```\nDone {really}.", SEVEN_FIVE),
        ("The set {a, b} gives {\"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("\u{feff}{\"scope\": 7, \"proof\": 5, \"reason\": \"\\ud83d\"}", SEVEN_FIVE),
        ("{\"scope\": 7, \"scope\": 7, \"proof\": 5}", SEVEN_FIVE),
        ("{\"scope\": 7, \"scope\": 3, \"proof\": 5}", Refused("7 and 3 for `scope`")),
        ("{\"scope\": 7, \"Scope\": 3, \"proof\": 5}", Refused("7 and 3 for `scope`")),
        ("{\"scope\": {\"score\": 7, \"rating\": 3}, \"proof\": 5}", Refused("7 and 3 for `scope`")),
        ("{\"scope\": \"7/20\", \"proof\": 5}", Refused("another scale")),
        ("{\"scope\": \"3/5\", \"proof\": 5}", Refused("another scale")),
        ("{\"scope\": \"70%\", \"proof\": 5}", Refused("\"70%\" for `scope`")),
        ("{\"scope\": \"7-8\", \"proof\": 5}", Refused("\"7-8\" for `scope`")),
        ("{\"scope\": \"7,5\", \"proof\": 5}", Refused("\"7,5\" for `scope`")),
        ("{\"scope\": \"about 7\", \"proof\": 5}", Refused("\"about 7\" for `scope`")),
        ("{\"scope\": \"seven\", \"proof\": 5}", Refused("\"seven\" for `scope`")),
        ("{\"scope\": \"high\", \"proof\": \"low\"}", Refused("\"high\" for `scope`")),
        ("{\"scope\": \"inf\", \"proof\": 5}", Refused("\"inf\" for `scope`")),
        ("{\"scope\": null, \"proof\": 1}", Refused("null for `scope`")),
        ("{\"scope\": true, \"proof\": 1}", Refused("true for `scope`")),
        ("{\"scope\": [7], \"proof\": 1}", Refused("a list for `scope`")),
        ("{\"scope\": -1, \"proof\": 1}", Refused("-1 for `scope`")),
        ("{\"scope\": 7, \"proof\": 11}", Refused("11 for `proof`")),
        ("{\"scope\": 7}", Refused("none for `proof`")),
        ("{\"scope\": 7", Refused("no whole JSON")),
        (
            "{\"scope\": 7, \"proof\": 5, \"confidence\": {\"scope\": 0.9, \"proof\": 0.8}}",
            Refused("two sets of scores"),
        ),
        ("scope: 7, proof: 5", Refused("scope: 7")),
        ("I cannot do that.", Refused("I cannot do that.")),
        ("", Refused("empty answer")),
    ];
    counted("scores of a model", &cases, said);
}

#[test]
fn a_fraction_is_read_only_where_its_scale_is_the_rubrics() {
    let read = |highest: &str| {
        let rubric = manyview_oracle::Rubric { range: [0.0, highest.parse().unwrap()], ..rubric() };
        let scores = rubric.scores("{\"scope\": \"4/5\", \"proof\": 1}", "")?;
        Ok(scores.iter().map(f64::to_string).collect::<Vec<_>>().join(" "))
    };
    let refused = Refused("another scale");
    let cases = [("5", Right("4 1")), ("1", refused), ("10", refused), ("100", refused)];
    counted("4/5 by the highest score", &cases, read);
}
