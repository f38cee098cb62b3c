"""The rows of settings/table.json on relatives of BERT; see settings.py."""

from settings import ABSENT, edited, read
from settings_rows import row


def roberta():
    config, words = read("roberta", "config.json"), read("roberta", "tokenizer_config.json")
    of = lambda **keys: {"config.json": edited(config, **keys)}
    told = lambda **keys: {"tokenizer_config.json": edited(words, **keys)}
    yield row("roberta", "roberta")
    yield row("roberta: another padding token", "roberta", files=of(pad_token_id=5) | told(model_max_length=30))
    yield row("roberta: without pad_token_id", "roberta", files=of(pad_token_id=ABSENT))
    yield row("roberta: no class", "roberta", files=told(tokenizer_class=ABSENT))
    named = told(tokenizer_class=ABSENT) | of(tokenizer_class="RobertaTokenizerFast")
    yield row("roberta: the class of config.json", "roberta", files=named)
    for key in ("add_prefix_space", "trim_offsets", "split_special_tokens"):
        for value in (True, False):
            yield row(f"roberta: {key} {value}", "roberta", files=told(**{key: value}))
    yield row("roberta: other special tokens", "roberta", files=told(cls_token="<mask>", sep_token="<unk>"))
    heads = {"lm_head.bias": [330], "lm_head.dense.weight": [16, 16], "classifier.out_proj.weight": [2, 16]}
    yield row("roberta: heads", "roberta", rename=[["", "roberta."]], add=heads)
    for key, value in {"is_decoder": True, "position_embedding_type": "relative_key", "embedding_size": 8}.items():
        yield row(f"roberta: {key} {value}", "roberta", files=of(**{key: value}), refused=key)
    yield row("roberta: no padding token", "roberta", files=of(pad_token_id=None), refused="pad_token_id")
    yield row("roberta: no positions", "roberta", files=of(max_position_embeddings=2), refused="pad_token_id")
    yield row("roberta: as bert", "roberta", files=of(model_type="bert") | told(model_max_length=30))


def distilbert():
    config, words = read("distilbert", "config.json"), read("distilbert", "tokenizer_config.json")
    of = lambda **keys: {"config.json": edited(config, **keys)}
    yield row("distilbert", "distilbert")
    other = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}
    yield row(
        "distilbert: second names",
        "distilbert",
        files=of(**{new: config[old] for new, old in other.items()}, **dict.fromkeys(other.values(), ABSENT)),
    )
    yield row("distilbert: both names", "distilbert", files=of(hidden_size=16), refused="dim")
    cased = {"tokenizer_config.json": edited(words, do_lower_case=False)}
    yield row("distilbert: cased", "distilbert", files=cased)
    harmless = {"sinusoidal_pos_embds": True, "tie_weights_": True, "output_past": True, "qa_dropout": 0.5}
    yield row("distilbert: harmless keys", "distilbert", files=of(**harmless))
    heads = {"vocab_transform.weight": [16, 16], "vocab_layer_norm.bias": [16], "vocab_projector.bias": [9]}
    yield row("distilbert: heads", "distilbert", rename=[["", "distilbert."]], add=heads)
    yield row("distilbert: activation", "distilbert", files=of(activation="relu"))
    yield row("distilbert: another activation", "distilbert", files=of(activation="mish"), refused="activation")
    yield row("distilbert: token types", "distilbert", files=of(type_vocab_size=2), refused="type_vocab_size")


def modernbert():
    config, words = read("modernbert", "config.json"), read("modernbert", "tokenizer_config.json")
    of = lambda **keys: {"config.json": edited(config, **keys)}
    yield row("modernbert", "modernbert")
    for window in (0, 1, 2, 3, 128):
        yield row(f"modernbert: a window of {window}", "modernbert", files=of(local_attention=window))
    for every in (ABSENT, 1, 2):
        files = of(layer_types=ABSENT, global_attn_every_n_layers=every)
        yield row(f"modernbert: every {every if every != ABSENT else 'third'} layer full", "modernbert", files=files)
    kinds = ["sliding_attention", "full_attention"]
    yield row("modernbert: kinds of layers", "modernbert", files=of(layer_types=kinds))
    ropes = config["rope_parameters"]
    for name, keys in {
        "old keys": {"rope_parameters": ABSENT, "global_rope_theta": 50.0, "local_rope_theta": 7.0},
        "old keys beside": {"global_rope_theta": 50.0, "local_rope_theta": 7.0},
        "one kind": {"rope_parameters": {"full_attention": {"rope_theta": 30.0, "rope_type": "default"}}},
        "no base": {"rope_parameters": {kind: {"rope_type": "default"} for kind in kinds}, "local_rope_theta": 7.0},
        "rope_scaling": {"rope_scaling": {"rope_theta": 30.0}},
        "none": {"rope_parameters": None},
        "other bases": {"rope_parameters": {kind: rope | {"rope_theta": 20.0} for kind, rope in ropes.items()}},
    }.items():
        yield row(f"modernbert: rotary positions, {name}", "modernbert", files=of(**keys))
    unread = {"layer_norm_eps": 1.0, "position_embedding_type": "absolute", "reference_compile": False}
    yield row("modernbert: harmless keys", "modernbert", files=of(**unread, classifier_pooling="mean"))
    files = {"tokenizer_config.json": edited(words, tokenizer_class="BertTokenizer", do_lower_case=False)}
    yield row("modernbert: a class that is not read", "modernbert", files=files)
    heads = {"head.dense.weight": [16, 16], "head.norm.weight": [16], "decoder.bias": [9]}
    yield row("modernbert: heads", "modernbert", rename=[["", "model."]], add=heads)
    bias = {"final_norm.bias": [16]}
    yield row("modernbert: a bias", "modernbert", add=bias, refused="final_norm.bias")
    yield row("modernbert: no bias", "modernbert", files=of(norm_bias=True), refused="norm.bias")
    for key, value, told in [
        ("layer_types", ["full_attention", "linear_attention"], "linear_attention"),
        ("layer_types", ["full_attention"], "layer_types"),
        ("global_attn_every_n_layers", 0, "global_attn_every_n_layers"),
        ("sliding_window", 3, "sliding_window"),
        ("rope_scaling", {"rope_type": "yarn", "factor": 2.0}, "yarn"),
        ("rope_parameters", ropes | {"rope_theta": 7.0}, "rope_theta"),
        ("hidden_activation", "mish", "hidden_activation"),
        ("is_causal", True, "is_causal"),
        ("global_rope_theta", None, "global_rope_theta"),
        ("head_dim", 4, "head_dim"),
    ]:
        yield row(f"modernbert: {key} {value}", "modernbert", files=of(**{key: value}), refused=told)


def nomic_bert():
    config = read("nomic_bert", "config.json")
    of = lambda **keys: {"config.json": edited(config, **keys)}
    yield row("nomic_bert", "nomic_bert")
    for name, keys in {
        "rope_theta": {"rope_parameters": ABSENT, "rope_theta": 30.0},
        "no base": {"rope_parameters": ABSENT},
        "activation": {"hidden_act": "gelu"},
        "without head_dim": {"head_dim": ABSENT},
    }.items():
        yield row(f"nomic_bert: {name}", "nomic_bert", files=of(**keys))
    heads = {"cls.predictions.bias": [9], "classifier.weight": [2, 16]}
    yield row("nomic_bert: heads", "nomic_bert", rename=[["", "nomic_bert."]], add=heads)
    for key, value in {
        "auto_map": {"AutoModel": "modeling_hf_nomic_bert.NomicBertModel"},
        "n_embd": 16,
        "partial_rotary_factor": 0.5,
        "qkv_proj_bias": True,
        "prenorm": True,
    }.items():
        yield row(f"nomic_bert: {key}", "nomic_bert", files=of(**{key: value}), refused=key)
