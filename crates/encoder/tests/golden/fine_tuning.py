"""Makes the golden values of the tests of fine-tuning with PyTorch, in f32, without dropout.

    pip install torch transformers tokenizers safetensors numpy peft
    python fine_tuning.py

Writes a BERT and a Qwen3 with random weights (models/bert-tiny, models/qwen3-small: grouped heads) and, for each case below,
a safetensors file in fine_tuning/: of batches of fine_tuning/pairs.json, every trained tensor before the first step where it
is not the model's (`before.`), its gradient at the first step (`gradient.`), the losses, the lengths of the gradients, and
every trained tensor after the last step (`after.`). AdamW, clipping, the schedule and the ranking loss are those
sentence-transformers trains with; the low-rank changes are peft's.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch.nn import functional
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3Model
from transformers import get_linear_schedule_with_warmup

HERE = Path(__file__).parent
STEPS, BATCH, LR, DECAY, CLIP, WARMUP, LENGTH = 6, 4, 1e-3, 0.01, 1.0, 0.3, 24
RANK, ALPHA = 3, 12.0
MSE_WEIGHT, COSINE_WEIGHT = 4.0, 0.5  # of the student
torch.set_num_threads(1)

WORDS = "the cat sat on a warm stone while rain fell over old kent and nobody came to ask about interest rates".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
TARGETS = {"bert": ["query", "value", "attention.output.dense", "intermediate.dense"],
           "qwen3": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]}


def tokenizer(folder, single, special):
    model = Tokenizer(models.WordPiece({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    model.normalizer = normalizers.BertNormalizer(lowercase=True)
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.post_processor = processors.TemplateProcessing(single=single, special_tokens=special)
    fast = PreTrainedTokenizerFast(tokenizer_object=model, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]", model_max_length=LENGTH)
    fast.save_pretrained(folder)
    return fast


def layout(folder, pooling, hidden):
    write = lambda path, value: (folder / path).write_text(json.dumps(value, indent=1) + "\n")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write("sentence_bert_config.json", {"max_seq_length": LENGTH})
    write("1_Pooling/config.json", {"word_embedding_dimension": hidden, f"pooling_mode_{pooling}": True})
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    write("modules.json", [{"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{k}"}
                           for i, (p, k) in enumerate(kinds)])


def random_norms(model):
    """Biases and scales that are not 0 and 1."""
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim == 1:
                value.add_(0.2 * torch.randn_like(value))
    return model


def bert(folder):
    config = BertConfig(vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=24, max_position_embeddings=LENGTH, initializer_range=0.3,
                        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = random_norms(BertModel(config))
    model.save_pretrained(folder)
    layout(folder, "mean_tokens", 16)
    return model, tokenizer(folder, "[CLS] $A [SEP]", [("[CLS]", 2), ("[SEP]", 3)])


def qwen3(folder):
    config = Qwen3Config(vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=6, intermediate_size=24, max_position_embeddings=64,
                         initializer_range=0.3, use_cache=False)
    model = random_norms(Qwen3Model(config))
    model.save_pretrained(folder)
    layout(folder, "lasttoken", 16)
    return model, tokenizer(folder, "$A [SEP]", [("[SEP]", 3)])


def pairs():
    text = lambda start, step, n: " ".join(WORDS[(start + step * j * j) % len(WORDS)] for j in range(n))
    made = [(text(i, 1, 1 + i % 5), text(3 * i + 1, 2, 3 + 5 * i % 17)) for i in range(STEPS * BATCH)]
    assert len({p for _, p in made}) == len({q for q, _ in made}) == len(made)
    return made


def embed(model, tokens, texts):
    batch = tokens(texts, padding=True, padding_side="right", truncation=True, max_length=LENGTH, return_tensors="pt")
    mask = batch["attention_mask"]
    states = model(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
    if model.config.model_type == "bert":
        pooled = (states * mask[:, :, None]).sum(1) / mask[:, :, None].sum(1)
    else:
        pooled = states[torch.arange(len(texts)), mask.sum(1) - 1]
    return functional.normalize(pooled, dim=1)


def ranking(vectors, batch, _):
    logits = 20 * vectors([q for q, _ in batch]) @ vectors([p for _, p in batch]).T
    return functional.cross_entropy(logits, torch.arange(len(batch)))


def student(vectors, batch, teacher):
    """Towards the teacher's unit vectors of the queries."""
    found = vectors([q for q, _ in batch])
    cosine = functional.cosine_similarity(found, teacher, dim=1)
    return MSE_WEIGHT * functional.mse_loss(found, teacher) + COSINE_WEIGHT * (1 - cosine).mean()


def train(model, tokens, made, objective, teacher):
    """Trains what asks for a gradient; gives it by name, with losses and lengths of gradients."""
    learning = [(n, p) for n, p in model.named_parameters() if p.requires_grad and not n.startswith("pooler.")]
    decays, rest = [p for _, p in learning if p.ndim > 1], [p for _, p in learning if p.ndim == 1]
    groups = [{"params": decays, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW([group for group in groups if group["params"]], lr=LR)
    schedule = get_linear_schedule_with_warmup(adamw, -int(-WARMUP * STEPS // 1), STEPS)
    vectors = lambda texts: embed(model, tokens, texts)
    name = lambda n: n.replace("base_model.model.", "").replace(".default.", ".")
    found = {f"before.{name(n)}": p.detach().clone() for n, p in learning if "lora" in n}
    losses, lengths = [], []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        loss = objective(vectors, made[rows], teacher[rows])
        adamw.zero_grad()
        loss.backward()
        if step == 0:
            found |= {f"gradient.{name(n)}": p.grad.clone() for n, p in learning}
        lengths.append(torch.nn.utils.clip_grad_norm_([p for _, p in learning], CLIP))
        losses.append(loss.detach())
        adamw.step()
        schedule.step()
    found |= {f"after.{name(n)}": p.detach().clone() for n, p in learning}
    found |= {"losses": torch.stack(losses), "lengths": torch.stack(lengths)}
    print([round(float(v), 4) for v in losses], [round(float(v), 3) for v in lengths])
    return found


def main():
    made = pairs()
    (HERE / "fine_tuning" / "pairs.json").write_text(json.dumps(made, indent=0) + "\n")
    make = {"bert": (bert, "bert-tiny"), "qwen3": (qwen3, "qwen3-small")}
    cases = [("bert", "full", ranking), ("bert", "lora", ranking), ("qwen3", "full", ranking),
             ("qwen3", "lora", ranking), ("qwen3", "student", student)]
    for architecture, case, objective in cases:
        torch.manual_seed(3)
        build, folder = make[architecture]
        folder = HERE / "models" / folder
        folder.mkdir(parents=True, exist_ok=True)
        model, tokens = build(folder)
        model.train()
        torch.manual_seed(5)
        teacher = functional.normalize(torch.randn(len(made), 16), dim=1)
        if case == "lora":
            model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS[architecture]))
            with torch.no_grad():  # a B of 0 would leave A without a gradient
                for n, p in model.named_parameters():
                    if "lora_B" in n:
                        p.copy_(0.1 * torch.randn_like(p))
        found = train(model, tokens, made, objective, teacher)
        if objective is student:
            found["teacher"] = teacher
        save_file(found, HERE / "fine_tuning" / f"{architecture}-{case}.safetensors")


if __name__ == "__main__":
    main()
