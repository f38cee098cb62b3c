//! The tokenizer of a model, as transformers and sentence-transformers build it from all their files.

mod added;
mod class;
mod parts;
mod settings;

use crate::layout::Layout;
use crate::{Error, Result, json_file};
use manyview_core::contained;
use parts::Parts;
use rayon::prelude::*;
pub(crate) use settings::Settings;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::{
    Encoding, NormalizerWrapper, PostProcessor, Tokenizer, TruncationDirection, TruncationParams,
};

/// Some times the largest there is.
const LARGEST: u64 = 128 << 20;

/// The tokenizer of a model: texts to ids, cut at a maximum length that counts the special tokens.
pub(crate) struct TextTokenizer {
    tokenizer: Tokenizer,
    /// The same without a limit, made when it is first asked for.
    whole: OnceLock<Option<Tokenizer>>,
    vocabulary: usize,
    bytes: Vec<u8>,
    changed: Option<String>,
}

/// The ids of one text, and whether its end was cut.
pub(crate) struct TokenIds {
    pub(crate) ids: Vec<u32>,
    pub(crate) truncated: bool,
}

impl TextTokenizer {
    /// Reads `tokenizer.json`, or `vocab.txt` where it is not there, and builds what the settings make of it, for a
    /// model that knows ids below `vocabulary`.
    pub(crate) fn read(
        layout: &Layout,
        settings: &Settings,
        vocabulary: usize,
        max_length: usize,
    ) -> Result<Self> {
        let (path, bytes) = file(&layout.transformer, settings)?;
        let other = |e: tokenizers::Error| Error::file(&path, e.to_string());
        let mut read = match path.ends_with(VOCABULARY) {
            true => {
                settings.class.tokenizer_of(&path, &bytes)?.ok_or_else(|| missing(&layout.transformer))?
            }
            false => {
                contained(|| Tokenizer::from_bytes(&bytes)).ok_or_else(|| damaged(&path))?.map_err(other)?
            }
        };
        let size = read.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1);
        if size > vocabulary {
            let problem = format!(
                "expected ids below {vocabulary}, the model's vocab_size, found {}; this is another model's tokenizer",
                size - 1
            );
            return Err(Error::file(&path, problem));
        }
        let direction = settings.truncation(&read)?;
        read.with_padding(None);
        let before = contained(|| Parts::of(&read)).ok_or_else(|| damaged(&path))?;
        let built =
            contained(|| settings.class.build(read, settings, &path)).ok_or_else(|| damaged(&path))?;
        let (mut tokenizer, same_model) = built?;
        if layout.reading.do_lower_case {
            lower_case(&mut tokenizer).map_err(other)?;
        }
        tokenizer.set_encode_special_tokens(settings.splits_special_tokens()?);
        let added = tokenizer.get_post_processor().map_or(0, |specials| specials.added_tokens(false));
        if max_length <= added {
            let problem =
                format!("expected a limit above {added}, its special tokens, found {max_length} tokens");
            return Err(Error::file(settings.path(), problem));
        }
        let truncation = TruncationParams { max_length, direction, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(other)?;
        let after = contained(|| Parts::of(&tokenizer)).ok_or_else(|| damaged(&path))?;
        let as_read = same_model && after == before && direction == TruncationDirection::Right;
        let side = if direction == TruncationDirection::Right { "right" } else { "left" };
        let changed = match as_read && path.ends_with(TOKENIZER) {
            true => None,
            false => {
                Some(after.describe(serde_json::json!([settings.class_and_unknown(), same_model, side])))
            }
        };
        Ok(Self { tokenizer, whole: OnceLock::new(), vocabulary, bytes, changed })
    }

    /// The file it was read from, for the fingerprint.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How texts are read, where that is not what `tokenizer.json` alone says, for the fingerprint.
    pub(crate) fn changed(&self) -> Option<&str> {
        self.changed.as_deref()
    }

    /// Whether it gives tokens of a second kind, as it does for the second text of a pair.
    pub(crate) fn marks_a_second_text(&self) -> bool {
        let encoding = contained(|| self.tokenizer.encode_fast("a", true));
        encoding.is_some_and(|found| found.is_ok_and(|found| found.get_type_ids().iter().any(|&id| id != 0)))
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

    /// How many tokens of a text that begins with `prompt` are those of the prompt, as sentence-transformers counts them:
    /// all of the prompt's by itself, but for a special one at the end.
    pub(crate) fn prompt_length(&self, prompt: &str) -> Result<usize> {
        let (ids, encoding) = self.encode(0, || self.tokenizer.encode(prompt, true))?;
        let ends_special = encoding.get_special_tokens_mask().last() == Some(&1);
        Ok(ids.ids.len() - usize::from(ends_special))
    }

    /// The bytes that each token of a text stands for, in order, those behind the limit included and special tokens not.
    pub(crate) fn offsets(&self, index: usize, text: &str) -> Result<Vec<Range<usize>>> {
        let whole = self.whole.get_or_init(|| {
            let mut whole = self.tokenizer.clone();
            let without_limit = whole.with_truncation(None).is_ok();
            without_limit.then_some(whole)
        });
        let whole = whole.as_ref().unwrap_or(&self.tokenizer);
        let encoding = contained(|| whole.encode(text, false)).ok_or_else(|| gave_up(index))?;
        let encoding = encoding.map_err(|e| Error::Text { index, problem: e.to_string() })?;
        let mut last = 0..0; // a token of white space alone may stand for no byte, wherever it is
        let in_order = |&(start, end): &(usize, usize)| {
            last = last.start.max(start)..last.end.max(end);
            last.clone()
        };
        Ok(encoding.get_offsets().iter().map(in_order).collect())
    }

    fn encode(
        &self,
        index: usize,
        encode: impl FnOnce() -> tokenizers::Result<Encoding>,
    ) -> Result<(TokenIds, Encoding)> {
        let bad = |problem: String| Error::Text { index, problem };
        let encoding = contained(encode).ok_or_else(|| gave_up(index))?.map_err(|e| bad(e.to_string()))?;
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

fn gave_up(index: usize) -> Error {
    Error::Text { index, problem: "the tokenizer gave up on it; is tokenizer.json damaged?".into() }
}

/// The file of the fast tokenizer, and the one of a vocabulary by itself.
const TOKENIZER: &str = "tokenizer.json";
const VOCABULARY: &str = "vocab.txt";

/// The file a tokenizer is read from.
fn file(dir: &Path, settings: &Settings) -> Result<(PathBuf, Vec<u8>)> {
    for name in [TOKENIZER, VOCABULARY] {
        let path = dir.join(name);
        let length = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io(&path)(e)),
        };
        if length > LARGEST {
            let problem = format!("expected a tokenizer of at most {LARGEST} bytes, found {length}");
            return Err(Error::file(&path, problem));
        }
        if name == VOCABULARY && !settings.class.has_vocabulary_file() {
            break;
        }
        if let Some(bytes) = json_file::bytes(&path)? {
            return Ok((path, bytes));
        }
    }
    Err(missing(dir))
}

fn missing(dir: &Path) -> Error {
    Error::file(
        &dir.join(TOKENIZER),
        "expected the fast tokenizer, found no such file; make it with Python: \
         `AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)` of transformers",
    )
}

fn damaged(path: &Path) -> Error {
    Error::file(path, "a damaged tokenizer; fetch it again")
}

/// Puts lower-casing before the tokenizer's own normalisation, unless that lower-cases in a step of its own.
fn lower_case(tokenizer: &mut Tokenizer) -> tokenizers::Result<()> {
    let is = |part: &NormalizerWrapper| matches!(part, NormalizerWrapper::Lowercase(_));
    let own: Vec<NormalizerWrapper> = match tokenizer.get_normalizer() {
        None => Vec::new(),
        Some(NormalizerWrapper::Sequence(parts)) => parts.as_ref().to_vec(),
        Some(part) => vec![part.clone()],
    };
    if !own.iter().any(is) {
        let parts = std::iter::once(Lowercase.into()).chain(own).collect();
        tokenizer.with_normalizer(Some(Sequence::new(parts)))?;
    }
    Ok(())
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
                let layout = Layout::read(&dir).unwrap();
                let settings = Settings::read(&layout, "").unwrap();
                let tokens = TextTokenizer::read(&layout, &settings, 1 << 20, length).unwrap();
                assert_eq!(tokens.changed(), None, "{name}: read otherwise than tokenizer.json says");
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
