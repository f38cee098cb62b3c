//! The classes of tokenizers that transformers builds for these architectures. All but one take no more than the
//! vocabulary from `tokenizer.json`: how texts are normalised and split follows from `tokenizer_config.json` and the
//! class.
use super::settings::Settings;
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::{
    AddedToken, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, Tokenizer,
};

/// How Qwen's tokenizer splits texts.
const QWEN_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A class of tokenizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// `tokenizer.json` as it is.
    Whole,
    /// WordPiece with BERT's normalisation.
    Bert,
    /// The same with the special tokens of RoBERTa.
    MpNet,
    /// BPE over bytes.
    Qwen2,
    /// The same with the special tokens of RoBERTa around a text.
    Roberta,
    /// Unigram with the normalisation of its SentencePiece model.
    XlmRoberta,
    /// The same with more special tokens.
    Camembert,
    /// BPE with spaces as a letter, and bytes where the vocabulary has none.
    Gemma,
}

impl Class {
    /// The names that `tokenizer_class` may have.
    pub(super) const NAMES: &str = "BertTokenizer, DistilBertTokenizer, GemmaTokenizer, MPNetTokenizer, Qwen2Tokenizer, \
         RobertaTokenizer, XLMRobertaTokenizer, CamembertTokenizer and PreTrainedTokenizerFast";

    /// By its name in a configuration.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name.strip_suffix("Fast").unwrap_or(name) {
            "PreTrainedTokenizer" | "TokenizersBackend" | "PythonBackend" => Some(Self::Whole),
            "BertTokenizer"
            | "ConvBertTokenizer"
            | "DistilBertTokenizer"
            | "ElectraTokenizer"
            | "LxmertTokenizer"
            | "MobileBertTokenizer" => Some(Self::Bert),
            "GemmaTokenizer" => Some(Self::Gemma),
            "MPNetTokenizer" => Some(Self::MpNet),
            "Qwen2Tokenizer" => Some(Self::Qwen2),
            "RobertaTokenizer" => Some(Self::Roberta),
            "XLMRobertaTokenizer" => Some(Self::XlmRoberta),
            "CamembertTokenizer" => Some(Self::Camembert),
            _ => None,
        }
    }

    /// The class of an architecture whose files name none.
    pub(super) fn of_architecture(model_type: &str) -> Self {
        match model_type {
            "bert" | "distilbert" | "nomic_bert" => Self::Bert,
            "gemma3_text" => Self::Gemma,
            "mpnet" => Self::MpNet,
            "roberta" => Self::Roberta,
            "xlm-roberta" => Self::XlmRoberta,
            "camembert" => Self::Camembert,
            "qwen2" | "qwen3" => Self::Qwen2,
            _ => Self::Whole,
        }
    }

    /// The class that transformers takes for an architecture whatever class its files name: those of many models name
    /// another.
    pub(super) fn whatever_is_named(model_type: &str) -> Option<Self> {
        match model_type {
            "modernbert" => Some(Self::Whole),
            "qwen2" => Some(Self::Qwen2),
            _ => None,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole => "PreTrainedTokenizerFast",
            Self::Bert => "BertTokenizer",
            Self::MpNet => "MPNetTokenizer",
            Self::Qwen2 => "Qwen2Tokenizer",
            Self::Roberta => "RobertaTokenizer",
            Self::XlmRoberta => "XLMRobertaTokenizer",
            Self::Camembert => "CamembertTokenizer",
            Self::Gemma => "GemmaTokenizer",
        }
    }

    /// The token that has a role where the files name none.
    pub(super) fn default_token(self, role: &str) -> Option<&'static str> {
        let found = match (self, role) {
            (Self::Bert | Self::MpNet, "unk_token") => "[UNK]",
            (Self::Bert, "sep_token") => "[SEP]",
            (Self::Bert, "pad_token") => "[PAD]",
            (Self::Bert, "cls_token") => "[CLS]",
            (Self::Bert, "mask_token") => "[MASK]",
            (Self::Roberta | Self::XlmRoberta | Self::Camembert, "unk_token") => "<unk>",
            (Self::MpNet | Self::Roberta | Self::XlmRoberta | Self::Camembert, role) => match role {
                "bos_token" | "cls_token" => "<s>",
                "eos_token" | "sep_token" => "</s>",
                "pad_token" => "<pad>",
                "mask_token" => "<mask>",
                _ => return None,
            },
            (Self::Gemma, "unk_token") => "<unk>",
            (Self::Gemma, "bos_token") => "<bos>",
            (Self::Gemma, "eos_token") => "<eos>",
            (Self::Gemma, "pad_token") => "<pad>",
            (Self::Gemma, "mask_token") => "<mask>",
            (Self::Qwen2, "unk_token" | "eos_token" | "pad_token") => "<|endoftext|>",
            _ => return None,
        };
        Some(found)
    }

    /// Whether a token with a role takes the white space before it.
    pub(super) fn strips_before(self, role: &str) -> bool {
        matches!(self, Self::MpNet | Self::Camembert) && role == "mask_token"
    }

    /// Special tokens without a role where the files name none.
    pub(super) fn default_extra(self) -> &'static [&'static str] {
        match self {
            Self::Camembert => &["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"],
            _ => &[],
        }
    }

    /// The tokenizer of a vocabulary alone, where the class needs no more.
    pub(super) fn tokenizer_of(self, path: &Path, lines: &[u8]) -> Result<Option<Tokenizer>> {
        if !self.has_vocabulary_file() {
            return Ok(None);
        }
        let vocabulary = WordPiece::read_bytes(lines).map_err(|e| Error::file(path, e.to_string()))?;
        let model = WordPiece::builder().vocab(vocabulary).build();
        Ok(Some(Tokenizer::new(model.map_err(|e| Error::file(path, e.to_string()))?)))
    }

    /// Whether `vocab.txt` is enough to build it.
    pub(super) fn has_vocabulary_file(self) -> bool {
        matches!(self, Self::Bert | Self::MpNet)
    }

    /// The tokenizer that transformers builds with this class from the one in `path`, and whether its vocabulary is
    /// used as it is there.
    pub(super) fn build(
        self,
        read: Tokenizer,
        settings: &Settings,
        path: &Path,
    ) -> Result<(Tokenizer, bool)> {
        let other = |e: tokenizers::Error| Error::file(path, e.to_string());
        if self == Self::Whole {
            let mut whole = read;
            let known = whole.get_added_tokens_decoder();
            let differs = |token: &&AddedToken| !known.values().any(|known| known == *token);
            let others: Vec<AddedToken> = settings.added.iter().filter(differs).cloned().collect();
            add(&mut whole, others, settings).map_err(other)?;
            return Ok((whole, true));
        }
        let model = self.model(read.get_model(), settings)?;
        let same = model == *read.get_model();
        let mut built = Tokenizer::new(model);
        built.with_normalizer(self.normalizer(&read, settings)?).map_err(other)?;
        built.with_pre_tokenizer(Some(self.pre_tokenizer(settings)?));
        built.with_decoder(read.get_decoder().cloned());
        if matches!(self, Self::Qwen2 | Self::Gemma) {
            built.with_post_processor(read.get_post_processor().cloned());
        }
        add(&mut built, settings.added.clone(), settings).map_err(other)?;
        if self == Self::Qwen2 {
            let named = settings.named.iter().map(|named| &named.token).chain(&settings.extra);
            built
                .add_tokens(named.map(|token| AddedToken::from(token.content.clone(), true)))
                .map_err(other)?;
        } else if self != Self::Gemma {
            let specials = self.specials(&built, settings)?;
            built.with_post_processor(Some(specials));
        }
        Ok((built, same))
    }

    fn model(self, read: &ModelWrapper, settings: &Settings) -> Result<ModelWrapper> {
        let other = |e: tokenizers::Error| Error::file(settings.path(), e.to_string());
        match (self, read) {
            (Self::Bert | Self::MpNet, ModelWrapper::WordPiece(words)) => {
                let mut words = words.clone();
                words.unk_token = settings.token("unk_token")?.content.clone();
                (words.continuing_subword_prefix, words.max_input_chars_per_word) = ("##".into(), 100);
                Ok(words.into())
            }
            (Self::XlmRoberta, ModelWrapper::Unigram(pieces)) => {
                let vocabulary = pieces.iter().map(|(piece, score)| (piece.clone(), *score)).collect();
                Ok(Unigram::from(vocabulary, Some(3), false).map_err(other)?.into())
            }
            (Self::Camembert, ModelWrapper::Unigram(pieces)) => {
                let unknown = &settings.token("unk_token")?.content;
                let vocabulary: Vec<_> =
                    pieces.iter().map(|(piece, score)| (piece.clone(), *score)).collect();
                let id = vocabulary.iter().position(|(piece, _)| piece == unknown).unwrap_or(0);
                Ok(Unigram::from(vocabulary, Some(id), false).map_err(other)?.into())
            }
            (Self::Qwen2 | Self::Roberta | Self::Gemma, ModelWrapper::BPE(pairs)) => {
                let affixes = [&pairs.continuing_subword_prefix, &pairs.end_of_word_suffix];
                if affixes.into_iter().flatten().any(|affix| !affix.is_empty()) {
                    return Err(self.mismatch(settings, "BPE with a prefix or a suffix of words"));
                }
                let (mut pairs, gemma) = (pairs.clone(), self == Self::Gemma);
                let unknown = || settings.token("unk_token").map(|token| token.content.clone());
                (pairs.dropout, pairs.unk_token) = (None, gemma.then(unknown).transpose()?);
                (pairs.fuse_unk, pairs.byte_fallback, pairs.ignore_merges) = (gemma, gemma, false);
                Ok(pairs.into())
            }
            (_, ModelWrapper::WordPiece(_)) => Err(self.mismatch(settings, "WordPiece")),
            (_, ModelWrapper::Unigram(_)) => Err(self.mismatch(settings, "Unigram")),
            (_, ModelWrapper::BPE(_)) => Err(self.mismatch(settings, "BPE")),
            (_, ModelWrapper::WordLevel(_)) => Err(self.mismatch(settings, "WordLevel")),
        }
    }

    fn mismatch(self, settings: &Settings, found: &str) -> Error {
        Error::file(
            settings.path(),
            format!(
                "expected a vocabulary for {}, the tokenizer_class, found {found} in tokenizer.json; if that file alone is \
                 the tokenizer, write PreTrainedTokenizerFast as the tokenizer_class",
                self.name()
            ),
        )
    }

    fn normalizer(self, read: &Tokenizer, settings: &Settings) -> Result<Option<NormalizerWrapper>> {
        let flag = |key: &str| settings.get::<bool>(key, "true or false");
        match self {
            Self::Whole => Ok(read.get_normalizer().cloned()),
            Self::Qwen2 => part(settings, json!({"type": "NFC"})).map(Some),
            Self::Roberta => Ok(None),
            Self::XlmRoberta | Self::Camembert => Ok(read.get_normalizer().and_then(precompiled)),
            Self::Gemma => {
                part(settings, json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"}))
                    .map(Some)
            }
            Self::Bert | Self::MpNet => part(
                settings,
                json!({
                    "type": "BertNormalizer",
                    "clean_text": true,
                    "handle_chinese_chars": flag("tokenize_chinese_chars")?.unwrap_or(true),
                    "strip_accents": flag("strip_accents")?,
                    "lowercase": flag("do_lower_case")?.unwrap_or(true),
                }),
            )
            .map(Some),
        }
    }

    fn pre_tokenizer(self, settings: &Settings) -> Result<PreTokenizerWrapper> {
        let prefix_space = settings.get::<bool>("add_prefix_space", "true or false")?;
        let json = match self {
            Self::Whole | Self::Bert | Self::MpNet => json!({"type": "BertPreTokenizer"}),
            Self::Qwen2 => json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": QWEN_PATTERN}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel", "add_prefix_space": prefix_space.unwrap_or(false), "trim_offsets": true,
                 "use_regex": false},
            ]}),
            Self::Gemma => json!({
                "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false
            }),
            Self::Roberta => json!({"type": "ByteLevel", "add_prefix_space": prefix_space.unwrap_or(false),
                "trim_offsets": true, "use_regex": true}),
            Self::XlmRoberta | Self::Camembert => {
                let scheme = if prefix_space.unwrap_or(true) { "always" } else { "never" };
                json!({"type": "Sequence", "pretokenizers": [
                    {"type": "WhitespaceSplit"},
                    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true},
                ]})
            }
        };
        part(settings, json)
    }

    /// What puts special tokens around a text.
    fn specials(self, built: &Tokenizer, settings: &Settings) -> Result<PostProcessorWrapper> {
        let (first, last) = match self {
            Self::XlmRoberta | Self::Camembert => ("bos_token", "eos_token"),
            _ => ("cls_token", "sep_token"),
        };
        let [first, last] =
            [settings.token(first)?, settings.token(last)?].map(|token| token.content.clone());
        let id = |content: &str| {
            built.token_to_id(content).ok_or_else(|| {
                Error::file(
                    settings.path(),
                    format!("expected {content:?} in the vocabulary, found no such token"),
                )
            })
        };
        if self == Self::Roberta {
            let flag = |key: &str| settings.get::<bool>(key, "true or false");
            return part(
                settings,
                json!({
                    "type": "RobertaProcessing",
                    "cls": [first, id(&first)?],
                    "sep": [last, id(&last)?],
                    "trim_offsets": flag("trim_offsets")?.unwrap_or(true),
                    "add_prefix_space": flag("add_prefix_space")?.unwrap_or(false),
                }),
            );
        }
        let special = |content: &String| {
            Ok::<_, Error>(json!({"id": content, "ids": [id(content)?], "tokens": [content]}))
        };
        let [before, after] = [&first, &last].map(|id| json!({"SpecialToken": {"id": id, "type_id": 0}}));
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let mut specials = serde_json::Map::from_iter([(first.clone(), special(&first)?)]);
        specials.insert(last.clone(), special(&last)?);
        part(
            settings,
            json!({"type": "TemplateProcessing", "single": [before, text, after], "pair": [], "special_tokens": specials}),
        )
    }
}

/// Adds tokens as transformers does: `added`, then those with a role and other special ones that are not there.
fn add(to: &mut Tokenizer, added: Vec<AddedToken>, settings: &Settings) -> tokenizers::Result<()> {
    let named = |token: &AddedToken| settings.named.iter().any(|named| named.token.content == token.content);
    let mut tokens: Vec<AddedToken> = added;
    for token in &mut tokens {
        token.special |= named(token);
    }
    let present: Vec<String> =
        to.get_added_tokens_decoder().into_values().map(|token| token.content).collect();
    for token in settings.named.iter().map(|named| &named.token).chain(&settings.extra) {
        if !present.contains(&token.content) && !tokens.iter().any(|other| other.content == token.content) {
            tokens.push(token.clone());
        }
    }
    to.add_tokens(tokens).map(|_| ())
}

/// The normalisation of a SentencePiece model, by itself or in a sequence.
fn precompiled(normalizer: &NormalizerWrapper) -> Option<NormalizerWrapper> {
    match normalizer {
        NormalizerWrapper::Precompiled(_) => Some(normalizer.clone()),
        NormalizerWrapper::Sequence(parts) => parts.as_ref().iter().find_map(precompiled),
        _ => None,
    }
}

fn part<T: DeserializeOwned>(settings: &Settings, json: Value) -> Result<T> {
    serde_json::from_value(json).map_err(|e| Error::file(settings.path(), e.to_string()))
}
