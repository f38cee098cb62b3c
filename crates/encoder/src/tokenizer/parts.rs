use serde_json::{Value, json};
use tokenizers::{NormalizerWrapper, Tokenizer};

/// What a tokenizer does with a text, but for its vocabulary, in a form that compares.
#[derive(PartialEq)]
pub(super) struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    /// Added tokens by id.
    added: Vec<(u32, Value)>,
    /// The ids and kinds around a text.
    specials: Option<[Vec<u32>; 2]>,
    splits_special_tokens: bool,
}

impl Parts {
    pub(super) fn of(tokenizer: &Tokenizer) -> Self {
        let mut added: Vec<(u32, Value)> =
            tokenizer.get_added_tokens_decoder().into_iter().map(|(id, token)| (id, json!(token))).collect();
        added.sort_by_key(|(id, _)| *id);
        let around = tokenizer.encode_fast("", true).ok();
        Self {
            normalizer: tokenizer.get_normalizer().map_or(Value::Null, normal),
            pre_tokenizer: without_offsets(json!(tokenizer.get_pre_tokenizer())),
            added,
            specials: around.map(|found| [found.get_ids().to_vec(), found.get_type_ids().to_vec()]),
            splits_special_tokens: tokenizer.get_encode_special_tokens(),
        }
    }

    /// All of it in a fixed order, and `more`.
    pub(super) fn describe(&self, more: Value) -> String {
        let Self { normalizer, pre_tokenizer, added, specials, splits_special_tokens } = self;
        json!([normalizer, pre_tokenizer, added, specials, splits_special_tokens, more]).to_string()
    }
}

/// A normalizer, with the accents that BERT's strips written out: by default those of whoever lower-cases.
fn normal(normalizer: &NormalizerWrapper) -> Value {
    let mut value = json!(normalizer);
    if let NormalizerWrapper::BertNormalizer(bert) = normalizer {
        value["strip_accents"] = bert.strip_accents.unwrap_or(bert.lowercase).into();
    }
    value
}

/// A pre-tokenizer without what concerns offsets alone.
fn without_offsets(mut value: Value) -> Value {
    match &mut value {
        Value::Object(parts) => {
            parts.remove("trim_offsets");
            parts.values_mut().for_each(|part| *part = without_offsets(part.take()));
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| *part = without_offsets(part.take())),
        _ => {}
    }
    value
}
