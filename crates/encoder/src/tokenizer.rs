use crate::{Error, Result};
use manyview_core::contained;
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;
use tokenizers::{Encoding, Tokenizer, TruncationParams};

/// Some times the largest there is.
const LARGEST: u64 = 128 << 20;

/// The tokenizer of a model: texts to ids, cut at a maximum length that counts the special tokens.
pub(crate) struct TextTokenizer {
    tokenizer: Tokenizer,
    vocabulary: usize,
    bytes: Vec<u8>,
}

/// The ids of one text, and whether its end was cut.
pub(crate) struct TokenIds {
    pub(crate) ids: Vec<u32>,
    pub(crate) truncated: bool,
}

impl TextTokenizer {
    /// Reads `tokenizer.json` for a model that knows ids below `vocabulary`.
    pub(crate) fn read(dir: &Path, vocabulary: usize, max_length: usize) -> Result<Self> {
        let path = dir.join("tokenizer.json");
        let length = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
        if length > LARGEST {
            let problem = format!("expected a tokenizer of at most {LARGEST} bytes, found {length}");
            return Err(Error::file(&path, problem));
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let damaged = || Error::file(&path, "a damaged tokenizer; fetch it again");
        let read = contained(|| Tokenizer::from_bytes(&bytes)).ok_or_else(damaged)?;
        let mut tokenizer = read.map_err(|e| Error::file(&path, e.to_string()))?;
        let size = tokenizer.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1);
        if size > vocabulary {
            let problem = format!(
                "expected ids below {vocabulary}, the model's vocab_size, found {}; this is another model's tokenizer",
                size - 1
            );
            return Err(Error::file(&path, problem));
        }
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_padding(None);
        tokenizer.with_truncation(Some(truncation)).map_err(|e| Error::file(&path, e.to_string()))?;
        Ok(Self { tokenizer, vocabulary, bytes })
    }

    /// The file it was read from, for the fingerprint.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The ids of each text.
    pub(crate) fn ids<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<TokenIds>> {
        let one = |(index, text): (usize, &S)| {
            self.encode(index, || self.tokenizer.encode_fast(text.as_ref(), true)).map(|(ids, _)| ids)
        };
        texts.par_iter().enumerate().map(one).collect()
    }

    /// The ids of each text, and the bytes of it that each token stands for; none for special tokens.
    pub(crate) fn ids_and_offsets(&self, texts: &[String]) -> Result<Vec<(TokenIds, Vec<Range<usize>>)>> {
        let one = |(index, text): (usize, &String)| {
            let (ids, encoding) = self.encode(index, || self.tokenizer.encode(text.as_str(), true))?;
            Ok((ids, encoding.get_offsets().iter().map(|&(start, end)| start..end).collect()))
        };
        texts.par_iter().enumerate().map(one).collect()
    }

    fn encode(
        &self,
        index: usize,
        encode: impl FnOnce() -> tokenizers::Result<Encoding>,
    ) -> Result<(TokenIds, Encoding)> {
        let bad = |problem: String| Error::Text { index, problem };
        let gave_up = || bad("the tokenizer gave up on it; is tokenizer.json damaged?".into());
        let encoding = contained(encode).ok_or_else(gave_up)?.map_err(|e| bad(e.to_string()))?;
        let ids = encoding.get_ids();
        if ids.is_empty() {
            return Err(bad(
                "expected at least one token, found none; drop empty texts for this tokenizer".into()
            ));
        }
        match ids.iter().find(|&&id| id as usize >= self.vocabulary) {
            Some(id) => {
                Err(bad(format!("token {id} is outside the model's vocabulary of {}", self.vocabulary)))
            }
            None => {
                let ids = TokenIds { ids: ids.to_vec(), truncated: !encoding.get_overflowing().is_empty() };
                Ok((ids, encoding))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    /// How many texts at the end have a million characters.
    const LONG: usize = 4;

    #[derive(Deserialize)]
    struct Golden {
        texts: Vec<(String, usize)>,
        ids: BTreeMap<String, Vec<[u64; 4]>>,
    }

    /// The number of ids, and a number made of them in order.
    fn digest(ids: &[u32]) -> [u64; 2] {
        let next = |sum: u128, id: &u32| (sum * 1_000_003 + u128::from(*id) + 1) % (1 << 61);
        [ids.len() as u64, ids.iter().fold(0, next) as u64]
    }

    #[test]
    #[allow(clippy::print_stdout)] // the figures of tests/README.md are printed
    fn a4_ids_of_odd_texts_are_those_of_python() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let golden: Golden = serde_json::from_slice(&std::fs::read(tests.join("ids.json")).unwrap()).unwrap();
        let texts: Vec<String> = golden.texts.iter().map(|(piece, times)| piece.repeat(*times)).collect();
        let mut compared = 0;
        for (name, expected) in &golden.ids {
            let dir = match name.as_str() {
                "minilm" => tests.join("../../../../data/minilm"),
                name => tests.join("models").join(name),
            };
            for (length, at) in [(usize::MAX, 0), (16, 2)] {
                let tokens = TextTokenizer::read(&dir, 1 << 20, length).unwrap();
                let texts = &texts[..if at == 0 { texts.len() } else { texts.len() - LONG }];
                for ((found, expected), (piece, times)) in
                    tokens.ids(texts).unwrap().iter().zip(expected).zip(&golden.texts)
                {
                    let (n, whole) = (expected[at], expected[0]);
                    assert_eq!(digest(&found.ids), [n, expected[at + 1]], "{name}: {piece:?} x {times}");
                    assert_eq!(found.truncated, n < whole, "{name}: {piece:?} x {times}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 8000, "{compared}");
        println!("reliability: A4 tried={compared} texts whose ids are those of Python");
    }
}
