"""Writes ids.json: what Python's tokenizers makes of odd texts, by the tokenizers of the tests and by one with the pattern
and the normaliser of the released Qwen3-Embedding (models/qwen-pattern, a small vocabulary).

    pip install tokenizers
    python ids.py

A text is [piece, times]. For each tokenizer and text: the number of ids, and a number made of them in order, uncut and cut
at 16. Run make.py first.
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
DATA = HERE.parents[3] / "data"
PATTERN = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
RANGES = [(0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x100), (0x300, 0x370), (0x400, 0x500), (0x590, 0x700), (0x900, 0xE00),
          (0x1100, 0x1200), (0x2000, 0x2070), (0x3040, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xE000, 0xE010), (0xFE00, 0xFE10),
          (0xFB00, 0xFB50), (0xFFF0, 0x10000), (0x1D400, 0x1D500), (0x1F300, 0x1F700), (0xE0000, 0xE0080), (0x10FFF0, 0x110000)]  # fmt: skip


def qwen_pattern(corpus):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=500, show_progress=False, initial_alphabet=alphabet))
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]),
    ])  # fmt: skip
    folder = HERE / "models" / "qwen-pattern"
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def texts(corpus):
    random.seed(4)
    out = [[text, 1] for text in corpus]
    marks = ["\u0301", "\u0301\u0323\u0327", "e\u0301", "\u0065\u0323\u0302", "\u200d", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea",
             "\u202e", "\u05d0\u05b8", "\u0627\u0644\u0644\u0647", "\uffff", "\ufffe", "\ufffd", "\U0010ffff", "\u1e9e", "\u0130", "\u01c4", "\ufb03", "\u3164",
             "\u2028", "\u0085", "\u00a0", "\u3000", "\u180e", "\u200b", "\ufeff", "\x00", "\x7f", "\x1b", "\r", "\n", "\r\n", "\t", "\v", "\f", " ",
             "'S", "'ll", "don't", "DON'T", "\u2019s", "1", "12", "\u0663", "\u00bd", "\u2167", "<|im_start|>", "<|endoftext|>", "<|im_end|>x", "[MASK]", "##a"]  # fmt: skip
    out += [[mark, times] for mark in marks for times in (1, 2, 40)]
    out += [[f"{a}{b}{a}", 1] for a in ["a", " ", "\n", "1", "é"] for b in marks]
    for piece in ["a", " ", "\n", "\r", "!", "1", "é", "日", "\U0001f600", "\u0301", "\u200d", "\x00", "'s", " a"]:
        out += [[piece, 3000]]
    pick = lambda: chr(random.choice([c for c in [random.randrange(*random.choice(RANGES))] if not 0xD800 <= c < 0xE000] or [97]))
    out += [["".join(pick() for _ in range(random.randrange(1, 60))), 1] for _ in range(600)]
    return out + [[piece, 1_000_000] for piece in ("a", " ", "\n", "\u0301")]


def digest(ids):
    number = 0
    for i in ids:
        number = (number * 1_000_003 + i + 1) % 2**61
    return [len(ids), number]


if __name__ == "__main__":
    corpus = json.loads((HERE / "texts.json").read_text())["texts"]
    qwen_pattern(corpus)
    specs = texts(corpus)
    found = {}
    for name, folder in [("minilm", DATA / "minilm"), *((n, HERE / "models" / n) for n in ("qwen3-tiny", "qwen3-grouped", "qwen-pattern"))]:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        rows = []
        for piece, times in specs:
            tokenizer.no_truncation()
            whole = tokenizer.encode(piece * times).ids
            tokenizer.enable_truncation(16)
            rows.append(digest(whole) + digest(tokenizer.encode(piece * times).ids))
        found[name] = rows
        print(name, len(rows), "texts,", sum(row[0] for row in rows), "ids")
    (HERE / "ids.json").write_text(json.dumps({"texts": specs, "ids": found}, separators=(",", ":")) + "\n")
