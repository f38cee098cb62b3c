/// A wording, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    /// Words that may be left out.
    Optional(Vec<String>),
    Number,
    Topic,
}

/// What stood in the places of a wording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) n: Option<usize>,
    pub(super) topic: Option<String>,
}

/// Numbers of sentences more than this are not meant.
const MOST: usize = 1000;
const NUMBERS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

impl Pattern {
    /// Reads a wording: words, `{n}`, `{topic}`, `[words]`.
    pub(super) fn parse(says: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = says.trim();
        while !rest.is_empty() {
            let (part, after) = match rest.strip_prefix('[') {
                Some(inner) => {
                    let (inner, after) =
                        inner.split_once(']').ok_or_else(|| format!("`{says}`: a [ without its ]"))?;
                    (Part::Optional(words(inner).map(|(_, word)| word).collect()), after)
                }
                None => {
                    let end = rest.find(|c: char| c.is_whitespace() || c == '[').unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    let part = match word {
                        "{n}" => Part::Number,
                        "{topic}" => Part::Topic,
                        word if word.contains(['{', '}', ']']) => {
                            return Err(format!(
                                "`{says}`: expected {{n}}, {{topic}} or [words], found `{word}`"
                            ));
                        }
                        word => Part::Word(bare(word)),
                    };
                    (part, after)
                }
            };
            parts.push(part);
            rest = after.trim_start();
        }
        let count = |part: Part| parts.iter().filter(|own| **own == part).count();
        if count(Part::Topic) > 1 || count(Part::Number) > 1 {
            return Err(format!("`{says}`: expected {{n}} and {{topic}} once each at most"));
        }
        match parts.iter().any(|part| matches!(part, Part::Word(word) if !word.is_empty())) {
            true => Ok(Self { parts }),
            false => {
                Err(format!("`{says}`: expected at least one word besides {{n}}, {{topic}} and [words]"))
            }
        }
    }

    /// What stands in its places, where the whole instruction has this wording.
    pub(super) fn find(&self, instruction: &str) -> Option<Found> {
        let words: Vec<(&str, String)> = words(instruction).collect();
        fits(&self.parts, &words, instruction)
    }
}

fn fits(parts: &[Part], words: &[(&str, String)], instruction: &str) -> Option<Found> {
    let Some((part, parts)) = parts.split_first() else {
        return words.is_empty().then(Found::default);
    };
    match part {
        Part::Word(word) => {
            let (first, rest) = words.split_first()?;
            if first.1 == *word { fits(parts, rest, instruction) } else { None }
        }
        Part::Optional(optional) => {
            let begins = words.len() >= optional.len() && optional.iter().zip(words).all(|(a, b)| *a == b.1);
            let with = begins.then(|| fits(parts, words.get(optional.len()..)?, instruction)).flatten();
            with.or_else(|| fits(parts, words, instruction))
        }
        Part::Number => {
            let (first, rest) = words.split_first()?;
            let n = NUMBERS.iter().position(|word| *word == first.1).or_else(|| first.1.parse().ok())?;
            let found = fits(parts, rest, instruction)?;
            (1..=MOST).contains(&n).then_some(Found { n: Some(n), ..found })
        }
        Part::Topic => (1..=words.len()).find_map(|count| {
            let (own, rest) = words.split_at_checked(count)?;
            let found = fits(parts, rest, instruction)?;
            let (first, last) = (own.first()?.0, own.last()?.0);
            let start = first.as_ptr() as usize - instruction.as_ptr() as usize;
            let end = last.as_ptr() as usize - instruction.as_ptr() as usize + last.len();
            let topic = instruction.get(start..end)?.trim_end_matches(['.', '!', '?', ':', ',']);
            Some(Found { topic: Some(topic.to_string()), ..found })
        }),
    }
}

/// The words of an instruction, as they stand and as they are compared; those of nothing but punctuation are left out.
fn words(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.split_whitespace().map(|word| (word, bare(word))).filter(|(_, bare)| !bare.is_empty())
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(says: &str, instruction: &str) -> Option<(Option<usize>, Option<String>)> {
        Pattern::parse(says).unwrap().find(instruction).map(|found| (found.n, found.topic))
    }

    #[test]
    fn places_are_filled_and_optional_words_may_be_absent() {
        let says = "summarise [the text] in {n} sentences";
        assert_eq!(found(says, "Summarise in 3 sentences."), Some((Some(3), None)));
        assert_eq!(found(says, "  summarise THE text, in ten sentences!"), Some((Some(10), None)));
        assert_eq!(found(says, "Summarise in 0 sentences"), None);
        assert_eq!(found(says, "Summarise in many sentences"), None);
        assert_eq!(found(says, "Please summarise in 3 sentences"), None);
        assert_eq!(
            found("list the dates of {topic}", "List the dates of the Second War?"),
            Some((None, Some("the Second War".into())))
        );
        assert_eq!(found("list the dates of {topic}", "List the dates of"), None);
    }

    #[test]
    fn wordings_that_mean_nothing_are_refused() {
        for says in
            ["", "{n}", "{topic} {n}", "[the]", "say {m}", "say [it", "say {topic} and {topic}", "a ] b"]
        {
            assert!(Pattern::parse(says).is_err(), "{says}");
        }
    }
}
