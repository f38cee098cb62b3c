"""Pairs beside sentence-transformers: the same adapter, learnt from the same pairs, over the same frozen encoder.

    pip install sentence-transformers datasets pyarrow accelerate
    cargo build --release -p manyview-cli
    python benches/peers/pairs.py MODEL [--runs 3] [--epochs 5] [--pairs FILE.parquet]

MODEL is a directory with all-MiniLM-L6-v2 in f32, which both sides load. Both learn one linear map of queries and passages
from the identity, without a bias, by multiple negatives ranking over batches of 64, and are scored on questions whose
documents were never seen: one split for both, which `manyview prepare pairs` draws by document, passage and question.
sentence-transformers trains the map as a Dense module behind the frozen Transformer, which it runs anew for every batch;
Manyview reads stored vectors. Timed are the whole training, on our side the whole process `manyview train`, and, apart,
what encoding takes once. Runs in turn, medians; the seed changes with the run.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release" / "manyview"
BATCH, SCALE = 64, 20.0


def split(path, document, folder):
    """The pairs with a part each, for both sides: the split that `manyview prepare pairs` draws by document."""
    import pyarrow.parquet as parquet

    read, written = folder / "questions.jsonl", folder / "pairs.jsonl"
    rows = parquet.read_table(path).to_pylist()
    pairs = [{"question": r["question"], "passage": r["passage"], "document": r[document]} for r in rows]
    read.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    command = [OURS, "prepare", "pairs", "--from", "qa", "--input", read, "--output", written]
    subprocess.run([*command, "--split", "0.5,0.15,0.35"], check=True)
    pairs = [json.loads(line) for line in written.read_text().splitlines()]
    return list({(pair["query"], pair["passage"]): pair for pair in pairs}.values())  # a repeated pair counts once


def theirs(model, rows, epochs, lr, seed):
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers import losses, models
    from sentence_transformers.evaluation import InformationRetrievalEvaluator

    word = models.Transformer(str(model), max_seq_length=256)
    word.requires_grad_(False)
    dim = word.get_word_embedding_dimension()
    dense = models.Dense(dim, dim, bias=False, activation_function=torch.nn.Identity())
    torch.nn.init.eye_(dense.linear.weight)
    student = SentenceTransformer(modules=[word, models.Pooling(dim), dense, models.Normalize()], device="cpu")

    train = [row for row in rows if row["split"] == "train"]
    data = Dataset.from_dict({"anchor": [r["query"] for r in train], "positive": [r["passage"] for r in train]})
    passages = {p: str(i) for i, p in enumerate(dict.fromkeys(r["passage"] for r in rows))}
    test = [r for r in rows if r["split"] == "test"]
    queries = {str(i): q for i, q in enumerate(dict.fromkeys(r["query"] for r in test))}
    relevant = {i: {passages[r["passage"]] for r in test if r["query"] == q} for i, q in queries.items()}
    evaluator = InformationRetrievalEvaluator(queries, {i: p for p, i in passages.items()}, relevant)

    def ndcg():
        found = evaluator(student)
        return next(v for k, v in found.items() if k.endswith("cosine_ndcg@10"))

    base = ndcg()
    with tempfile.TemporaryDirectory() as out:
        arguments = Arguments(
            output_dir=out, num_train_epochs=epochs, per_device_train_batch_size=BATCH, learning_rate=lr,
            lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=0.0, seed=seed, use_cpu=True,
            save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
        )
        loss = losses.MultipleNegativesRankingLoss(student, scale=SCALE)
        trainer = SentenceTransformerTrainer(model=student, args=arguments, train_dataset=data, loss=loss)
        start = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "base": base, "ndcg": ndcg()}


def ours(folder, model, epochs, lr, seed):
    config = folder / "pairs.toml"
    config.write_text(
        f"name = 'ours-{seed}'\n[data]\nsource = '{folder}/pairs.jsonl'\nsplit = 'split'\n"
        f"[encoder]\nmodel = '{model}'\n[retrieval]\nadapt = 'both'\nscale = {SCALE}\n"
        f"[train]\nlr = {lr}\nepochs = {epochs}\nbatch = {BATCH}\nseed = {seed}\n"
        f"[output]\ndir = '{folder}/runs'\nstore = '{folder}/store'\n"
    )

    def timed(command):
        start = time.perf_counter()
        subprocess.run([OURS, "--quiet", command, config], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    encoding = timed("encode")
    seconds = timed("train")
    timed("evaluate")
    metrics = json.loads((folder / "runs" / f"ours-{seed}" / "metrics.json").read_text())
    views = {view: metrics["views"][view]["ndcg@10"]["value"] for view in ("base", "adapter")}
    return {
        "seconds": seconds, "fit": metrics["fit"]["seconds"], "encoding": encoding,
        "base": views["base"], "ndcg": views["adapter"],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--pairs", type=Path, default=ROOT / "data" / "medquad" / "pairs.parquet")
    parser.add_argument("--document", default="focus")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    for name in ("RAYON", "OMP", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(arguments.threads)
    model, epochs, lr = arguments.model.resolve(), arguments.epochs, arguments.lr
    found = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows = split(arguments.pairs, arguments.document, folder)
        for run in range(arguments.runs):
            found["ours"].append(ours(folder, model, epochs, lr, run))
            found["theirs"].append(theirs(model, rows, epochs, lr, run))
            print(json.dumps({side: results[-1] for side, results in found.items()}), flush=True)
    median = lambda side, key: statistics.median(r[key] for r in found[side])
    spread = lambda side: f"{min(r['ndcg'] for r in found[side]):.4f}–{max(r['ndcg'] for r in found[side]):.4f}"
    first = found["ours"][0]["encoding"]
    print(f"{arguments.threads} threads, {arguments.runs} runs, {epochs} epochs, medians")
    print("| | training, s | of it fitting, s | encoding once, s | nDCG@10, encoder | nDCG@10, adapter (range) |")
    print("|---|---:|---:|---:|---:|---:|")
    print(
        f"| Manyview | {median('ours', 'seconds'):.2f} | {median('ours', 'fit'):.2f} | {first:.1f} | "
        f"{median('ours', 'base'):.4f} | {median('ours', 'ndcg'):.4f} ({spread('ours')}) |"
    )
    print(
        f"| sentence-transformers | {median('theirs', 'seconds'):.2f} | | | {median('theirs', 'base'):.4f} | "
        f"{median('theirs', 'ndcg'):.4f} ({spread('theirs')}) |"
    )
    print(f"theirs / ours: {median('theirs', 'seconds') / median('ours', 'seconds'):.1f}")


if __name__ == "__main__":
    main()
