use crate::json_file::json;
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// The names of the file, in the order in which sentence-transformers looks for it; the first that says anything
/// counts.
pub(crate) const NAMES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// What sentence-transformers passes on to the tokenizer: settings that count more than those of
/// `tokenizer_config.json`.
const TOKENIZER_ARGUMENTS: [&str; 2] = ["processor_kwargs", "tokenizer_args"];
/// What it passes on to the configuration and the weights, and of it what changes no vector.
const MODEL_ARGUMENTS: [&str; 4] = ["model_kwargs", "model_args", "config_kwargs", "config_args"];
const HARMLESS_ARGUMENTS: [&str; 8] = [
    "trust_remote_code",
    "torch_dtype",
    "dtype",
    "attn_implementation",
    "use_safetensors",
    "low_cpu_mem_usage",
    "use_cache",
    "token",
];

/// `sentence_bert_config.json`: how sentence-transformers reads texts for a transformer.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentenceBert {
    /// The most tokens it reads of a text, specials included.
    pub(crate) max_seq_length: Option<usize>,
    /// Whether texts are lower-cased before the tokenizer's own normalisation.
    pub(crate) do_lower_case: bool,
    /// Settings of the tokenizer that count more than those of `tokenizer_config.json`.
    pub(crate) tokenizer: Map<String, Value>,
    /// The file as it is.
    pub(crate) whole: Map<String, Value>,
}

impl SentenceBert {
    /// Reads the file beside a transformer, and refuses keys that would change what is read or computed.
    pub(crate) fn read(transformer: &Path) -> Result<Self> {
        for path in NAMES.map(|name| transformer.join(name)) {
            match json::<Map<String, Value>>(&path)? {
                Some(whole) if !whole.is_empty() => return Self::of(&path, whole),
                _ => {}
            }
        }
        Ok(Self::default())
    }

    fn of(path: &Path, whole: Map<String, Value>) -> Result<Self> {
        let mut found = Self::default();
        for (key, value) in &whole {
            let fine = match key.as_str() {
                "max_seq_length" if value.is_null() => true,
                "max_seq_length" => {
                    let length = value.as_u64().and_then(|n| usize::try_from(n).ok());
                    found.max_seq_length = length;
                    length.is_some()
                }
                "do_lower_case" => {
                    found.do_lower_case = value.as_bool().unwrap_or(false);
                    value.is_boolean() || value.is_null()
                }
                "transformer_task" => value == "feature-extraction",
                "module_output_name" => value == "token_embeddings",
                "modality_config" => reads_text_alone(value),
                "unpad_inputs" => true, // how a batch is laid out
                key if TOKENIZER_ARGUMENTS.contains(&key) => {
                    found.tokenizer = value.as_object().cloned().unwrap_or_default();
                    value.is_object()
                }
                key if MODEL_ARGUMENTS.contains(&key) => value.as_object().is_some_and(|arguments| {
                    arguments.keys().all(|key| HARMLESS_ARGUMENTS.contains(&key.as_str()))
                }),
                _ => says_nothing(value),
            };
            if !fine {
                return Err(Error::Unsupported {
                    path: path.into(),
                    what: "setting",
                    found: format!("{key}: {value}"),
                    supported: "max_seq_length, do_lower_case and tokenizer_args; the transformer as sentence-transformers \
                                makes it by default"
                        .into(),
                });
            }
        }
        found.whole = whole;
        Ok(found)
    }
}

/// Whether the only modality, if any, is text, passed through the model to the states of its tokens.
fn reads_text_alone(value: &Value) -> bool {
    let text = serde_json::json!({"method": "forward", "method_output_name": "last_hidden_state"});
    value
        .as_object()
        .is_some_and(|modalities| modalities.iter().all(|(name, how)| name == "text" && *how == text))
}

/// Whether a value is what a key has that is not there: nothing, `false`, or an empty list or table.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        _ => false,
    }
}
