//! Whether a tab-separated file quotes its fields. Most do not: a `"` is then a character of the text.

use super::packed::{Packed, unread};
use crate::{Error, Result};
use std::io::BufRead;
use std::path::Path;

/// How the quotes of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Around fields, as in CSV.
    Fields,
    /// As characters of the text, but for fields that begin and end with one.
    Text,
}

/// Looks through the whole file, and takes the way of reading in which it is a table.
///
/// # Errors
/// Neither; the line is named where a quote begins that does not end as one.
pub(super) fn look(path: &Path) -> Result<Quoting> {
    let (mut quoted, mut plain) = (Quoted::default(), Plain::default());
    let mut reader = Packed::open(path)?;
    let mut first = true;
    loop {
        let bytes = reader.fill_buf().map_err(unread(path))?;
        if bytes.is_empty() {
            break;
        }
        let (length, mark) = (bytes.len(), if first && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 });
        for &byte in bytes.iter().skip(mark) {
            quoted.take(byte);
            plain.take(byte);
        }
        first = false;
        reader.consume(length);
    }
    quoted.finish();
    plain.end();
    let even = plain.odd.is_none();
    let wide = plain.fields.is_some_and(|fields| fields > 1);
    match (quoted.begun, quoted.odd) {
        (0, _) => Ok(Quoting::Fields),
        // Every line is a row by itself: only by chance would lines within quotes be.
        (_, None) if !(quoted.spans > 0 && even && wide) => {
            if quoted.spans > 0 && even {
                tracing::warn!(
                    "{}, line {}: a quote begins a text of several lines; were it a character of the text, each line \
                     would be a row",
                    path.display(),
                    quoted.spans
                );
            }
            Ok(Quoting::Fields)
        }
        _ if even => Ok(Quoting::Text),
        // A file that quotes has other faults, which its reader tells.
        (_, None) => Ok(Quoting::Fields),
        (_, Some(line)) => {
            let (at, expected, found) = plain.odd.unwrap_or_default();
            Err(Error::line(
                path,
                line,
                format!(
                    "a quote begins a field and does not end it, and without quoting line {at} has {found} fields in \
                     place of {expected}; quote such a field whole, with its quotes doubled, or take the quotes out"
                ),
            ))
        }
    }
}

/// The file with quotes around fields.
#[derive(Default)]
struct Quoted {
    state: State,
    line: u64,
    /// The line where the field begins.
    start: u64,
    after_return: bool,
    /// Fields that begin with a quote.
    begun: u64,
    /// The line of a quote that is not as programs that quote write it, from 1.
    odd: Option<u64>,
    /// The line of the first quote around a line break, or 0.
    spans: u64,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Start,
    Bare,
    Quotes,
    /// Behind a quote within quotes.
    Closing,
}

impl Quoted {
    fn take(&mut self, byte: u8) {
        let (begins, ends) = (byte == b'"', matches!(byte, b'\t' | b'\n' | b'\r'));
        self.state = match self.state {
            State::Start if begins => {
                self.begun += 1;
                self.start = self.line + 1;
                State::Quotes
            }
            State::Start | State::Bare => {
                if begins {
                    // Who quotes would have put quotes around this field.
                    self.note(self.line + 1);
                }
                if ends { State::Start } else { State::Bare }
            }
            State::Quotes if begins => State::Closing,
            State::Quotes => {
                if self.spans == 0 && matches!(byte, b'\n' | b'\r') {
                    self.spans = self.start;
                }
                State::Quotes
            }
            State::Closing if begins => State::Quotes,
            State::Closing if ends => State::Start,
            State::Closing => {
                self.note(self.start);
                State::Quotes
            }
        };
        if byte == b'\r' || (byte == b'\n' && !self.after_return) {
            self.line += 1;
        }
        self.after_return = byte == b'\r';
    }

    fn note(&mut self, line: u64) {
        self.odd.get_or_insert(line);
    }

    fn finish(&mut self) {
        if self.state == State::Quotes {
            self.note(self.start);
        }
    }
}

/// The file with a row in each line.
#[derive(Default)]
struct Plain {
    line: u64,
    tabs: usize,
    bytes: usize,
    after_return: bool,
    /// Fields of the first line.
    fields: Option<usize>,
    /// The first line with another number: the line, that of the first, its own.
    odd: Option<(u64, usize, usize)>,
}

impl Plain {
    fn take(&mut self, byte: u8) {
        match byte {
            b'\n' if self.after_return => {}
            b'\n' | b'\r' => self.end(),
            _ => {
                self.tabs += usize::from(byte == b'\t');
                self.bytes += 1;
            }
        }
        self.after_return = byte == b'\r';
    }

    fn end(&mut self) {
        self.line += 1;
        if self.bytes > 0 {
            let found = self.tabs + 1;
            let expected = *self.fields.get_or_insert(found);
            if found != expected {
                self.odd.get_or_insert((self.line, expected, found));
            }
        }
        (self.tabs, self.bytes) = (0, 0);
    }
}

/// A field without the quotes around it, where there are two and those within are doubled.
pub(super) fn without_quotes(field: &str) -> Option<String> {
    let inside = field.strip_prefix('"')?.strip_suffix('"')?;
    let single = inside.replace("\"\"", "");
    (!single.contains('"')).then(|| inside.replace("\"\"", "\""))
}
