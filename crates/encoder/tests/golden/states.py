"""Makes the golden token states of tests/token_states.rs with transformers, one text at a time, in f32.

    pip install torch transformers sentence-transformers tokenizers safetensors numpy
    python states.py            # all of it, or
    python states.py mpnet-tiny # one model

For each model, of every tenth text of texts.json (and EXTRA), one after the other: `ids`, `offsets` (first and last byte of each
token in the text, both 0 for special tokens), `states` (the last hidden state), and `lengths`, the tokens of each text.
"""

import json
import sys

import numpy as np
import torch
from make import HERE, MAX, minilm
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

STEP = 10
# The padding token inside a text: MPNet and RoBERTa do not count it as a position.
PADDED = "rain <pad> fell <mask> over <pad> Kent"
EXTRA = {name: [PADDED] for name in ("mpnet-tiny", "xlm-roberta-tiny", "roberta-tiny")}


def model(name):
    if name == "minilm":
        return minilm()
    return SentenceTransformer(str(HERE / "models" / name), device="cpu", model_kwargs={"torch_dtype": torch.float32})


def bytes_of(text, chars):
    return [[len(text[:end].encode()) for end in pair] for pair in chars]


def states(name, corpus):
    transformer = model(name)[0]
    body, tokenizer = transformer.auto_model.eval(), transformer.tokenizer
    ids, offsets, rows, lengths = [], [], [], []
    for text in corpus:
        found = tokenizer(text, truncation=True, max_length=MAX, return_offsets_mapping=True, return_tensors="pt")
        with torch.no_grad():
            last = body(input_ids=found["input_ids"], attention_mask=found["attention_mask"]).last_hidden_state[0]
        ids += found["input_ids"][0].tolist()
        offsets += bytes_of(text, found["offset_mapping"][0].tolist())
        rows.append(last.numpy().astype(np.float32))
        lengths.append(len(last))
    save_file({"ids": np.array(ids, dtype=np.int64), "offsets": np.array(offsets, dtype=np.int64),
               "states": np.concatenate(rows), "lengths": np.array(lengths, dtype=np.int64)},
              HERE / "states" / f"{name}.safetensors")
    print(name, len(corpus), "texts,", sum(lengths), "tokens")


if __name__ == "__main__":
    texts = json.loads((HERE / "texts.json").read_text())["texts"][::STEP]
    (HERE / "states").mkdir(exist_ok=True)
    every = ("minilm", "gemma3-tiny", "gemma3-causal", "qwen2-tiny", "qwen2-both-ways", "qwen3-tiny", "qwen3-grouped", "mpnet-tiny", "xlm-roberta-tiny", "roberta-tiny",
             "distilbert-tiny", "modernbert-tiny", "nomic-bert-tiny")
    for name in sys.argv[1:] or every:
        states(name, texts + EXTRA.get(name, []))
