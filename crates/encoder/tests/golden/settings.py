"""Makes settings/: small models, and a table of what sentence-transformers makes of them when files say something else.

    pip install torch transformers sentence-transformers tokenizers safetensors numpy
    python settings.py            # all of it, or
    python settings.py modernbert # the rows of one model

A row of settings/table.json names a model below settings/models, the files that differ (null for one that is not
there), the tensors that are renamed or added (zeros), and the vectors of settings/texts.json, or a part of the message
with which the model is refused.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    NomicBertConfig,
    NomicBertModel,
    Qwen3Config,
    Qwen3Model,
    RobertaConfig,
    RobertaModel,
)

HERE = Path(__file__).parent / "settings"
torch.set_num_threads(1)
TEXTS = [
    "The cat sat on a warm stone",
    "THE CAT SAT ON A WARM STONE while Rain fell over Old Kent",
    "Café déjà vu, naïve ÉCOLE",
    "雨が降る 中文文本 and rain",
    "rain [MASK] fell <mask> over <s> [SEP] Kent <|endoftext|> stone",
    "new-token and NEW-TOKEN, [EXTRA]x [extra]",
    "rain fell over old kent and nobody came to ask about interest rates while the cat sat on a warm stone",
    "a  \t b\nc",
]
CORPUS = TEXTS + [
    "the cat sat on a warm stone while rain fell over old kent",
    "cafe deja vu naive ecole école Café",
    "nobody came to ask about interest rates The Cat Rain Old Kent STONE",
    "雨 が 降 る 中 文 本",
    "query passage",
]
ABSENT = object()
POSITIONS = 40


def word_piece():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=False
    )  # so that capitals and accents are in the vocabulary
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    corpus = CORPUS + [text.lower() for text in CORPUS]
    tokenizer.train_from_iterator(
        corpus, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def mpnet_word_piece():
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def unigram():
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def roberta_bpe():
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def qwen():
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX
    from tokenizers import AddedToken, Regex

    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=False)])
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
    )
    return tokenizer


SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "initializer_range": 0.3,
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
POOLING = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}
BERT_SETTINGS = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": True,
    "model_max_length": POSITIONS,
    "pad_token": "[PAD]",
}


def shaken(model):
    """With scales and shifts that are not ones and zeros, so that a tensor taken for another is seen."""
    for name, value in model.named_parameters():
        if value.dim() == 1:
            value.data += 0.2 * torch.randn_like(value)
    return model.eval()


def base(name):
    torch.manual_seed(len(name))
    settings = {"tokenizer_class": "TokenizersBackend", "model_max_length": POSITIONS}
    match name:
        case "bert":
            tokenizer, settings = word_piece(), BERT_SETTINGS
            model = BertModel(
                BertConfig(vocab_size=tokenizer.get_vocab_size() + 4, max_position_embeddings=POSITIONS, **SHAPE)
            )
        case "multilingual":
            tokenizer, settings = unigram(), settings | {
                "tokenizer_class": "XLMRobertaTokenizer",
                "pad_token": "<pad>",
            }
            model = BertModel(
                BertConfig(vocab_size=tokenizer.get_vocab_size() + 4, max_position_embeddings=POSITIONS, **SHAPE)
            )
        case "mpnet":
            tokenizer, settings = mpnet_word_piece(), settings | {
                "tokenizer_class": "MPNetTokenizer",
                "pad_token": "<pad>",
            }
            config = MPNetConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=POSITIONS + 2, **SHAPE)
            model = MPNetModel(config)
        case "qwen3":
            tokenizer, settings = qwen(), settings | {
                "tokenizer_class": "Qwen2Tokenizer",
                "pad_token": "<|endoftext|>",
            }
            config = Qwen3Config(
                vocab_size=304, max_position_embeddings=POSITIONS, head_dim=8, num_key_value_heads=1, **SHAPE
            )
            model = Qwen3Model(config)
        case "roberta":
            tokenizer, settings = roberta_bpe(), settings | {
                "tokenizer_class": "RobertaTokenizer",
                "pad_token": "<pad>",
            }
            model = RobertaModel(
                RobertaConfig(vocab_size=330, max_position_embeddings=POSITIONS + 2, type_vocab_size=1, **SHAPE)
            )
        case "distilbert":
            tokenizer, settings = word_piece(), BERT_SETTINGS | {"tokenizer_class": "DistilBertTokenizer"}
            shape = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "initializer_range": 0.3}
            model = DistilBertModel(
                DistilBertConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=POSITIONS, **shape)
            )
        case "modernbert":
            tokenizer, settings = word_piece(), settings | {"pad_token": "[PAD]"}
            ids = dict.fromkeys(["pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"], 0)
            size = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": POSITIONS}
            model = ModernBertModel(ModernBertConfig(local_attention=6, **size, **ids, **SHAPE))
        case "nomic_bert":
            tokenizer, settings = word_piece(), BERT_SETTINGS
            size = {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": POSITIONS}
            model = NomicBertModel(NomicBertConfig(**size, **SHAPE))
    folder = HERE / "models" / name
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    shaken(model).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    files = {"modules.json": MODULES, "1_Pooling/config.json": POOLING, "tokenizer_config.json": settings}
    for path, value in files.items():
        (folder / path).write_text(json.dumps(value, indent=1) + "\n")


def read(name, path):
    return json.loads((HERE / "models" / name / path).read_text())


def edited(value, **keys):
    """A table with keys set, or taken out where they are ABSENT."""
    return {k: v for k, v in (value | keys).items() if v is not ABSENT}


def make(folder, row):
    """The model of a row, in a directory."""
    shutil.copytree(HERE / "models" / row["model"], folder)
    for path, value in row.get("files", {}).items():
        target = folder / path
        if value is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(value if isinstance(value, str) else json.dumps(value))
    if "rename" in row or "add" in row:
        tensors = load_file(folder / "model.safetensors")
        for before, after in row.get("rename", []):
            tensors = {
                name.replace(before, after) if before else after + name: value for name, value in tensors.items()
            }
        tensors |= {name: torch.zeros(shape) for name, shape in row.get("add", {}).items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def vectors(folder):
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.float()
    return np.concatenate([model.encode([text], normalize_embeddings=True) for text in TEXTS])


if __name__ == "__main__":
    from settings_rows import rows

    every = ["bert", "multilingual", "mpnet", "qwen3", "roberta", "distilbert", "modernbert", "nomic_bert"]
    made = sys.argv[1:] or every
    table = HERE / "table.json"
    kept = {row["name"]: row for row in json.loads(table.read_text())} if sys.argv[1:] else {}
    for name in made:
        base(name)
    (HERE / "texts.json").write_text(json.dumps(TEXTS, indent=1) + "\n")
    found = []
    for row in rows():
        if row["model"] not in made:
            found.append(kept[row["name"]])
            continue
        if "refused" not in row:
            with tempfile.TemporaryDirectory() as scratch:
                make(Path(scratch) / "model", row)
                given = row | row.get("reference", {})
                if "reference" in row:
                    shutil.rmtree(Path(scratch) / "model")
                    make(Path(scratch) / "model", given)
                try:
                    row["vectors"] = [[round(float(v), 7) for v in line] for line in vectors(Path(scratch) / "model")]
                except Exception as e:
                    raise SystemExit(f"{row['name']}: {e}")
                row.pop("reference", None)
        found.append(row)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in found)
    table.write_text(f"[\n{lines}\n]\n")
    print(len(found), "rows,", sum("refused" in row for row in found), "of them refused")
