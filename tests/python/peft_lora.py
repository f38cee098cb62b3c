"""What fine-tuning by LoRA writes, read by Hugging Face's peft.

Needs Python with torch, transformers, peft and sentence-transformers. No network.

    cargo build --release -p manyview-encoder --example fine_tune
    python tests/python/peft_lora.py [target/release/examples/fine_tune]

Trains LoRA of a small BERT, by both engines, and of a small Qwen3, puts the `lora/` that is left onto the base model with
peft, and compares the vectors of all texts with those of the fine-tuned encoder, by us and by sentence-transformers, to 1e-5
in every component.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}

import torch
from peft import PeftModel
from sentence_transformers import SentenceTransformer
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/examples/fine_tune").resolve()
GOLDEN = ROOT / "crates/encoder/tests/golden"
TOLERANCE = 1e-5


def embed(model, tokenizer, texts):
    batch = tokenizer(texts, padding=True, padding_side="right", truncation=True, max_length=24, return_tensors="pt")
    mask = batch["attention_mask"]
    with torch.no_grad():
        states = model(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
    if model.config.model_type == "bert":
        pooled = (states * mask[:, :, None]).sum(1) / mask[:, :, None].sum(1)
    else:
        pooled = states[torch.arange(len(texts)), mask.sum(1) - 1]
    return functional.normalize(pooled, dim=1)


def furthest(a, b):
    return (torch.as_tensor(a) - torch.as_tensor(b)).abs().max().item()


def check(folder, name, options):
    base, to, vectors = GOLDEN / "models" / name, folder / "tuned", folder / "vectors.json"
    pairs = json.loads((GOLDEN / "fine_tuning" / "pairs.json").read_text())
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    subprocess.run([PROGRAM, base, folder / "pairs.jsonl", to, "lora=4", "lr=1e-2", "batch=4", "epochs=2",
                    f"vectors={vectors}", *options], check=True, stdout=subprocess.DEVNULL)
    texts, ours = [query for query, _ in pairs], json.loads(vectors.read_text())
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = AutoModel.from_pretrained(base).eval()
    before = embed(plain, tokenizer, texts)
    changed = PeftModel.from_pretrained(plain, str(to / "lora")).eval()
    by_peft = embed(changed, tokenizer, texts)
    by_sentence_transformers = SentenceTransformer(str(to), device="cpu").encode(texts, convert_to_tensor=True)
    assert furthest(before, by_peft) > 1e-2, f"{name}: LoRA changed nothing"
    for who, found in (("ours", ours), ("sentence-transformers", by_sentence_transformers)):
        gap = furthest(by_peft, found)
        assert gap < TOLERANCE, f"{name} {options}: peft and {who} are {gap} apart"
        print(f"{name} {' '.join(options)}: peft and {who} at most {gap:.1e} apart")


def main():
    cases = [("bert-tiny", []), ("bert-tiny", ["engine=burn", "targets=query,attention.output.dense,output.dense"]),
             ("qwen3-small", []), ("qwen3-small", ["targets=all-linear", "lora_dropout=0.1"])]
    for name, options in cases:
        with tempfile.TemporaryDirectory() as folder:
            check(Path(folder), name, options)


if __name__ == "__main__":
    main()
