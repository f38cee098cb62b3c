"""Manyview beside scikit-learn and PyTorch: same data, same machine, same threads, runs in turn, medians.

    cargo build --release --features train --example peers
    python benches/peers/compare.py [--threads 4 2] [--runs 7] [--only ridge gradient kmeans contrastive]

Reading and generating the data are not timed. Each run is a process of its own. A Python run is warmed up on 128 rows
before the clock starts; a run of Manyview is not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release" / "examples" / "peers"
LAMBDAS = 10.0 ** (-4 + 7 * np.arange(25) / 24)
TASKS = {
    "ridge": ["ridge"],
    "gradient": ["torch", "torch-fused"],
    "kmeans": ["kmeans"],
    "contrastive": ["contrastive"],
}
WHAT = {
    "ridge": "scikit-learn RidgeCV, leave-one-out, 25 penalties",
    "torch": "torch AdamW, 50 epochs of 64",
    "torch-fused": "torch AdamW(fused=True), 50 epochs of 64",
    "kmeans": "scikit-learn KMeans, lloyd, 10 starts",
    "contrastive": "sentence-transformers Dense, MultipleNegativesRankingLoss, 10 epochs of 64",
}


def data(folder):
    """Unit rows around ten centres, far enough that groups touch, and a teacher: a random map of them with noise."""
    rng = np.random.default_rng(0)
    unit = lambda x: (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    near = lambda n, d: unit(rng.normal(size=(10, d))[np.arange(n) % 10] + 6 * rng.normal(size=(n, d)))
    x = near(1400, 1024)
    y = unit(x @ rng.normal(size=(1024, 1024)) / 32 + 0.5 * rng.normal(size=(1400, 1024)) / 32)
    points = near(2000, 1024)
    passages = near(5000, 384)
    queries = unit(passages @ rng.normal(size=(384, 384)) / 20 + passages + rng.normal(size=(5000, 384)) / 4)
    arrays = {"x": x, "y": y, "points": points, "queries": queries, "passages": passages}
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)


def ridge(x, y):
    from sklearn.linear_model import RidgeCV

    fit = RidgeCV(alphas=LAMBDAS, fit_intercept=False).fit(x, y)
    return {"lambda": fit.alpha_, "mse": -fit.best_score_}


def gradient(x, y, fused):
    import torch
    from torch.nn.functional import cosine_similarity, mse_loss

    torch.manual_seed(0)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    linear = torch.nn.Linear(x.shape[1], y.shape[1], bias=False)
    torch.nn.init.eye_(linear.weight)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=1e-3, weight_decay=0.0, fused=fused)
    for _ in range(50):
        total = 0.0
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            out, target = linear(x[rows]), y[rows]
            loss = mse_loss(out, target) + (1 - cosine_similarity(out, target)).mean()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return {"loss": total / len(x)}


def kmeans(x):
    from sklearn.cluster import KMeans

    fit = KMeans(10, n_init=10, max_iter=300, tol=1e-4, algorithm="lloyd", random_state=0).fit(x)
    return {"inertia": fit.inertia_, "iterations": fit.n_iter_}


def contrastive(queries, passages):
    """The module that sentence-transformers puts behind an encoder, over its vectors, which stay as they are."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    torch.manual_seed(0)
    dim = queries.shape[1]
    dense = Dense(dim, dim, bias=False, activation_function=torch.nn.Identity(), init_weight=torch.eye(dim))
    queries, passages = torch.from_numpy(queries), torch.from_numpy(passages)
    loss_of = MultipleNegativesRankingLoss(None)
    optimizer = torch.optim.AdamW(dense.parameters(), lr=1e-3, weight_decay=0.0)
    mapped = lambda x: dense({"sentence_embedding": x})["sentence_embedding"]
    for _ in range(10):
        total = 0.0
        for rows in torch.randperm(len(queries)).split(64):
            optimizer.zero_grad()
            loss = loss_of.compute_loss_from_embeddings([mapped(queries[rows]), mapped(passages[rows])], None)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    return {"loss": total / len(queries)}


def theirs(task, files):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    work = {
        "ridge": ridge,
        "torch": lambda x, y: gradient(x, y, False),
        "torch-fused": lambda x, y: gradient(x, y, True),
        "kmeans": kmeans,
        "contrastive": contrastive,
    }[task]
    arrays = [np.load(file) for file in files]
    work(*(a[:128] for a in arrays))
    start = time.perf_counter()
    result = work(*arrays)
    print(json.dumps({"seconds": time.perf_counter() - start, **result}))


def run(command, threads):
    names = ["RAYON", "OMP", "OPENBLAS", "MKL"]
    environment = {**os.environ, **{f"{name}_NUM_THREADS": str(threads) for name in names}}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def compare(task, peer, files, threads, runs):
    commands = [[OURS, task, *files], [sys.executable, __file__, "--theirs", peer, *files]]
    results = [[], []]
    for i in range(runs):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            results[side].append(run(commands[side], threads))
    medians = [statistics.median(r["seconds"] for r in side) for side in results]
    cells = []
    for side, median in zip(results, medians):
        seconds = [r["seconds"] for r in side]
        cells.append(f"{median:.3f} ({min(seconds):.3f}–{max(seconds):.3f})")
    found = [{k: v for k, v in side[0].items() if k != "seconds"} for side in results]
    said = "; ".join(", ".join(f"{k} {v:.6g}" for k, v in f.items()) for f in found)
    print(f"| {WHAT[peer]} | {threads} | {cells[0]} | {cells[1]} | {medians[1] / medians[0]:.2f} | {said} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, nargs="+", default=[4, 2])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--theirs", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.theirs:
        return theirs(arguments.theirs[0], arguments.theirs[1:])
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        data(folder)
        files = {
            "kmeans": [folder / "points.npy"],
            "contrastive": [folder / "queries.npy", folder / "passages.npy"],
        }
        print("| against | threads | ours, s (range) | theirs, s (range) | theirs / ours | results: ours; theirs |")
        print("|---|---|---|---|---|---|", flush=True)
        for task in arguments.only:
            for peer in TASKS[task]:
                for threads in arguments.threads:
                    compare(task, peer, files.get(task, [folder / "x.npy", folder / "y.npy"]), threads, arguments.runs)


if __name__ == "__main__":
    main()
