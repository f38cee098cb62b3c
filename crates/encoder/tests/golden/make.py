"""Makes the golden vectors of tests/parity.rs with sentence-transformers, one text at a time, in f32.

    pip install torch transformers sentence-transformers tokenizers safetensors numpy
    python make.py            # all of it, or
    python make.py mpnet-tiny # one model

Writes small models with random weights (below models/), the texts (texts.json), and for each model a safetensors file: `plain` and `instructed` vectors, and `lengths`, the tokens of each text as the model reads it.
The MiniLM vectors are those of the weights in data/minilm, int8 with a scale for each row, multiplied out.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file
from safetensors.torch import save_file as save_torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (BertConfig, BertModel, BertTokenizer, DistilBertConfig, DistilBertModel, DistilBertTokenizer,
                          Gemma3TextConfig, Gemma3TextModel,
                          ModernBertConfig, ModernBertModel, MPNetConfig, MPNetModel, NomicBertConfig, NomicBertModel,
                          PreTrainedTokenizerFast, Qwen2Config, Qwen2Model, Qwen3Config, Qwen3Model,
                          RobertaConfig, RobertaModel, RobertaTokenizer, XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizer)

HERE = Path(__file__).parent
DATA = HERE.parents[3] / "data"
TASK = "Identify the main topic of the text"
MAX = 64
torch.manual_seed(7)
torch.set_num_threads(1)


def texts():
    words = "the cat sat on a warm stone while rain fell over old Kent and nobody came to ask about interest rates".split()
    out = ["", " ", "   \t \n ", "a", ".", "?!", "rain", "Rain", "RAIN", "rain rain"]
    out += ["naïve café déjà vu", "Ünïcödé ẞ ﬁ ﬂ", "日本語のテキスト", "中文 文本 测试", "한국어 텍스트", "emoji 😀👩‍👩‍👧‍👦 🇬🇧", "مرحبا بالعالم",
            "שלום עולם", "zero\u200bwidth\u200djoin", "com\u0301bining e\u0301", "tab\tand\nnew\r\nline", "nul\x00byte", "\ufeffbom first",
            "ﷺ ligature", "\U0001d4d0\U0001d4d1 math", "\u202eright to left", "soft\u00adhyphen", "ＦＵＬＬ width", "½ ¾ ² ³", "—–-‐ dashes",
            "Instruct: x\nQuery:y", ":Set", ":String of beads", "[CLS] [SEP] [MASK]", "<|endoftext|> inside", "http://example.org/?q=1&r=2",
            "fn main() { println!(\"{}\", 1 + 1); }", "1,234,567.89 USD", "A" * 300, "ab " * 10]
    for n in range(1, 31):  # every length, in mixed order
        out.append(" ".join(words[i % len(words)] for i in range(n * 7 % 31 + 1)))
    for i in range(16):  # texts of equal length
        out.append(" ".join(words[(i * j + j) % len(words)] for j in range(8)))
    for n in (MAX - 4, MAX - 3, MAX - 2, MAX - 1, MAX, MAX + 1, MAX + 2, 2 * MAX, 5 * MAX):  # around the maximum
        out.append(" ".join(["a"] * n))
    for n in range(6):
        out.append(" ".join(words[(5 * n + j * j) % len(words)] for j in range(20 + 9 * n)))
    return out


def byte_level_bpe(corpus, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", 0)]),
    ])
    return tokenizer


def qwen3(name, corpus, size, dtype, shard, **shape):
    folder = HERE / "models" / name
    tokenizer = byte_level_bpe(corpus, size)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|endoftext|>", model_max_length=MAX)
    config = Qwen3Config(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=256, initializer_range=0.2,
                         use_cache=False, **shape)
    model = Qwen3Model(config).eval().to(dtype)
    return saved(folder, model, fast, "lasttoken", shard)


def shaken(model):
    """With scales and biases that are not ones and zeros, so that a tensor left out is seen."""
    for value in model.parameters():
        if value.dim() == 1:
            value.data += 0.2 * torch.randn_like(value)
    return model.eval()


def qwen2(name, corpus, size, dtype, pooling, **shape):
    torch.manual_seed(13)
    tokenizer = byte_level_bpe(corpus, size)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|endoftext|>", model_max_length=MAX)
    config = Qwen2Config(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=256, initializer_range=0.2,
                         use_cache=False, **shape)
    return saved(HERE / "models" / name, shaken(Qwen2Model(config)).to(dtype), fast, pooling, "10MB")


def sentence_piece_bpe(corpus, size):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # so that no token is of two words
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special + [f"<0x{i:02X}>" for i in range(256)],
                                  limit_alphabet=60, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    whole = json.loads(tokenizer.to_str())
    whole["added_tokens"] = whole["added_tokens"][:len(special)]  # bytes are of the vocabulary, not special
    tokenizer = Tokenizer.from_str(json.dumps(whole))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A <eos>",
                                                             special_tokens=[("<bos>", 2), ("<eos>", 1)])
    return tokenizer


def gemma3(name, corpus, size, pooling, **shape):
    torch.manual_seed(17)
    tokenizer = sentence_piece_bpe(corpus, size)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>",
                                   unk_token="<unk>", mask_token="<mask>", model_max_length=MAX)
    config = Gemma3TextConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=256, initializer_range=0.2,
                              use_cache=False, **shape)
    model = saved(HERE / "models" / name, shaken(Gemma3TextModel(config)), fast, pooling, "10MB")
    path = HERE / "models" / name / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "GemmaTokenizer"}, indent=2) + "\n")
    return SentenceTransformer(str(path.parent), device="cpu", model_kwargs={"torch_dtype": torch.float32})


def word_piece(corpus, size):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def mpnet(name, corpus, size, **shape):
    torch.manual_seed(11)
    tokenizer = word_piece(corpus, size)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>",
                                   unk_token="[UNK]", mask_token="<mask>", model_max_length=MAX)
    config = MPNetConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=514, initializer_range=0.2,
                         layer_norm_eps=1e-5, **shape)
    return saved(HERE / "models" / name, MPNetModel(config).eval(), fast, "mean_tokens", "10MB")


def shaken(model):
    """With scales and shifts that are not ones and zeros, so that a tensor taken for another is seen."""
    for value in model.parameters():
        if value.dim() == 1:
            value.data += 0.2 * torch.randn_like(value)
    return model.eval()


def unigram(corpus, size):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=size, special_tokens=special,
                                                                  unk_token="<unk>", show_progress=False))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
                                                             special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer


def xlm_roberta(name, corpus, size, **shape):
    torch.manual_seed(13)
    fast = XLMRobertaTokenizer.from_pretrained(written(unigram(corpus, size)), model_max_length=MAX)
    config = XLMRobertaConfig(vocab_size=len(fast), max_position_embeddings=82, type_vocab_size=1, layer_norm_eps=1e-5,
                              initializer_range=0.2, **shape)
    return saved(HERE / "models" / name, shaken(XLMRobertaModel(config)), fast, "mean_tokens", "10MB")


def roberta_bpe(corpus, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False,
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def roberta(name, corpus, size, **shape):
    torch.manual_seed(17)
    fast = RobertaTokenizer.from_pretrained(written(roberta_bpe(corpus, size)), model_max_length=MAX)
    config = RobertaConfig(vocab_size=len(fast), max_position_embeddings=MAX + 2, type_vocab_size=1, layer_norm_eps=1e-5,
                           initializer_range=0.2, **shape)
    return saved(HERE / "models" / name, shaken(RobertaModel(config)), fast, "cls_token", "10MB")


def written(tokenizer):
    """A directory with nothing but the tokenizer, from which transformers builds its own class."""
    folder = tempfile.mkdtemp()
    tokenizer.save(f"{folder}/tokenizer.json")
    return folder


def bert_word_piece(corpus, size):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]",
                                                             special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def distilbert(name, corpus, size, **shape):
    torch.manual_seed(19)
    fast = DistilBertTokenizer.from_pretrained(written(bert_word_piece(corpus, size)), model_max_length=MAX)
    config = DistilBertConfig(vocab_size=len(fast), max_position_embeddings=MAX, initializer_range=0.2, **shape)
    return saved(HERE / "models" / name, shaken(DistilBertModel(config)), fast, "mean_tokens", "10MB")


def modernbert(name, corpus, size, **shape):
    torch.manual_seed(23)
    tokenizer = bert_word_piece(corpus, size)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]", model_max_length=MAX)
    config = ModernBertConfig(vocab_size=len(fast), max_position_embeddings=128, initializer_range=0.2, pad_token_id=0,
                              bos_token_id=2, cls_token_id=2, eos_token_id=3, sep_token_id=3, local_attention=16, **shape)
    return saved(HERE / "models" / name, shaken(ModernBertModel(config)), fast, "mean_tokens", "10MB")


def nomic_bert(name, corpus, size, **shape):
    torch.manual_seed(29)
    fast = BertTokenizer.from_pretrained(written(bert_word_piece(corpus, size)), model_max_length=MAX)
    config = NomicBertConfig(vocab_size=len(fast), max_position_embeddings=128, initializer_range=0.2, **shape)
    return saved(HERE / "models" / name, shaken(NomicBertModel(config)), fast, "mean_tokens", "10MB")


def saved(folder, model, tokenizer, pooling, shard):
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, max_shard_size=shard)
    tokenizer.save_pretrained(folder)
    write = lambda path, value: (folder / path).write_text(json.dumps(value, indent=1) + "\n")
    write("sentence_bert_config.json", {"max_seq_length": MAX})
    modes = {f"pooling_mode_{mode}": mode == pooling for mode in ("lasttoken", "mean_tokens", pooling)}
    write("1_Pooling/config.json", {"word_embedding_dimension": model.config.hidden_size, **modes, "include_prompt": True})
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write("modules.json", [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{k}"}
                           for i, (p, k) in enumerate(kinds)])
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"torch_dtype": torch.float32})


def minilm():
    stored = load_file(DATA / "minilm" / "model.safetensors")
    full = {k: v.float() * stored[k + "_scale"][:, None] if v.dtype == torch.int8 else v
            for k, v in stored.items() if not k.endswith("_scale")}
    folder = HERE / "minilm-f32.tmp"
    BertModel(BertConfig.from_pretrained(DATA / "minilm")).save_pretrained(folder)
    save_torch(full, folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_bytes((DATA / "minilm" / name).read_bytes())
    body = Transformer(str(folder), max_seq_length=MAX)
    model = SentenceTransformer(modules=[body, Pooling(body.get_word_embedding_dimension()), Normalize()], device="cpu")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    return model


def golden(name, model, corpus):
    model.max_seq_length = MAX
    prefix = f"Instruct: {TASK}\nQuery:"
    encode = lambda items: np.concatenate([model.encode([t], batch_size=1, normalize_embeddings=True) for t in items])
    lengths = [len(model.tokenizer(t, truncation=True, max_length=MAX)["input_ids"]) for t in corpus]
    save_file({"plain": encode(corpus).astype(np.float32),
               "instructed": encode([prefix + t for t in corpus]).astype(np.float32),
               "lengths": np.array(lengths, dtype=np.int64)}, HERE / f"{name}.safetensors")
    print(name, len(corpus), "texts, lengths", min(lengths), "to", max(lengths))


if __name__ == "__main__":
    corpus = texts()
    (HERE / "texts.json").write_text(json.dumps({"task": TASK, "max_length": MAX, "texts": corpus}, indent=0) + "\n")
    make = {
        "minilm": minilm,
        "gemma3-tiny": lambda: gemma3("gemma3-tiny", corpus, 380, "mean_tokens", hidden_size=24, num_hidden_layers=3,
                                      num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=32,
                                      query_pre_attn_scalar=24, sliding_window=12, use_bidirectional_attention=True,
                                      layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
        "gemma3-causal": lambda: gemma3("gemma3-causal", corpus, 380, "lasttoken", hidden_size=24, num_hidden_layers=3,
                                        num_attention_heads=2, num_key_value_heads=1, head_dim=8, intermediate_size=32,
                                        query_pre_attn_scalar=8, sliding_window=5, sliding_window_pattern=2),
        "qwen3-tiny": lambda: qwen3("qwen3-tiny", corpus, 300, torch.float32, "10MB", hidden_size=32,
                                    num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, head_dim=8,
                                    intermediate_size=64),
        "qwen3-grouped": lambda: qwen3("qwen3-grouped", corpus, 600, torch.bfloat16, "100KB", hidden_size=64,
                                       num_hidden_layers=5, num_attention_heads=8, num_key_value_heads=2, head_dim=16,
                                       intermediate_size=160, rope_theta=1_000_000.0),
        "qwen2-tiny": lambda: qwen2("qwen2-tiny", corpus, 300, torch.float32, "lasttoken", hidden_size=32,
                                    num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                                    intermediate_size=48),
        "qwen2-both-ways": lambda: qwen2("qwen2-both-ways", corpus, 300, torch.bfloat16, "mean_tokens", hidden_size=32,
                                         num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=1,
                                         intermediate_size=48, rope_theta=1_000_000.0, is_causal=False),
        "mpnet-tiny": lambda: mpnet("mpnet-tiny", corpus, 400, hidden_size=48, num_hidden_layers=3,
                                    num_attention_heads=4, intermediate_size=96),
        "xlm-roberta-tiny": lambda: xlm_roberta("xlm-roberta-tiny", corpus, 300, hidden_size=32, num_hidden_layers=2,
                                                num_attention_heads=4, intermediate_size=64),
        "roberta-tiny": lambda: roberta("roberta-tiny", corpus, 400, hidden_size=32, num_hidden_layers=2,
                                        num_attention_heads=2, intermediate_size=64),
        "distilbert-tiny": lambda: distilbert("distilbert-tiny", corpus, 400, dim=32, n_layers=2, n_heads=4,
                                              hidden_dim=64),
        "modernbert-tiny": lambda: modernbert("modernbert-tiny", corpus, 300, hidden_size=32, num_hidden_layers=5,
                                              num_attention_heads=4, intermediate_size=24),
        "nomic-bert-tiny": lambda: nomic_bert("nomic-bert-tiny", corpus, 300, hidden_size=32, num_hidden_layers=2,
                                              num_attention_heads=4, intermediate_size=48),
    }
    for name in sys.argv[1:] or make:
        golden(name, make[name](), corpus)
