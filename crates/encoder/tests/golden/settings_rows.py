"""The rows of settings/table.json on how texts are read; see settings.py. settings_model_rows.py has the others."""

from itertools import product

from settings import ABSENT, BERT_SETTINGS, edited, read

NO_LIMIT = 10**30


def row(name, model, **more):
    return {"name": name, "model": model, **more}


def show(**values):
    return ", ".join(f"{key}={'absent' if value is ABSENT else value}" for key, value in values.items())


def lengths():
    whole = read("bert", "tokenizer_config.json")
    for limit, told, modules in product(
        [ABSENT, 9, 14, NO_LIMIT, None], ["no file", ABSENT, None, 7, 12], [True, False]
    ):
        files = {"tokenizer_config.json": edited(whole, model_max_length=limit)}
        if told != "no file":
            files["sentence_bert_config.json"] = edited({"do_lower_case": False}, max_seq_length=told)
        if not modules:
            files |= {"modules.json": None, "1_Pooling/config.json": None}
        yield row(f"length: {show(model_max_length=limit, max_seq_length=told, modules=modules)}", "bert", files=files)
    yield row(
        "length: max_len", "bert", files={"tokenizer_config.json": edited(whole, model_max_length=ABSENT, max_len=11)}
    )
    config = edited(read("bert", "config.json"))
    for arguments in ("tokenizer_args", "processor_kwargs"):
        files = {"sentence_bert_config.json": {"max_seq_length": 20, arguments: {"model_max_length": 9}}}
        yield row(f"length: {arguments}", "bert", files=files)
    yield row("length: an old name of the file", "bert", files={"sentence_roberta_config.json": {"max_seq_length": 8}})
    resaved = {
        "transformer_task": "feature-extraction",
        "module_output_name": "token_embeddings",
        "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
    }
    files = {"sentence_bert_config.json": resaved, "tokenizer_config.json": edited(whole, model_max_length=10)}
    yield row("length: saved by sentence-transformers 6.2", "bert", files=files)
    files = {
        "config.json": edited(read("qwen3", "config.json"), max_position_embeddings=9),
        "tokenizer_config.json": edited(read("qwen3", "tokenizer_config.json"), model_max_length=NO_LIMIT),
    }
    yield row("length: positions of the model", "qwen3", files=files)
    files = {
        "config.json": edited(read("qwen3", "config.json"), max_position_embeddings=9),
        "sentence_bert_config.json": {"max_seq_length": 15},
    }
    yield row("length: max_seq_length beyond max_position_embeddings", "qwen3", files=files)
    yield row(
        "length: none", "bert", files={"sentence_bert_config.json": {"max_seq_length": 0}}, refused="limit above 2"
    )
    files = {"tokenizer_config.json": edited(whole, model_max_length="16")}
    yield row("length: a text", "bert", files=files, refused="model_max_length")


def normalisation():
    whole = read("bert", "tokenizer.json")
    fast = lambda **keys: edited(whole, normalizer=edited(whole["normalizer"], **keys))
    for told, own, file, kind in product(
        [ABSENT, False, True], [ABSENT, True, False], [True, False], ["BertTokenizer", "PreTrainedTokenizerFast"]
    ):
        files = {
            "tokenizer_config.json": edited(BERT_SETTINGS, do_lower_case=own, tokenizer_class=kind),
            "tokenizer.json": fast(lowercase=file),
            "sentence_bert_config.json": edited({}, do_lower_case=told),
        }
        yield row(
            f"do_lower_case: {show(sentence_bert=told, tokenizer=own, file=file, kind=kind)}", "bert", files=files
        )
    files = {
        "tokenizer.json": edited(whole, normalizer=None),
        "sentence_bert_config.json": {"do_lower_case": True},
        "tokenizer_config.json": edited(BERT_SETTINGS, tokenizer_class="PreTrainedTokenizerFast"),
    }
    yield row("do_lower_case: no normalizer", "bert", files=files)
    for strip, lower, file in product([ABSENT, None, True, False], [True, False], [None, True]):
        files = {
            "tokenizer_config.json": edited(BERT_SETTINGS, strip_accents=strip, do_lower_case=lower),
            "tokenizer.json": fast(strip_accents=file),
        }
        yield row(f"strip_accents: {show(strip_accents=strip, do_lower_case=lower, file=file)}", "bert", files=files)
    for chinese, file in product([ABSENT, True, False], [True, False]):
        files = {
            "tokenizer_config.json": edited(BERT_SETTINGS, tokenize_chinese_chars=chinese),
            "tokenizer.json": fast(handle_chinese_chars=file),
        }
        yield row(f"tokenize_chinese_chars: {show(own=chinese, file=file)}", "bert", files=files)
    for lower, strip in product([ABSENT, False], [ABSENT, False]):
        settings = edited(read("mpnet", "tokenizer_config.json"), do_lower_case=lower, strip_accents=strip)
        yield row(
            f"mpnet: {show(do_lower_case=lower, strip_accents=strip)}",
            "mpnet",
            files={"tokenizer_config.json": settings},
        )
    yield row(
        "no tokenizer_config.json",
        "bert",
        files={"tokenizer_config.json": None, "tokenizer.json": fast(lowercase=False)},
    )
    yield row("clean_text is not read", "bert", files={"tokenizer.json": fast(clean_text=False)})
    model = edited(whole["model"], max_input_chars_per_word=3)
    yield row("longest word", "bert", files={"tokenizer.json": edited(whole, model=model)})


def sides_and_spaces():
    whole = read("bert", "tokenizer.json")
    for side, file in product([ABSENT, "left", "right"], [None, "Left"]):
        cut = {"direction": file, "max_length": 512, "strategy": "LongestFirst", "stride": 0} if file else None
        files = {
            "tokenizer_config.json": edited(BERT_SETTINGS, truncation_side=side, model_max_length=8),
            "tokenizer.json": edited(whole, truncation=cut),
        }
        yield row(f"truncation_side: {show(own=side, file=file)}", "bert", files=files)
    qwen = read("qwen3", "tokenizer.json")
    for space, file, kind in product(
        [ABSENT, None, True, False], [True, False], ["Qwen2Tokenizer", "TokenizersBackend"]
    ):
        split, bytes_ = qwen["pre_tokenizer"]["pretokenizers"]
        parts = edited(qwen["pre_tokenizer"], pretokenizers=[split, edited(bytes_, add_prefix_space=file)])
        settings = edited(read("qwen3", "tokenizer_config.json"), add_prefix_space=space, tokenizer_class=kind)
        files = {"tokenizer_config.json": settings, "tokenizer.json": edited(qwen, pre_tokenizer=parts)}
        yield row(f"add_prefix_space: {show(own=space, file=file, kind=kind)}", "qwen3", files=files)
    for space in (ABSENT, True, False):
        settings = edited(read("multilingual", "tokenizer_config.json"), add_prefix_space=space)
        yield row(
            f"multilingual: add_prefix_space {show(own=space)}",
            "multilingual",
            files={"tokenizer_config.json": settings},
        )
    settings = edited(read("multilingual", "tokenizer_config.json"), tokenizer_class="PreTrainedTokenizerFast")
    yield row("multilingual: as in tokenizer.json", "multilingual", files={"tokenizer_config.json": settings})


def special_tokens():
    token = (
        lambda content, **keys: {
            "content": content,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "single_word": False,
            "special": True,
        }
        | keys
    )
    own = {
        "2": token("[CLS]"),
        "3": token("[SEP]"),
        "4": token("[MASK]", lstrip=True),
        "0": token("[PAD]"),
        "1": token("[UNK]"),
    }
    both = {"cls_token": "[SEP]", "sep_token": {**token("[CLS]"), "__type": "AddedToken"}}
    files = lambda **more: {"tokenizer_config.json": edited(BERT_SETTINGS, **more)}
    named = {"special_tokens_map.json": {"cls_token": "[MASK]", "mask_token": token("[MASK]", lstrip=True)}}
    yield row("specials: tokenizer_config.json", "bert", files=files(**both))
    yield row("specials: special_tokens_map.json counts more", "bert", files=files(**both) | named)
    yield row("specials: unless tokens are listed", "bert", files=files(added_tokens_decoder=own, **both) | named)
    yield row("specials: a list counts more than tokenizer.json", "bert", files=files(added_tokens_decoder=own))
    yield row("specials: without a role in the list", "bert", files=files(added_tokens_decoder={"4": own["4"]}))
    yield row("specials: split", "bert", files=files(split_special_tokens=True))
    yield row(
        "specials: extra",
        "bert",
        files=files(extra_special_tokens=["rain", token("stone", lstrip=True) | {"__type": "AddedToken"}]),
    )
    yield row("specials: additional", "bert", files=files(additional_special_tokens=["fell"]))
    yield row("specials: of a model", "bert", files=files(image_token="over"))
    yield row("specials: added_tokens.json", "bert", files=files() | {"added_tokens.json": {"the": 20, "rain": 21}})
    lower = {"25": token("RAIN", normalized=True, special=False)}
    yield row("specials: a normalised token", "bert", files=files(added_tokens_decoder=lower))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield row(
        "specials: as in tokenizer.json", "bert", files=files(added_tokens_decoder={"4": own["4"]}, **both, **kind)
    )
    yield row(
        "specials: mpnet",
        "mpnet",
        files={
            "tokenizer_config.json": edited(
                read("mpnet", "tokenizer_config.json"), mask_token="rain", cls_token="</s>"
            )
        },
    )
    settings = read("qwen3", "tokenizer_config.json")
    listed = {"303": token("<|endoftext|>", lstrip=True)}
    yield row(
        "specials: qwen3", "qwen3", files={"tokenizer_config.json": edited(settings, added_tokens_decoder=listed)}
    )
    yield row("specials: none", "bert", files=files(cls_token=None), refused="cls_token")
    yield row(
        "a class of tokenizers",
        "bert",
        files=files(tokenizer_class="BertJapaneseTokenizer"),
        refused="BertJapaneseTokenizer",
    )
    yield row(
        "a class for another vocabulary", "bert", files=files(tokenizer_class="Qwen2Tokenizer"), refused="WordPiece"
    )
    yield row(
        "code for a tokenizer",
        "bert",
        files=files(auto_map={"AutoTokenizer": [None, "code.Fast"]}),
        refused="auto_map",
    )
    whole = read("bert", "tokenizer.json")
    second = edited(
        whole["post_processor"],
        single=[{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}],
    )
    yield row(
        "tokens of a second text",
        "bert",
        files={"tokenizer.json": edited(whole, post_processor=second)} | files(**kind),
        refused="type_id",
    )


def vocabularies():
    words = sorted(read("bert", "tokenizer.json")["model"]["vocab"].items(), key=lambda item: item[1])
    lines = "".join(f"{word}\n" for word, _ in words)
    only = {"tokenizer.json": None, "vocab.txt": lines}
    yield row("vocab.txt alone", "bert", files=only)
    yield row("vocab.txt without settings", "bert", files=only | {"tokenizer_config.json": None})
    yield row(
        "vocab.txt, cased", "bert", files=only | {"tokenizer_config.json": edited(BERT_SETTINGS, do_lower_case=False)}
    )
    yield row("vocab.txt, other line ends", "bert", files=only | {"vocab.txt": lines.replace("\n", "\r\n")})
    words = sorted(read("mpnet", "tokenizer.json")["model"]["vocab"].items(), key=lambda item: item[1])
    yield row(
        "mpnet: vocab.txt",
        "mpnet",
        files={"tokenizer.json": None, "vocab.txt": "".join(f"{word}\n" for word, _ in words)},
    )
    yield row("no tokenizer", "qwen3", files={"tokenizer.json": None}, refused="save_pretrained")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n"
    for path in (
        "tokenizer.json",
        "config.json",
        "model.safetensors",
        "1_Pooling/config.json",
        "tokenizer_config.json",
    ):
        yield row(f"a pointer: {path}", "bert", files={path: pointer}, refused="git lfs pull")
    yield row(
        "a pointer: vocab.txt", "bert", files={"tokenizer.json": None, "vocab.txt": pointer}, refused="git lfs pull"
    )


def rows():
    from settings_family_rows import distilbert, modernbert, nomic_bert, roberta
    from settings_model_rows import configs, pooling, prompts, tensors

    for part in (
        lengths,
        normalisation,
        sides_and_spaces,
        special_tokens,
        vocabularies,
        pooling,
        prompts,
        configs,
        tensors,
        roberta,
        distilbert,
        modernbert,
        nomic_bert,
    ):
        yield from part()
