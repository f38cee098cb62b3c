//! What a model wrote down before its answer.

/// Names of marks around reasoning, such as `<think>`.
const NAMES: &[&str] = &[
    "analysis",
    "chain_of_thought",
    "cot",
    "deliberation",
    "draft",
    "reasoning",
    "reasoning_content",
    "reflection",
    "scratchpad",
    "think",
    "thinking",
    "thought",
    "thoughts",
    "thought_process",
];

/// The text without the reasoning in it: between marks, or before one that only closes, or after one that only opens.
pub(crate) fn without_reasoning(text: &str) -> String {
    let text = of_channels(text);
    let mut kept = String::new();
    let (mut open, mut at) = (Vec::new(), 0);
    for mark in marks(&text) {
        let before = text.get(at..mark.start).unwrap_or_default();
        match (mark.closes, open.iter().rposition(|name| *name == mark.name)) {
            (false, _) => {
                if open.is_empty() {
                    kept.push_str(before);
                }
                open.push(mark.name);
            }
            (true, Some(place)) => open.truncate(place),
            // The opening mark stood in the prompt, or was lost.
            (true, None) => kept.clear(),
        }
        at = mark.end;
    }
    if open.is_empty() {
        kept.push_str(text.get(at..).unwrap_or_default());
    }
    kept
}

/// Where the text comes in channels, as gpt-oss writes them, what the last of the name `final` says.
fn of_channels(text: &str) -> String {
    const CHANNEL: &str = "<|channel|>";
    if text.contains(CHANNEL) {
        let finals = text.split(CHANNEL).skip(1).filter(|channel| channel.trim_start().starts_with("final"));
        let said = finals.last().and_then(|channel| channel.split_once("<|message|>"));
        let said = said.map_or("", |(_, said)| said);
        let end = ["<|end|>", "<|return|>", "<|start|>"].iter().filter_map(|end| said.find(end)).min();
        return said.get(..end.unwrap_or(said.len())).unwrap_or_default().into();
    }
    // The same, after a server has taken the marks out.
    match text.trim_start().strip_prefix("analysis").and_then(|rest| rest.rsplit_once("assistantfinal")) {
        Some((_, said)) => said.into(),
        None => text.into(),
    }
}

/// A mark that opens or closes reasoning.
struct Mark<'a> {
    name: &'a str,
    closes: bool,
    start: usize,
    end: usize,
}

fn marks(text: &str) -> Vec<Mark<'static>> {
    const PAIRS: [(char, char); 3] = [('<', '>'), ('[', ']'), ('◁', '▷')];
    const LONGEST: usize = 64;
    let starts = text.char_indices().filter_map(|(start, c)| {
        let (_, close) = PAIRS.iter().find(|(open, _)| *open == c)?;
        let inside = text.get(start + c.len_utf8()..)?;
        let length = inside.char_indices().take(LONGEST).find(|(_, c)| c == close)?.0;
        let (name, closes) = named(inside.get(..length)?, c == '[')?;
        Some(Mark { name, closes, start, end: start + c.len_utf8() + length + close.len_utf8() })
    });
    starts.collect()
}

/// The name in a mark, and whether it closes.
fn named(inside: &str, square: bool) -> Option<(&'static str, bool)> {
    // In brackets only what is written in capitals is a mark: `[thinking]` may be a list.
    if square && inside.chars().any(char::is_lowercase) {
        return None;
    }
    let inside = inside.trim_matches('|').to_lowercase();
    if let "unused94" | "unused95" = inside.as_str() {
        return Some(("thought", inside == "unused95"));
    }
    let (mut name, mut closes) = match inside.strip_prefix('/') {
        Some(name) => (name, true),
        None => (inside.as_str(), false),
    };
    for (prefix, close) in [
        ("begin_of_", false),
        ("end_of_", true),
        ("start_", false),
        ("end_", true),
        ("seed:", false),
        ("ant", false),
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            (name, closes) = (rest, closes || close);
        }
    }
    let name = name.trim_start_matches(':');
    let name = name.split(char::is_whitespace).next().unwrap_or_default().replace('-', "_");
    NAMES.iter().find(|known| **known == name).map(|known| (*known, closes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_goes_in_every_form_it_comes_in() {
        for text in [
            "answer",
            "<think>draft</think>answer",
            "<think>\ndraft <think> more </think> draft</think>answer",
            "<thinking>draft</thinking>answer<thinking>draft</thinking>",
            "<THINK>draft</Think>answer",
            "<reasoning effort=\"high\">draft</reasoning>answer",
            "draft</think>answer",
            "draft <reasoning> draft </think> draft </reasoning>answer",
            "answer<think>draft",
            "[THINK]draft[/THINK]answer",
            "◁think▷draft◁/think▷answer",
            "<seed:think>draft</seed:think>answer",
            "<antThinking>draft</antThinking>answer",
            "<|begin_of_thought|>draft<|end_of_thought|>answer",
            "<|START_THINKING|>draft<|END_THINKING|>answer",
            "<unused94>thought\ndraft<unused95>answer",
            "<|channel|>analysis<|message|>draft<|end|><|start|>assistant<|channel|>final<|message|>answer<|return|>",
            "<|channel|>analysis<|message|>draft<|end|><|channel|>commentary<|message|>draft<|end|><|channel|>final \
             <|constrain|>json<|message|>answer",
            "analysisdraft about it.assistantfinalanswer",
        ] {
            assert_eq!(without_reasoning(text), "answer", "{text}");
        }
    }

    #[test]
    fn reasoning_without_an_end_leaves_nothing() {
        for text in [
            "<think>draft",
            "<|channel|>analysis<|message|>draft",
            "<think>a</think><thinking>draft",
            "draft</think>",
        ] {
            assert_eq!(without_reasoning(text), "", "{text}");
        }
    }

    #[test]
    fn other_marks_stay() {
        for text in
            ["<answer>7</answer>", "a < b and c > d", "[thinking]", "<b>7</b>", "analysis: 7", "<", "[", "◁"]
        {
            assert_eq!(without_reasoning(text), text);
        }
    }
}
