//! Which keys of `config.json` change no vector. A key that an architecture does not compute and that is not here is
//! refused: it may be what makes the model another one.
use crate::layout::Layout;
use crate::sentence_bert::says_nothing;
use crate::{Error, Result};
use serde_json::{Map, Value};

/// When a key is harmless.
enum When {
    /// Whatever its value.
    Always,
    /// While it is off: `null`, `false`, 0, or empty.
    Off,
}
use When::{Always, Off};

/// The keys that change no vector, by why they do not.
const HARMLESS: &[(&str, When, &[&str])] = &[
    (
        "where the file comes from",
        Always,
        &[
            "_name_or_path",
            "name_or_path",
            "_commit_hash",
            "transformers_version",
            "architectures",
            "model_type",
        ],
    ),
    (
        "the type the weights are saved in; computation is in f32",
        Always,
        &["torch_dtype", "dtype", "use_bfloat16"],
    ),
    (
        "training, or the start of it",
        Always,
        &[
            "initializer_range",
            "initializer_factor",
            "initializer_cutoff_factor",
            "hidden_dropout_prob",
            "attention_probs_dropout_prob",
            "attention_dropout",
            "classifier_dropout",
            "qa_dropout",
            "seq_classif_dropout",
            "sinusoidal_pos_embds", // what positions begin as: their tensor is read
            "gradient_checkpointing",
        ],
    ),
    (
        "heads on top of the model, whose tensors are named where they are left out",
        Always,
        &[
            "id2label",
            "label2id",
            "num_labels",
            "_num_labels",
            "problem_type",
            "finetuning_task",
            "task_specific_params",
            "tie_word_embeddings",
            "tie_weights_",
            "tie_encoder_decoder",
            "sentence_transformers",
            "pooler_fc_size",
            "pooler_num_attention_heads",
            "pooler_num_fc_layers",
            "pooler_size_per_head",
            "pooler_type",
            "directionality",
            "classifier_pooling",
            "classifier_bias",
            "classifier_activation",
            "decoder_bias",
            "sparse_prediction",
            "sparse_pred_ignore_index",
        ],
    ),
    (
        "ids that texts get from the tokenizer",
        Always,
        &[
            "pad_token_id",
            "bos_token_id",
            "eos_token_id",
            "sep_token_id",
            "cls_token_id",
            "mask_token_id",
            "decoder_start_token_id",
            "tokenizer_class",
        ],
    ),
    (
        "how a program runs the model and what else it hands out",
        Always,
        &[
            "use_cache",
            "output_past",
            "output_attentions",
            "output_hidden_states",
            "return_dict",
            "use_return_dict",
            "torchscript",
            "chunk_size_feed_forward",
            "attn_implementation",
            "_attn_implementation",
            "_attn_implementation_internal",
            "_attn_implementation_autoset",
            "tf_legacy_loss",
            "deterministic_flash_attn",
            "reference_compile",
            "repad_logits_with_grad",
            "keys_to_ignore_at_inference",
        ],
    ),
    (
        "generation of texts",
        Always,
        &[
            "min_length",
            "max_length",
            "do_sample",
            "early_stopping",
            "num_beams",
            "num_beam_groups",
            "diversity_penalty",
            "temperature",
            "top_k",
            "top_p",
            "typical_p",
            "repetition_penalty",
            "length_penalty",
            "no_repeat_ngram_size",
            "encoder_no_repeat_ngram_size",
            "bad_words_ids",
            "num_return_sequences",
            "output_scores",
            "return_dict_in_generate",
            "forced_bos_token_id",
            "forced_eos_token_id",
            "remove_invalid_values",
            "exponential_decay_length_penalty",
            "suppress_tokens",
            "begin_suppress_tokens",
            "prefix",
        ],
    ),
    (
        "another kind of model, while it is off",
        Off,
        &[
            "is_causal",
            "use_bidirectional_attention",
            "is_decoder",
            "is_encoder_decoder",
            "add_cross_attention",
            "cross_attention_hidden_size",
            "pruned_heads",
            "quantization_config",
        ],
    ),
];

/// The classes by which sentence-transformers loads a model; code for others is not run by it either.
const LOADED_BY: [&str; 3] = ["AutoModel", "AutoConfig", "AutoTokenizer"];

/// Refuses every key that is neither `computed` by the architecture nor known to change nothing.
pub(super) fn check(layout: &Layout, computed: &[&str]) -> Result<()> {
    let config: Map<String, Value> = layout.config()?;
    for (key, value) in &config {
        let known =
            || HARMLESS.iter().find(|(_, _, keys)| keys.contains(&key.as_str())).map(|(_, when, _)| when);
        let fine = match key.as_str() {
            "is_causal" if value.is_null() => false, // transformers takes it for false
            key if computed.contains(&key) => true,
            "auto_map" => runs_no_code(value),
            _ if value.is_null() => true,
            _ => match known() {
                Some(Always) => true,
                Some(Off) => says_nothing(value) || value.as_f64() == Some(0.0),
                None => false,
            },
        };
        if !fine {
            return Err(refusal(layout, key, value, computed));
        }
    }
    Ok(())
}

/// Whether `auto_map` names code for heads alone.
fn runs_no_code(value: &Value) -> bool {
    match value.as_object() {
        Some(map) => !LOADED_BY.iter().any(|class| map.get(*class).is_some_and(|code| !says_nothing(code))),
        None => says_nothing(value),
    }
}

fn refusal(layout: &Layout, key: &str, value: &Value, computed: &[&str]) -> Error {
    let (what, supported) = match key {
        "auto_map" => (
            "code that comes with a model",
            "the architecture's own computation; if the code computes the same, remove the key from config.json".into(),
        ),
        _ => (
            "key of config.json",
            format!("{}; if the key changes nothing that is computed, remove it from config.json", computed.join(", ")),
        ),
    };
    let value: String = value.to_string().chars().take(200).collect();
    Error::Unsupported { path: layout.config_path(), what, found: format!("{key}: {value}"), supported }
}
