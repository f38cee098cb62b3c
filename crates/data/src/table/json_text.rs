//! JSON as Python writes it, with the text of each value: numbers stay as they are written, `NaN` and `Infinity` are
//! values, and half of a character pair is U+FFFD.

use serde_json::{Number, Value};

/// The names of an object and the text of each value.
pub(super) type Pairs<'a> = Vec<(String, &'a str)>;

/// The names and values of the object that is all of `text`; of a name that comes twice, the last.
///
/// # Errors
/// What is wrong, and in which column.
pub(super) fn object(text: &str) -> Result<Pairs<'_>, String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let pairs = reader.object()?;
    reader.gap();
    match reader.peek() {
        None => Ok(pairs),
        Some(_) => Err(reader.wrong("the end of the line")),
    }
}

/// The texts of the values of the array that is all of `text`.
///
/// # Errors
/// As [`object`].
pub(super) fn array(text: &str) -> Result<Vec<&str>, String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.gap();
    let mut values = Vec::new();
    reader.items('[', ']', |reader| {
        values.push(reader.value()?);
        Ok(())
    })?;
    reader.gap();
    match reader.peek() {
        None => Ok(values),
        Some(_) => Err(reader.wrong("the end of the file")),
    }
}

/// A value without a list or object in it, as a cell of a table: `null` and `NaN` are none.
pub(super) fn cell(value: &str) -> Option<Option<String>> {
    match value.as_bytes().first() {
        Some(b'"') => Some(string(value)),
        Some(b'[' | b'{') => None,
        _ if matches!(value, "null" | "NaN") => Some(None),
        _ => Some(Some(value.into())),
    }
}

/// A value; a number that floats cannot hold becomes a string, so that it is written again as it was.
pub(super) fn value(text: &str) -> Value {
    let read = serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_python(text)));
    match read {
        Ok(Value::Number(number)) if !holds(&number, text) => Value::String(text.into()),
        Ok(value) => value,
        // A number beyond the largest float.
        Err(_) => Value::String(text.into()),
    }
}

fn holds(number: &Number, text: &str) -> bool {
    const EXACT: usize = 17;
    number.is_i64() || number.is_u64() || text.bytes().filter(u8::is_ascii_digit).count() <= EXACT
}

/// A string, decoded; halves of pairs are U+FFFD.
fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_python(text))).ok()
}

/// The same JSON without what only Python's reader takes.
fn without_python(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let (mut rest, mut inside) = (text, false);
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '"' => inside = !inside,
            '\\' if inside => {
                length = escape(rest);
                let half = unit(rest).is_some_and(|unit| (0xD800..0xE000).contains(&unit)) && length == 6;
                mended.push_str(if half { "\\ufffd" } else { rest.get(..length).unwrap_or_default() });
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            'N' | 'I' | '-' if !inside => {
                let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
                if let Some(word) = word {
                    mended.push_str("null");
                    rest = rest.get(word.len()..).unwrap_or_default();
                    continue;
                }
            }
            _ => {}
        }
        mended.push_str(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    mended
}

/// The length of the escape at the start: that of both halves of a pair where there are two.
fn escape(text: &str) -> usize {
    let surrogate = |from: usize, low: u32| {
        text.get(from..).and_then(unit).is_some_and(|unit| (low..low + 0x400).contains(&unit))
    };
    match text.as_bytes().get(1) {
        Some(b'u') if surrogate(0, 0xD800) && surrogate(6, 0xDC00) => 12,
        Some(b'u') => 6,
        _ => text.chars().take(2).map(char::len_utf8).sum(),
    }
}

/// The number of an escape such as `\ud83d` at the start.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    const DEEPEST: usize = 128;

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn wrong(&self, expected: &str) -> String {
        let column = self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        match self.peek() {
            Some(found) => format!("column {column}: expected {expected}, found {found:?}"),
            None => format!("column {column}: expected {expected}, found the end"),
        }
    }

    fn gap(&mut self) {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn object(&mut self) -> Result<Pairs<'a>, String> {
        let mut pairs: Pairs<'a> = Vec::new();
        self.gap();
        self.items('{', '}', |reader| {
            let name = reader.name()?;
            let value = reader.value()?;
            match pairs.iter_mut().find(|(other, _)| *other == name) {
                Some((_, before)) => *before = value,
                None => pairs.push((name, value)),
            }
            Ok(())
        })?;
        Ok(pairs)
    }

    fn name(&mut self) -> Result<String, String> {
        self.gap();
        let start = self.at;
        if self.peek() != Some('"') {
            return Err(self.wrong("a name in double quotes"));
        }
        self.string()?;
        let name = self.text.get(start..self.at).and_then(string);
        self.gap();
        if self.peek() != Some(':') {
            return Err(self.wrong("`:`"));
        }
        self.at += 1;
        name.ok_or_else(|| self.wrong("a name"))
    }

    /// The items between two brackets, with commas between them.
    fn items(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.peek() != Some(open) {
            return Err(self.wrong(&format!("`{open}`")));
        }
        self.at += 1;
        self.depth += 1;
        if self.depth > Self::DEEPEST {
            return Err(self.wrong("at most 128 levels"));
        }
        self.gap();
        let mut first = true;
        while self.peek() != Some(close) || !first {
            item(self)?;
            first = false;
            self.gap();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(c) if c == close => break,
                _ => return Err(self.wrong(&format!("`,` or `{close}`"))),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Passes over a value, and gives its text.
    fn value(&mut self) -> Result<&'a str, String> {
        self.gap();
        let start = self.at;
        match self.peek() {
            Some('"') => self.string()?,
            Some('{') => self.items('{', '}', |reader| {
                reader.name()?;
                reader.value().map(drop)
            })?,
            Some('[') => self.items('[', ']', |reader| reader.value().map(drop))?,
            _ => self.word()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn string(&mut self) -> Result<(), String> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    match bytes.get(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                        Some(b'u') if unit(rest).is_some() && !rest.starts_with("\\u+") => self.at += 6,
                        _ => return Err(self.wrong("an escape of JSON")),
                    }
                }
                Some(0..0x20) => return Err(self.wrong("no control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("a closing quote")),
            }
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if !matches!(word, "true" | "false" | "null" | "NaN" | "Infinity" | "-Infinity") && !is_number(word) {
            return Err(self.wrong("a value"));
        }
        self.at += end;
        Ok(())
    }
}

/// Whether this is a number of JSON.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(part) && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_python_writes_is_read_and_what_is_no_json_is_not() {
        for (text, number) in
            [(r#"{"a": NaN, "b": [Infinity, {"c": -Infinity}]}"#, 2), ("{}", 0), (r#" {"a":1 } "#, 1)]
        {
            assert_eq!(object(text).map(|pairs| pairs.len()), Ok(number), "{text}");
        }
        for text in [
            "",
            "[]",
            "{",
            "{}}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":nan}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u+123\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":+1}",
            "{\"a\":[1 2]}",
            "{a:1}",
            "{\"a\":\"x}",
        ] {
            assert!(object(text).is_err(), "{text}");
        }
        assert!(object(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn halves_of_pairs_become_the_mark_for_what_is_unknown() {
        for (text, expected) in [
            (r#""a \ud83d b""#, "a \u{fffd} b"),
            (r#""\udce2\udc80\udc99""#, "\u{fffd}\u{fffd}\u{fffd}"),
            (r#""\ud83d\ude00 \ud83d""#, "😀 \u{fffd}"),
            (r#""\\ud83d \ud83d\u0041""#, "\\ud83d \u{fffd}A"),
        ] {
            assert_eq!(string(text).as_deref(), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn what_serde_reads_is_read_the_same(text in "[ -~é\n\"\\\\]{0,20}", n in any::<i64>(), f in -1e6f64..1e6) {
            let json = serde_json::json!({ "t": text, "n": n, "f": f, "l": [text, {"x": null}], "b": true }).to_string();
            let pairs = object(&json).unwrap();
            prop_assert_eq!(pairs.len(), 5);
            let back: serde_json::Map<String, Value> =
                pairs.into_iter().map(|(name, raw)| (name, value(raw))).collect();
            prop_assert_eq!(Value::Object(back).to_string(), json);
        }

        #[test]
        fn what_is_taken_of_any_text_is_json_but_for_what_python_adds(text in "\\{[ -~{}\"\\\\\\[\\]:,0-9é\nNaIu]{0,40}") {
            if object(&text).is_ok() {
                prop_assert!(serde_json::from_str::<Value>(&without_python(&text)).is_ok(), "{}", text);
            } else {
                prop_assert!(serde_json::from_str::<serde_json::Map<String, Value>>(&text).is_err(), "{}", text);
            }
        }
    }
}
