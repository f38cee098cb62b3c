//! JSON as language models write it: with a comma too many, line breaks in strings, comments, Python's quotes and
//! words. What could be read in two ways is not read.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Names and values in their order; a name may come twice.
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    Text(String),
    Number(f64),
    /// `true`, `false` or `null`.
    Word(&'static str),
}

impl Node {
    /// What it is, for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Object(_) => "an object".into(),
            Self::List(_) => "a list".into(),
            Self::Text(text) => format!("{:?}", crate::rubric::start(text)),
            Self::Number(number) => number.to_string(),
            Self::Word(word) => (*word).into(),
        }
    }
}

/// The object that begins at byte `at` of `text`, and the byte behind it; none where it is not whole.
pub(crate) fn object_at(text: &str, at: usize) -> Option<(Node, usize)> {
    let mut reader = Reader { text, at, depth: 0 };
    let node = reader.value()?;
    matches!(node, Node::Object(_)).then_some((node, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    const DEEPEST: usize = 32;

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// Passes over white space and comments.
    fn gap(&mut self) {
        loop {
            let rest = self.rest();
            let words = rest.trim_start();
            let end = match words {
                words if words.starts_with("//") => words.find('\n').unwrap_or(words.len()),
                words if words.starts_with("/*") => words.find("*/").map_or(words.len(), |end| end + 2),
                _ => 0,
            };
            self.at += rest.len() - words.len() + end;
            if end == 0 {
                return;
            }
        }
    }

    fn value(&mut self) -> Option<Node> {
        self.gap();
        match self.rest().chars().next()? {
            '{' => self.within(|reader| {
                let mut pairs = Vec::new();
                while !reader.ends('}')? {
                    let name = reader.name()?;
                    reader.gap();
                    reader.takes(":").then_some(())?;
                    pairs.push((name, reader.value()?));
                    reader.separated('}')?;
                }
                Some(Node::Object(pairs))
            }),
            '[' => self.within(|reader| {
                let mut values = Vec::new();
                while !reader.ends(']')? {
                    values.push(reader.value()?);
                    reader.separated(']')?;
                }
                Some(Node::List(values))
            }),
            quote @ ('"' | '\'') => self.string(quote).map(Node::Text),
            _ => self.word(),
        }
    }

    fn within(&mut self, read: impl FnOnce(&mut Self) -> Option<Node>) -> Option<Node> {
        self.next();
        self.depth += 1;
        let node = if self.depth > Self::DEEPEST { None } else { read(self) };
        self.depth -= 1;
        node
    }

    /// Whether the bracket closes here; none at the end of the text.
    fn ends(&mut self, bracket: char) -> Option<bool> {
        self.gap();
        let here = self.rest().chars().next()? == bracket;
        self.at += usize::from(here);
        Some(here)
    }

    /// Passes over a comma, which the last value may have or not.
    fn separated(&mut self, bracket: char) -> Option<()> {
        self.gap();
        (self.takes(",") || self.rest().starts_with(bracket)).then_some(())
    }

    fn name(&mut self) -> Option<String> {
        match self.rest().chars().next()? {
            quote @ ('"' | '\'') => self.string(quote),
            _ => None,
        }
    }

    fn string(&mut self, quote: char) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                // An apostrophe is no end: what follows a string is one of four signs.
                '\'' if quote == '\'' => {
                    let rest = self.rest().trim_start();
                    match rest.is_empty() || rest.starts_with([',', ':', '}', ']']) {
                        true => return Some(text),
                        false => text.push('\''),
                    }
                }
                c if c == quote => return Some(text),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let first = self.unit()?;
                let pair = (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u");
                let second = if pair { self.second() } else { None };
                let units = [Some(first), second].into_iter().flatten();
                char::decode_utf16(units).next()?.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            c => c,
        })
    }

    /// The second half of a character pair, where there is one.
    fn second(&mut self) -> Option<u16> {
        let before = self.at;
        self.at += 2;
        let unit = self.unit().filter(|unit| (0xDC00..0xE000).contains(unit));
        if unit.is_none() {
            self.at = before;
        }
        unit
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    fn word(&mut self) -> Option<Node> {
        let rest = self.rest();
        let length =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
        let word = rest.get(..length)?;
        let node = match word {
            "true" | "True" => Node::Word("true"),
            "false" | "False" => Node::Word("false"),
            "null" | "None" | "NaN" => Node::Word("null"),
            number => Node::Number(decimal(number)?),
        };
        self.at += length;
        Some(node)
    }
}

/// A number of digits, perhaps with a sign, a point and an exponent; not `inf`, `nan`, `.5` or `7.`.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let fits = digits(whole) && digits(part) && digits(exponent);
    text.parse().ok().filter(|number: &f64| fits && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Node> {
        object_at(text, 0).map(|(node, _)| node)
    }

    #[test]
    fn what_can_only_mean_one_thing_is_read() {
        let expected = Node::Object(vec![
            ("a".into(), Node::Number(7.0)),
            ("b".into(), Node::List(vec![Node::Text("x\ny".into()), Node::Word("null")])),
        ]);
        for text in [
            r#"{"a": 7, "b": ["x\ny", null]}"#,
            "{\"a\": 7.0, \"b\": [\"x\ny\", null,],} and more",
            "{'a': +7, 'b': ['x\\ny', None]}",
            "{ // first\n\"a\": 7e0, /* second */ \"b\": [\"x\\u000ay\", NaN]}",
        ] {
            assert_eq!(read(text), Some(expected.clone()), "{text}");
        }
        let said = |text: &str| Some(Node::Object(vec![("a".into(), Node::Text(text.into()))]));
        assert_eq!(read("{'a': 'it's'}"), said("it's"));
        assert_eq!(read(r#"{"a": "\ud83d\ude00 \ud83d \ud83d\u0041"}"#), said("😀 \u{fffd} \u{fffd}A"));
    }

    #[test]
    fn what_is_not_whole_or_not_json_is_not_read() {
        for text in [
            "{",
            "{\"a\"",
            "{\"a\": 7",
            "{a: 7}",
            "{\"a\" 7}",
            "{\"a\": 7 \"b\": 8}",
            "{\"a\": .5}",
            "{\"a\": inf}",
            "{\"a\": \"7}",
            "{\"a\": 1e999}",
            "{\"a\": \"\\u12\"}",
            "{,}",
            "{\"a\": <0-10>}",
            "{\"a\": 0-10}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"{\"a\":".repeat(10_000)), None);
    }

    proptest! {
        #[test]
        fn whatever_json_says_is_read_as_it_says(text in "[ -~é\n\"\\\\]{0,40}", number in -1e9f64..1e9) {
            let json = serde_json::json!({ "t": text, "n": number }).to_string();
            let pairs = vec![("t".to_string(), Node::Text(text)), ("n".into(), Node::Number(number))];
            let sorted = |node: Node| match node {
                Node::Object(mut pairs) => { pairs.sort_by(|a, b| b.0.cmp(&a.0)); pairs }
                _ => Vec::new(),
            };
            prop_assert_eq!(read(&json).map(sorted), Some(pairs));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\{[ -~{}\"'\\\\\\[\\]:,0-9é\n/*u]{0,80}") {
            if let Some((_, end)) = object_at(&text, 0) {
                prop_assert!(text.is_char_boundary(end) && end <= text.len());
            }
        }
    }
}
