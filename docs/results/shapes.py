"""Shapes of an adapter, losses and numbers of training rows beside ridge, on the same vectors; prints Markdown.

    cargo build --release --features train -p manyview-cli
    python3 docs/results/shapes.py [--rows 100 300 800] [--work DIR] [KEY=VALUE ...]

MedQuAD by medical area, the teacher `names` of the quickstart. Half of the texts are to learn from, a tenth chooses
the epoch, the rest is the test. Each cell is the V-measure on test texts, its gain over ridge on as many rows, and the
mean cosine with the teacher. V-measure is a mean over seeds of k-means. The interval of a gain is from a bootstrap
over texts and seeds: the same are drawn for both. KEY=VALUE changes the training of all shapes, such as
`train.epochs=20`.

Needs NumPy, pandas with pyarrow, and scikit-learn.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from pairs import MANYVIEW, ROOT
from sklearn.cluster import KMeans

SHAPES = ["linear", "low_rank", "residual", "mlp", "gated"]
LOSSES = {"mse": (1, 0), "cosine": (0, 1), "both": (1, 1)}
SEEDS, RESTARTS, RESAMPLES = 10, 3, 1000
EXPERIMENT = """\
name = "shapes"
data = {{ source = "{source}", label = "label", split = "split", dedup = false }}
encoder.max_length = 64
teacher.kind = "names"
teacher.question = "Which part of medicine is this about?"
evaluate = {{ seeds = 1, restarts = 1, resamples = 20, latency_seconds = 0.0, batch = 1 }}
output = {{ dir = "{work}/runs", store = "{work}/store", map_texts = 10 }}
"""
GRADIENT = """
[variants.{name}]
teacher.rows = {rows}
train.method = "gradient"
train.epochs = 300
train.patience = 10
train.shape = "{shape}"
train.mse_weight = {mse}
train.cosine_weight = {cosine}
"""


def corpus():
    """Texts, labels and parts: of each label half to learn from, a tenth to choose, the rest to test."""
    table = pd.read_parquet(ROOT / "data" / "medquad" / "medquad.parquet")
    table = table.drop_duplicates("text").rename(columns={"label_area": "label"})[["text", "label"]]
    table = table.sample(frac=1, random_state=0).reset_index(drop=True)
    share = (table.groupby("label").cumcount() + 0.5) / table.groupby("label")["text"].transform("size")
    table["split"] = np.select([share < 0.5, share < 0.6], ["train", "val"], "test")
    return table


def fit(work, rows, changes):
    """Fits every variant on the corpus in `work`; gives the directory of each."""
    variants = [f"[variants.ridge-{n}]\nteacher.rows = {n}\n" for n in rows]
    for n in rows:
        for shape in SHAPES:
            for loss, (mse, cosine) in LOSSES.items():
                name = f"{shape}-{loss}-{n}"
                variants.append(GRADIENT.format(name=name, rows=n, shape=shape, mse=mse, cosine=cosine))
    experiment = work / "shapes.toml"
    experiment.write_text(EXPERIMENT.format(source=work / "corpus.csv", work=work) + "\n".join(variants))
    subprocess.run([MANYVIEW, "--quiet", "run", experiment, *changes], check=True, stdout=subprocess.DEVNULL)
    return {path.parent.name: path.parent for path in (work / "runs" / "shapes").glob("*/fit.json")}


def views(work, fitted):
    """The vectors of the test texts by each fit, and those of the encoder, `[n, dim]`."""
    command = [MANYVIEW, "--quiet", "infer", "--input", work / "test.csv", "--text-column", "text"]
    command += ["--store", work / "store", "--output-dir", work / "views"]
    command += [part for path in fitted.values() for part in ("--adapter", path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {name: np.load(work / "views" / f"{name}.npy") for name in ["base", *fitted]}


def clusters(view, k):
    """The cluster of each row for each seed, `[seeds, n]`."""
    return np.stack([KMeans(k, n_init=RESTARTS, random_state=seed).fit_predict(view) for seed in range(SEEDS)])


def v_measure(truth, found, k):
    """V-measure of each labelling in `found`, `[labellings, n]`, with `truth`, `[n]`, both from 0 to `k` - 1."""
    m, n = found.shape
    cells = np.arange(m)[:, None] * k * k + truth * k + found
    joint = np.bincount(cells.ravel(), minlength=m * k * k).reshape(m, k, k) / n  # [labellings, classes, clusters]

    def entropy(p):
        return -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1)

    classes, labels = entropy(joint.sum(axis=2)), entropy(joint.sum(axis=1))
    mutual = classes + labels - entropy(joint.reshape(m, -1))
    return 2 * mutual / (classes + labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("changes", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 300, 800])
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = (arguments.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        table = corpus()
        test = table[table["split"] == "test"]
        table.to_csv(work / "corpus.csv", index=False)
        test.to_csv(work / "test.csv", index=False)
        fitted = fit(work, arguments.rows, arguments.changes)
        vectors = views(work, fitted)
        metrics = {name: json.loads((path / "metrics.json").read_text()) for name, path in fitted.items()}
    truth = pd.factorize(test["label"])[0]
    k, names = truth.max() + 1, list(vectors)
    found = np.concatenate([clusters(view, k) for view in vectors.values()])  # [views * seeds, n]

    scores = dict(zip(names, v_measure(truth, found, k).reshape(-1, SEEDS).mean(axis=1)))
    draw, resampled = np.random.default_rng(0), np.empty((RESAMPLES, len(names)))
    for i in range(RESAMPLES):
        texts, seeds = draw.integers(len(truth), size=len(truth)), draw.integers(SEEDS, size=SEEDS)
        of_seed = v_measure(truth[texts], found[:, texts], k).reshape(-1, SEEDS)
        resampled[i] = of_seed[:, seeds].mean(axis=1)
    resampled = dict(zip(names, resampled.T))

    def gain(name, other):
        """The gain over `other`, with its interval around it: scores of resamples lie above those of the sample."""
        value, draws = scores[name] - scores[other], resampled[name] - resampled[other]
        low, high = np.quantile(draws, [0.025, 0.975]) - draws.mean() + value
        said = f"{value:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "−")
        return f"**{said}**" if low > 0 or high < 0 else said

    def cell(name, n):
        cosine = metrics[name]["fidelity"]["cosine"]
        over = "" if name.startswith("ridge") else f" {gain(name, f'ridge-{n}')}"
        return f"{scores[name]:.3f}{over} · {cosine:.3f}"

    taught = metrics[f"ridge-{arguments.rows[0]}"]["views"]["teacher"]["v_measure"]["mean"]
    parts = table["split"].value_counts()
    print(f"{parts['train']} texts to learn from, {parts['val']} to choose, {parts['test']} to test, {k} labels.")
    print(f"V-measure of the encoder {scores['base']:.3f}, of the teacher (one seed) {taught:.3f}.\n")
    print("| shape, loss | " + " | ".join(f"{n} rows" for n in arguments.rows) + " |")
    print("|---|" + "---:|" * len(arguments.rows))
    for variant in ["ridge", *(f"{shape}-{loss}" for shape in SHAPES for loss in LOSSES)]:
        cells = [cell(f"{variant}-{n}", n) for n in arguments.rows]
        print(f"| {variant.replace('-', ', ')} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
