"""Makes the golden values of the tests of fine-tuning with PyTorch, in f32, without dropout.

    pip install torch transformers tokenizers safetensors numpy
    python tuning.py

Writes a BERT with random weights (models/bert-tiny) and tuning/steps.safetensors: of batches of tuning/pairs.json, the
gradient of every tensor at the first step (`gradient.`), the losses, and every tensor after the last (`after.`).
AdamW, clipping, the schedule and the ranking loss are those sentence-transformers trains with.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
STEPS, BATCH, LR, DECAY, CLIP, WARMUP = 6, 4, 1e-3, 0.01, 1.0, 0.3
torch.manual_seed(3)
torch.set_num_threads(1)

WORDS = "the cat sat on a warm stone while rain fell over old kent and nobody came to ask about interest rates".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]


def tokenizer(folder):
    model = Tokenizer(models.WordPiece({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    model.normalizer = normalizers.BertNormalizer(lowercase=True)
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]",
                                                         special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    fast = PreTrainedTokenizerFast(tokenizer_object=model, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]", model_max_length=24)
    fast.save_pretrained(folder)
    return fast


def model(folder):
    config = BertConfig(vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=24, max_position_embeddings=24, initializer_range=0.3,
                        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    bert = BertModel(config)
    with torch.no_grad():  # shifts and scales that are not 0 and 1
        for name, value in bert.named_parameters():
            if value.ndim == 1:
                value.add_(0.2 * torch.randn_like(value))
    bert.save_pretrained(folder)
    write = lambda path, value: (folder / path).write_text(json.dumps(value, indent=1) + "\n")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write("sentence_bert_config.json", {"max_seq_length": 24})
    write("1_Pooling/config.json", {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True})
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write("modules.json", [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{k}"}
                           for i, (p, k) in enumerate(kinds)])
    return bert


def pairs():
    text = lambda start, step, n: " ".join(WORDS[(start + step * j * j) % len(WORDS)] for j in range(n))
    made = [(text(i, 1, 1 + i % 5), text(3 * i + 1, 2, 3 + 5 * i % 17)) for i in range(STEPS * BATCH)]
    assert len({p for _, p in made}) == len({q for q, _ in made}) == len(made)
    return made


def main():
    folder = HERE / "models" / "bert-tiny"
    folder.mkdir(parents=True, exist_ok=True)
    tokens, bert, made = tokenizer(folder), model(folder).train(), pairs()
    (HERE / "tuning" / "pairs.json").write_text(json.dumps(made, indent=0) + "\n")
    learning = [(n, p) for n, p in bert.named_parameters() if not n.startswith("pooler.")]
    decays = [p for n, p in learning if not n.endswith(".bias") and "LayerNorm" not in n]
    rest = [p for n, p in learning if n.endswith(".bias") or "LayerNorm" in n]
    adamw = torch.optim.AdamW([{"params": decays, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}], lr=LR)
    schedule = get_linear_schedule_with_warmup(adamw, -int(-WARMUP * STEPS // 1), STEPS)

    def vectors(texts):
        batch = tokens(texts, padding=True, truncation=True, max_length=24, return_tensors="pt")
        mask = batch["attention_mask"][:, :, None]
        states = bert(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    found, losses, lengths = {}, [], []
    for step in range(STEPS):
        batch = made[step * BATCH:(step + 1) * BATCH]
        logits = 20 * vectors([q for q, _ in batch]) @ vectors([p for _, p in batch]).T
        loss = torch.nn.functional.cross_entropy(logits, torch.arange(BATCH))
        adamw.zero_grad()
        loss.backward()
        if step == 0:
            found |= {f"gradient.{n}": p.grad.clone() for n, p in learning}
        lengths.append(torch.nn.utils.clip_grad_norm_([p for _, p in learning], CLIP))
        losses.append(loss.detach())
        adamw.step()
        schedule.step()
    found |= {f"after.{n}": p.detach().clone() for n, p in learning}
    found |= {"losses": torch.stack(losses), "lengths": torch.stack(lengths)}
    save_file(found, HERE / "tuning" / "steps.safetensors")
    print([round(float(v), 4) for v in losses], [round(float(v), 3) for v in lengths])


if __name__ == "__main__":
    main()
