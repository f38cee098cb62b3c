"""The rows of settings/table.json; see settings.py."""

from itertools import product

from settings import ABSENT, BERT_SETTINGS, MODULES, POOLING, SHAPE, edited, read

NO_LIMIT = 10**30


def row(name, model, **more):
    return {"name": name, "model": model, **more}


def show(**values):
    return ", ".join(f"{key}={'absent' if value is ABSENT else value}" for key, value in values.items())


def lengths():
    whole = read("bert", "tokenizer_config.json")
    for limit, told, modules in product([ABSENT, 9, 14, NO_LIMIT, None], ["no file", ABSENT, None, 7, 12], [True, False]):
        files = {"tokenizer_config.json": edited(whole, model_max_length=limit)}
        if told != "no file":
            files["sentence_bert_config.json"] = edited({"do_lower_case": False}, max_seq_length=told)
        if not modules:
            files |= {"modules.json": None, "1_Pooling/config.json": None}
        yield row(f"length: {show(model_max_length=limit, max_seq_length=told, modules=modules)}", "bert", files=files)
    yield row("length: max_len", "bert", files={"tokenizer_config.json": edited(whole, model_max_length=ABSENT, max_len=11)})
    config = edited(read("bert", "config.json"))
    for arguments in ("tokenizer_args", "processor_kwargs"):
        files = {"sentence_bert_config.json": {"max_seq_length": 20, arguments: {"model_max_length": 9}}}
        yield row(f"length: {arguments}", "bert", files=files)
    yield row("length: an old name of the file", "bert", files={"sentence_roberta_config.json": {"max_seq_length": 8}})
    resaved = {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
               "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}}  # fmt: skip
    files = {"sentence_bert_config.json": resaved, "tokenizer_config.json": edited(whole, model_max_length=10)}
    yield row("length: saved by sentence-transformers 6.2", "bert", files=files)
    files = {"config.json": edited(read("qwen3", "config.json"), max_position_embeddings=9),
             "tokenizer_config.json": edited(read("qwen3", "tokenizer_config.json"), model_max_length=NO_LIMIT)}  # fmt: skip
    yield row("length: positions of the model", "qwen3", files=files)
    files = {"config.json": edited(read("qwen3", "config.json"), max_position_embeddings=9),
             "sentence_bert_config.json": {"max_seq_length": 15}}  # fmt: skip
    yield row("length: max_seq_length beyond max_position_embeddings", "qwen3", files=files)
    yield row("length: none", "bert", files={"sentence_bert_config.json": {"max_seq_length": 0}}, refused="limit above 2")
    files = {"tokenizer_config.json": edited(whole, model_max_length="16")}
    yield row("length: a text", "bert", files=files, refused="model_max_length")


def normalisation():
    whole = read("bert", "tokenizer.json")
    fast = lambda **keys: edited(whole, normalizer=edited(whole["normalizer"], **keys))
    for told, own, file, kind in product([ABSENT, False, True], [ABSENT, True, False], [True, False],
                                         ["BertTokenizer", "PreTrainedTokenizerFast"]):  # fmt: skip
        files = {"tokenizer_config.json": edited(BERT_SETTINGS, do_lower_case=own, tokenizer_class=kind),
                 "tokenizer.json": fast(lowercase=file), "sentence_bert_config.json": edited({}, do_lower_case=told)}  # fmt: skip
        yield row(f"do_lower_case: {show(sentence_bert=told, tokenizer=own, file=file, kind=kind)}", "bert", files=files)
    files = {"tokenizer.json": edited(whole, normalizer=None), "sentence_bert_config.json": {"do_lower_case": True},
             "tokenizer_config.json": edited(BERT_SETTINGS, tokenizer_class="PreTrainedTokenizerFast")}  # fmt: skip
    yield row("do_lower_case: no normalizer", "bert", files=files)
    for strip, lower, file in product([ABSENT, None, True, False], [True, False], [None, True]):
        files = {"tokenizer_config.json": edited(BERT_SETTINGS, strip_accents=strip, do_lower_case=lower),
                 "tokenizer.json": fast(strip_accents=file)}  # fmt: skip
        yield row(f"strip_accents: {show(strip_accents=strip, do_lower_case=lower, file=file)}", "bert", files=files)
    for chinese, file in product([ABSENT, True, False], [True, False]):
        files = {"tokenizer_config.json": edited(BERT_SETTINGS, tokenize_chinese_chars=chinese),
                 "tokenizer.json": fast(handle_chinese_chars=file)}  # fmt: skip
        yield row(f"tokenize_chinese_chars: {show(own=chinese, file=file)}", "bert", files=files)
    for lower, strip in product([ABSENT, False], [ABSENT, False]):
        settings = edited(read("mpnet", "tokenizer_config.json"), do_lower_case=lower, strip_accents=strip)
        yield row(f"mpnet: {show(do_lower_case=lower, strip_accents=strip)}", "mpnet", files={"tokenizer_config.json": settings})
    yield row("no tokenizer_config.json", "bert", files={"tokenizer_config.json": None, "tokenizer.json": fast(lowercase=False)})
    yield row("clean_text is not read", "bert", files={"tokenizer.json": fast(clean_text=False)})
    model = edited(whole["model"], max_input_chars_per_word=3)
    yield row("longest word", "bert", files={"tokenizer.json": edited(whole, model=model)})


def sides_and_spaces():
    whole = read("bert", "tokenizer.json")
    for side, file in product([ABSENT, "left", "right"], [None, "Left"]):
        cut = {"direction": file, "max_length": 512, "strategy": "LongestFirst", "stride": 0} if file else None
        files = {"tokenizer_config.json": edited(BERT_SETTINGS, truncation_side=side, model_max_length=8),
                 "tokenizer.json": edited(whole, truncation=cut)}  # fmt: skip
        yield row(f"truncation_side: {show(own=side, file=file)}", "bert", files=files)
    qwen = read("qwen3", "tokenizer.json")
    for space, file, kind in product([ABSENT, None, True, False], [True, False], ["Qwen2Tokenizer", "TokenizersBackend"]):
        split, bytes_ = qwen["pre_tokenizer"]["pretokenizers"]
        parts = edited(qwen["pre_tokenizer"], pretokenizers=[split, edited(bytes_, add_prefix_space=file)])
        settings = edited(read("qwen3", "tokenizer_config.json"), add_prefix_space=space, tokenizer_class=kind)
        files = {"tokenizer_config.json": settings, "tokenizer.json": edited(qwen, pre_tokenizer=parts)}
        yield row(f"add_prefix_space: {show(own=space, file=file, kind=kind)}", "qwen3", files=files)
    for space in (ABSENT, True, False):
        settings = edited(read("multilingual", "tokenizer_config.json"), add_prefix_space=space)
        yield row(f"multilingual: add_prefix_space {show(own=space)}", "multilingual", files={"tokenizer_config.json": settings})
    settings = edited(read("multilingual", "tokenizer_config.json"), tokenizer_class="PreTrainedTokenizerFast")
    yield row("multilingual: as in tokenizer.json", "multilingual", files={"tokenizer_config.json": settings})


def special_tokens():
    token = lambda content, **keys: {"content": content, "lstrip": False, "rstrip": False, "normalized": False,
                                     "single_word": False, "special": True} | keys  # fmt: skip
    own = {"2": token("[CLS]"), "3": token("[SEP]"), "4": token("[MASK]", lstrip=True), "0": token("[PAD]"), "1": token("[UNK]")}
    both = {"cls_token": "[SEP]", "sep_token": {**token("[CLS]"), "__type": "AddedToken"}}
    files = lambda **more: {"tokenizer_config.json": edited(BERT_SETTINGS, **more)}
    named = {"special_tokens_map.json": {"cls_token": "[MASK]", "mask_token": token("[MASK]", lstrip=True)}}
    yield row("specials: tokenizer_config.json", "bert", files=files(**both))
    yield row("specials: special_tokens_map.json counts more", "bert", files=files(**both) | named)
    yield row("specials: unless tokens are listed", "bert", files=files(added_tokens_decoder=own, **both) | named)
    yield row("specials: a list counts more than tokenizer.json", "bert", files=files(added_tokens_decoder=own))
    yield row("specials: without a role in the list", "bert", files=files(added_tokens_decoder={"4": own["4"]}))
    yield row("specials: split", "bert", files=files(split_special_tokens=True))
    yield row("specials: extra", "bert", files=files(extra_special_tokens=["rain", token("stone", lstrip=True) | {"__type": "AddedToken"}]))
    yield row("specials: additional", "bert", files=files(additional_special_tokens=["fell"]))
    yield row("specials: of a model", "bert", files=files(image_token="over"))
    yield row("specials: added_tokens.json", "bert", files=files() | {"added_tokens.json": {"the": 20, "rain": 21}})
    lower = {"25": token("RAIN", normalized=True, special=False)}
    yield row("specials: a normalised token", "bert", files=files(added_tokens_decoder=lower))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield row("specials: as in tokenizer.json", "bert", files=files(added_tokens_decoder={"4": own["4"]}, **both, **kind))
    yield row("specials: mpnet", "mpnet", files={"tokenizer_config.json": edited(
        read("mpnet", "tokenizer_config.json"), mask_token="rain", cls_token="</s>")})  # fmt: skip
    settings = read("qwen3", "tokenizer_config.json")
    listed = {"303": token("<|endoftext|>", lstrip=True)}
    yield row("specials: qwen3", "qwen3", files={"tokenizer_config.json": edited(settings, added_tokens_decoder=listed)})
    yield row("specials: none", "bert", files=files(cls_token=None), refused="cls_token")
    yield row("a class of tokenizers", "bert", files=files(tokenizer_class="BertJapaneseTokenizer"), refused="BertJapaneseTokenizer")
    yield row("a class for another vocabulary", "bert", files=files(tokenizer_class="Qwen2Tokenizer"), refused="WordPiece")
    yield row("code for a tokenizer", "bert", files=files(auto_map={"AutoTokenizer": [None, "code.Fast"]}), refused="auto_map")
    whole = read("bert", "tokenizer.json")
    second = edited(whole["post_processor"], single=[{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                                     {"Sequence": {"id": "A", "type_id": 1}}])  # fmt: skip
    yield row("tokens of a second text", "bert", files={"tokenizer.json": edited(whole, post_processor=second)} | files(**kind),
              refused="type_id")  # fmt: skip


def vocabularies():
    words = sorted(read("bert", "tokenizer.json")["model"]["vocab"].items(), key=lambda item: item[1])
    lines = "".join(f"{word}\n" for word, _ in words)
    only = {"tokenizer.json": None, "vocab.txt": lines}
    yield row("vocab.txt alone", "bert", files=only)
    yield row("vocab.txt without settings", "bert", files=only | {"tokenizer_config.json": None})
    yield row("vocab.txt, cased", "bert", files=only | {"tokenizer_config.json": edited(BERT_SETTINGS, do_lower_case=False)})
    yield row("vocab.txt, other line ends", "bert", files=only | {"vocab.txt": lines.replace("\n", "\r\n")})
    words = sorted(read("mpnet", "tokenizer.json")["model"]["vocab"].items(), key=lambda item: item[1])
    yield row("mpnet: vocab.txt", "mpnet", files={"tokenizer.json": None, "vocab.txt": "".join(f"{word}\n" for word, _ in words)})
    yield row("no tokenizer", "qwen3", files={"tokenizer.json": None}, refused="save_pretrained")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n"
    for path in ("tokenizer.json", "config.json", "model.safetensors", "1_Pooling/config.json", "tokenizer_config.json"):
        yield row(f"a pointer: {path}", "bert", files={path: pointer}, refused="git lfs pull")
    yield row("a pointer: vocab.txt", "bert", files={"tokenizer.json": None, "vocab.txt": pointer}, refused="git lfs pull")


def pooling():
    for name, keys in {
        "unset": {}, "all off": {"pooling_mode_mean_tokens": False}, "a name": {"pooling_mode": "cls"}, "a list": {"pooling_mode": ["lasttoken"]},
        "a name and switches": {"pooling_mode": "cls", "pooling_mode_mean_tokens": True}, "new key": {"embedding_dimension": 16},
    }.items():  # fmt: skip
        own = {"word_embedding_dimension": 16} if name != "new key" else {}
        yield row(f"pooling: {name}", "bert", files={"1_Pooling/config.json": own | keys})
    for name, keys in {"two": {"pooling_mode": ["cls", "mean"]}, "none": {"pooling_mode": []}, "max": {"pooling_mode": "max"},
                       "weights": {"layer_weights": [1, 2]}, "prompt": {"include_prompt": False}}.items():  # fmt: skip
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
    yield row("prompts: unread", "bert", files=file(prompts={"q": "query: "}, default_prompt_name="q")
              | {"modules.json": None, "1_Pooling/config.json": None})  # fmt: skip
    yield row("prompts: another", "bert", files=file(prompts={"q": "query: "}, default_prompt_name="passage"), refused="passage")
    yield row("truncate_dim", "bert", files=file(truncate_dim=8), refused="truncate_dim")
    yield row("another kind of model", "bert", files=file(model_type="SparseEncoder"), refused="SparseEncoder")
    for name, keys in {"task": {"transformer_task": "fill-mask"}, "unknown": {"query_length": 8}, "output": {"module_output_name": "x"},
                       "config": {"config_args": {"is_decoder": True}}, "type": {"do_lower_case": "yes"}}.items():  # fmt: skip
        yield row(f"sentence_bert: {name}", "bert", files={"sentence_bert_config.json": keys}, refused=list(keys)[0])


def configs():
    bert, mpnet, qwen = (read(name, "config.json") for name in ("bert", "mpnet", "qwen3"))
    for key in ("layer_norm_eps", "hidden_act", "type_vocab_size", "hidden_dropout_prob", "attention_probs_dropout_prob"):
        yield row(f"bert without {key}", "bert", files={"config.json": edited(bert, **{key: ABSENT})})
    for key in ("layer_norm_eps", "hidden_act", "relative_attention_num_buckets"):
        yield row(f"mpnet without {key}", "mpnet", files={"config.json": edited(mpnet, **{key: ABSENT})})
    for key in ("rms_norm_eps", "hidden_act", "rope_parameters", "attention_bias", "layer_types", "use_sliding_window"):
        yield row(f"qwen3 without {key}", "qwen3", files={"config.json": edited(qwen, **{key: ABSENT})})
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings")
    for key in sizes:
        yield row(f"bert without {key}", "bert", files={"config.json": edited(bert, **{key: ABSENT})}, refused="config.json describes")
    both = {"config.json": edited(qwen, is_causal=False)}
    yield row("qwen3: is_causal", "qwen3", files=both)
    yield row("qwen3: use_bidirectional_attention", "qwen3", reference={"files": both},
              files={"config.json": edited(qwen, use_bidirectional_attention=True)})  # fmt: skip
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
    harmless = {"bert": [{"is_decoder": False, "add_cross_attention": False, "pruned_heads": {}, "num_labels": 3, "gradient_checkpointing": True,
                          "output_hidden_states": True, "attn_implementation": "eager", "model_max_length": None, "is_causal": False,
                          "auto_map": {"AutoModelForMaskedLM": "code.Head"}, "directionality": "bidi", "pooler_type": "first"}]}  # fmt: skip
    for keys in harmless["bert"]:
        yield row("bert: harmless keys", "bert", files={"config.json": bert | keys})
    for name, key, value in [
        ("bert", "is_decoder", True), ("bert", "add_cross_attention", True), ("bert", "position_embedding_type", "relative_key"),
        ("bert", "pruned_heads", {"0": [1]}), ("bert", "hidden_act", "silu"), ("bert", "embedding_size", 8), ("bert", "is_causal", True),
        ("bert", "quantization_config", {"bits": 4}), ("bert", "auto_map", {"AutoModel": "code.Model"}), ("bert", "emb_pooler", "attention"),
        ("bert", "is_encoder_decoder", True), ("bert", "num_key_value_heads", 1), ("bert", "hidden_size", 0), ("bert", "model_type", "bart"),
        ("mpnet", "relative_attention_num_buckets", 16), ("mpnet", "type_vocab_size", 2), ("qwen3", "hidden_act", "gelu"),
        ("qwen3", "use_sliding_window", True), ("qwen3", "layer_types", ["full_attention", "sliding_attention"]),
        ("qwen3", "attn_logit_softcapping", 50.0), ("qwen3", "final_logit_softcapping", 30.0), ("qwen3", "partial_rotary_factor", 0.5),
        ("qwen3", "rope_scaling", {"type": "linear", "factor": 2.0}), ("qwen3", "rope_scaling", {"rope_type": "yarn", "factor": 4.0}),
        ("qwen3", "rope_parameters", {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        ("qwen3", "rope_parameters", {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}), ("qwen3", "head_dim", None),
        ("qwen3", "auto_map", {"AutoModel": "modeling.Qwen3BidirectionalModel"}), ("qwen3", "is_causal", None), ("qwen3", "mlp_bias", True),
        ("qwen3", "quantization_config", {"quant_method": "awq"}), ("qwen3", "per_layer_config", {"0": {"num_attention_heads": 1}}),
    ]:  # fmt: skip
        told = {"rope_scaling": str(value.get("type") or value.get("rope_type")) if isinstance(value, dict) else "",
                "rope_parameters": "rotary position", "hidden_size": "hidden_size", "head_dim": "", "hidden_act": "hidden_act",
                "layer_types": "sliding_attention"}.get(key, key)  # fmt: skip
        files = {"config.json": read(name, "config.json") | {key: value}}
        yield row(f"{name}: {key} {value}", name, files=files, refused=told or "config.json")
    both = {"config.json": qwen | {"is_causal": True, "use_bidirectional_attention": True}}
    yield row("qwen3: both directions and one", "qwen3", files=both, refused="is_causal")


def tensors():
    old = [["LayerNorm.weight", "LayerNorm.gamma"], ["LayerNorm.bias", "LayerNorm.beta"]]
    yield row("gamma and beta", "bert", rename=old)
    yield row("gamma and beta under bert.", "bert", rename=[*old, ["", "bert."]], add={
        "cls.predictions.bias": [10], "cls.predictions.transform.LayerNorm.gamma": [16], "cls.seq_relationship.weight": [2, 16]})  # fmt: skip
    yield row("gamma and beta, mpnet", "mpnet", rename=[*old, ["", "mpnet."]], add={"lm_head.bias": [9]})
    yield row("a head", "qwen3", rename=[["", "model."]], add={"score.weight": [3, 16], "lm_head.weight": [304, 16]})
    yield row("buffers", "bert", add={"embeddings.position_ids": [1, 40]})
    yield row("a projection", "qwen3", rename=[["", "model."]], add={"linear.weight": [24, 16]}, refused="linear.weight")
    yield row("one more layer", "bert", add={"encoder.layer.2.output.dense.weight": [16, 24]}, refused="encoder.layer.2")
    yield row("scale twice", "bert", add={"embeddings.LayerNorm.gamma": [16]}, refused="embeddings.LayerNorm.gamma")
    yield row("a bias of attention", "qwen3", add={"layers.0.self_attn.q_proj.bias": [16]}, refused="q_proj.bias")
    config = {"config.json": read("qwen3", "config.json") | {"attention_bias": True}}
    yield row("no bias of attention", "qwen3", files=config, refused="q_proj.bias")
    yield row("no bias", "bert", rename=[["encoder.layer.1.output.dense.bias", "pooler.dense.bias2"]], refused="output.dense.bias")
    yield row("an adapter", "bert", files={"adapter_config.json": {"peft_type": "LORA"}}, refused="adapter_config.json")


def rows():
    for part in (lengths, normalisation, sides_and_spaces, special_tokens, vocabularies, pooling, prompts, configs, tensors):
        yield from part()
