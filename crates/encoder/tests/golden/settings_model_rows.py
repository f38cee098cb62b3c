"""The rows of settings/table.json: what is computed of texts; see settings.py."""

from itertools import product

from settings import ABSENT, MODULES, POOLING, edited, read
from settings_rows import row, show


def pooling():
    for name, keys in {
        "unset": {},
        "all off": {"pooling_mode_mean_tokens": False},
        "a name": {"pooling_mode": "cls"},
        "a list": {"pooling_mode": ["lasttoken"]},
        "a name and switches": {"pooling_mode": "cls", "pooling_mode_mean_tokens": True},
        "new key": {"embedding_dimension": 16},
    }.items():
        own = {"word_embedding_dimension": 16} if name != "new key" else {}
        yield row(f"pooling: {name}", "bert", files={"1_Pooling/config.json": own | keys})
    for name, keys in {
        "two": {"pooling_mode": ["cls", "mean"]},
        "max": {"pooling_mode": "max"},
        "prompt": {"include_prompt": False},
    }.items():
        yield row(f"pooling: {name}", "bert", files={"1_Pooling/config.json": POOLING | keys})
    for name, keys in {"none": {"pooling_mode": []}, "weights": {"layer_weights": [1, 2]}}.items():
        yield row(f"pooling: {name}", "bert", files={"1_Pooling/config.json": POOLING | keys}, refused="pooling")
    plain = {"modules.json": None, "1_Pooling/config.json": None}
    config = read("qwen3", "config.json")
    for kind, causal in product(["Qwen3Model", "Qwen3ForCausalLM"], [ABSENT, False]):
        files = plain | {"config.json": edited(config, architectures=[kind], is_causal=causal)}
        yield row(f"pooling: plain, {show(architecture=kind, is_causal=causal)}", "qwen3", files=files)
    yield row("modules: no pooling", "bert", files={"modules.json": MODULES[:1]}, refused="no Pooling")
    theirs = [MODULES[0] | {"type": "custom_st.Transformer"}, MODULES[1]]
    yield row("modules: code", "bert", files={"modules.json": theirs}, refused="custom_st.Transformer")
    yield row("modules: twice", "bert", files={"modules.json": MODULES + MODULES[1:]}, refused="Pooling")


def prompts():
    file = lambda **keys: {"config_sentence_transformers.json": keys}
    yield row("prompts: default", "bert", files=file(prompts={"q": "query: "}, default_prompt_name="q"))
    yield row("prompts: none", "bert", files=file(prompts={"q": None}, default_prompt_name="q"))
    yield row("prompts: built in", "bert", files=file(default_prompt_name="query"))
    yield row(
        "prompts: unread",
        "bert",
        files=file(prompts={"q": "query: "}, default_prompt_name="q")
        | {"modules.json": None, "1_Pooling/config.json": None},
    )
    yield row(
        "prompts: another",
        "bert",
        files=file(prompts={"q": "query: "}, default_prompt_name="passage"),
        refused="passage",
    )
    yield row("truncate_dim", "bert", files=file(truncate_dim=8), refused="truncate_dim")
    yield row("another kind of model", "bert", files=file(model_type="SparseEncoder"), refused="SparseEncoder")
    for name, keys in {
        "task": {"transformer_task": "fill-mask"},
        "unknown": {"query_length": 8},
        "output": {"module_output_name": "x"},
        "config": {"config_args": {"is_decoder": True}},
        "type": {"do_lower_case": "yes"},
    }.items():
        yield row(f"sentence_bert: {name}", "bert", files={"sentence_bert_config.json": keys}, refused=list(keys)[0])


def configs():
    bert, mpnet, qwen = (read(name, "config.json") for name in ("bert", "mpnet", "qwen3"))
    for key in (
        "layer_norm_eps",
        "hidden_act",
        "type_vocab_size",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
    ):
        yield row(f"bert without {key}", "bert", files={"config.json": edited(bert, **{key: ABSENT})})
    for key in ("layer_norm_eps", "hidden_act", "relative_attention_num_buckets"):
        yield row(f"mpnet without {key}", "mpnet", files={"config.json": edited(mpnet, **{key: ABSENT})})
    for key in (
        "rms_norm_eps",
        "hidden_act",
        "rope_parameters",
        "attention_bias",
        "layer_types",
        "use_sliding_window",
    ):
        yield row(f"qwen3 without {key}", "qwen3", files={"config.json": edited(qwen, **{key: ABSENT})})
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings")
    for key in sizes:
        yield row(
            f"bert without {key}",
            "bert",
            files={"config.json": edited(bert, **{key: ABSENT})},
            refused="config.json describes",
        )
    both = {"config.json": edited(qwen, is_causal=False)}
    yield row("qwen3: is_causal", "qwen3", files=both)
    yield row(
        "qwen3: use_bidirectional_attention",
        "qwen3",
        reference={"files": both},
        files={"config.json": edited(qwen, use_bidirectional_attention=True)},
    )
    for name, keys in {
        "rope_theta": {"rope_parameters": ABSENT, "rope_theta": 100.0},
        "rope_theta beside rope_parameters": {"rope_theta": 100.0},
        "rope_theta beside empty rope_parameters": {"rope_theta": 100.0, "rope_parameters": {"rope_type": "default"}},
        "rope_scaling before rope_parameters": {"rope_scaling": {"rope_theta": 50.0, "type": "default"}},
        "empty rope_scaling": {"rope_scaling": {}},
        "no rope_scaling": {"rope_scaling": None},
        "type beside rope_type": {"rope_parameters": {"type": "default", "rope_type": "default", "rope_theta": 200.0}},
        "max_window_layers": {"max_window_layers": 1, "sliding_window": 4},
    }.items():
        yield row(f"qwen3: {name}", "qwen3", files={"config.json": edited(qwen, **keys)})
    harmless = {
        "bert": [
            {
                "is_decoder": False,
                "add_cross_attention": False,
                "pruned_heads": {},
                "num_labels": 3,
                "gradient_checkpointing": True,
                "output_hidden_states": True,
                "attn_implementation": "eager",
                "model_max_length": None,
                "is_causal": False,
                "auto_map": {"AutoModelForMaskedLM": "code.Head"},
                "directionality": "bidi",
                "pooler_type": "first",
            }
        ]
    }
    for keys in harmless["bert"]:
        yield row("bert: harmless keys", "bert", files={"config.json": bert | keys})
    for name, key, value in [
        ("bert", "is_decoder", True),
        ("bert", "add_cross_attention", True),
        ("bert", "position_embedding_type", "relative_key"),
        ("bert", "pruned_heads", {"0": [1]}),
        ("bert", "hidden_act", "mish"),
        ("bert", "embedding_size", 8),
        ("bert", "is_causal", True),
        ("bert", "quantization_config", {"bits": 4}),
        ("bert", "auto_map", {"AutoModel": "code.Model"}),
        ("bert", "emb_pooler", "attention"),
        ("bert", "is_encoder_decoder", True),
        ("bert", "num_key_value_heads", 1),
        ("bert", "hidden_size", 0),
        ("bert", "model_type", "bart"),
        ("mpnet", "relative_attention_num_buckets", 16),
        ("mpnet", "type_vocab_size", 2),
        ("qwen3", "hidden_act", "gelu"),
        ("qwen3", "use_sliding_window", True),
        ("qwen3", "layer_types", ["full_attention", "sliding_attention"]),
        ("qwen3", "attn_logit_softcapping", 50.0),
        ("qwen3", "final_logit_softcapping", 30.0),
        ("qwen3", "partial_rotary_factor", 0.5),
        ("qwen3", "rope_scaling", {"type": "linear", "factor": 2.0}),
        ("qwen3", "rope_scaling", {"rope_type": "yarn", "factor": 4.0}),
        ("qwen3", "rope_parameters", {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        ("qwen3", "rope_parameters", {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}),
        ("qwen3", "head_dim", None),
        ("qwen3", "auto_map", {"AutoModel": "modeling.Qwen3BidirectionalModel"}),
        ("qwen3", "is_causal", None),
        ("qwen3", "mlp_bias", True),
        ("qwen3", "quantization_config", {"quant_method": "awq"}),
        ("qwen3", "per_layer_config", {"0": {"num_attention_heads": 1}}),
    ]:
        told = {
            "rope_scaling": str(value.get("type") or value.get("rope_type")) if isinstance(value, dict) else "",
            "rope_parameters": "rotary position",
            "hidden_size": "hidden_size",
            "head_dim": "",
            "hidden_act": "hidden_act",
            "layer_types": "sliding_attention",
        }.get(key, key)
        files = {"config.json": read(name, "config.json") | {key: value}}
        yield row(f"{name}: {key} {value}", name, files=files, refused=told or "config.json")
    both = {"config.json": qwen | {"is_causal": True, "use_bidirectional_attention": True}}
    yield row("qwen3: both directions and one", "qwen3", files=both, refused="is_causal")


def tensors():
    old = [["LayerNorm.weight", "LayerNorm.gamma"], ["LayerNorm.bias", "LayerNorm.beta"]]
    yield row("gamma and beta", "bert", rename=old)
    yield row(
        "gamma and beta under bert.",
        "bert",
        rename=[*old, ["", "bert."]],
        add={
            "cls.predictions.bias": [10],
            "cls.predictions.transform.LayerNorm.gamma": [16],
            "cls.seq_relationship.weight": [2, 16],
        },
    )
    yield row("gamma and beta, mpnet", "mpnet", rename=[*old, ["", "mpnet."]], add={"lm_head.bias": [9]})
    yield row("a head", "qwen3", rename=[["", "model."]], add={"score.weight": [3, 16], "lm_head.weight": [304, 16]})
    yield row("buffers", "bert", add={"embeddings.position_ids": [1, 40]})
    yield row(
        "a projection", "qwen3", rename=[["", "model."]], add={"linear.weight": [24, 16]}, refused="linear.weight"
    )
    yield row(
        "one more layer", "bert", add={"encoder.layer.2.output.dense.weight": [16, 24]}, refused="encoder.layer.2"
    )
    yield row("scale twice", "bert", add={"embeddings.LayerNorm.gamma": [16]}, refused="embeddings.LayerNorm.gamma")
    yield row("a bias of attention", "qwen3", add={"layers.0.self_attn.q_proj.bias": [16]}, refused="q_proj.bias")
    config = {"config.json": read("qwen3", "config.json") | {"attention_bias": True}}
    yield row("no bias of attention", "qwen3", files=config, refused="q_proj.bias")
    yield row(
        "no bias",
        "bert",
        rename=[["encoder.layer.1.output.dense.bias", "pooler.dense.bias2"]],
        refused="output.dense.bias",
    )
    yield row(
        "an adapter", "bert", files={"adapter_config.json": {"peft_type": "LORA"}}, refused="adapter_config.json"
    )
