"""Puts heads beside scikit-learn on the same vectors and the same split, and prints Markdown rows.

    python3 docs/results/scores.py emobank.csv
    python3 docs/results/scores.py emobank.csv --model PATH/all-MiniLM-L6-v2

The file (.csv or .parquet) has the columns id, text, split (train, val, test), and V, A, D or score_valence,
score_arousal, score_dominance. Needs pandas, scikit-learn and sentence-transformers (and pyarrow for .parquet), and
`cargo build --release -p manyview-cli` before.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsRegressor

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIMENSIONS = {"score_valence": "V", "score_arousal": "A", "score_dominance": "D"}


def ours(source, vectors, out):
    settings = [f"data.source={source}", "data.split=split", f"data.vectors={vectors}", f"output.dir={out}"]
    settings += ["encoder.model=all-MiniLM-L6-v2", "data.dedup=false"]  # scikit-learn gets every row
    command = [ROOT / "target/release/manyview", "run", "-q", "configs/emobank.toml", *settings]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    metrics = json.loads((pathlib.Path(out) / "emobank/metrics.json").read_text())
    for name, of in metrics.items():
        cells = [(d["head"]["mae"], d["head"]["spearman"]) for d in of["dimensions"]]
        yield f"Manyview, {name}", [(m["value"], m["low"], m["high"], s["value"], s["low"], s["high"]) for m, s in cells]
    of = metrics["ridge"]["dimensions"]
    yield "Manyview, neighbours", [(d["neighbours"]["mae"]["value"], d["neighbours"]["spearman"]["value"]) for d in of]
    yield "Manyview, the mean", [(d["mean"]["mae"]["value"], None) for d in of]


def theirs(x, y, split):
    train, test = split == "train", split == "test"
    scale = ((x[train] - x[train].mean(axis=0)) ** 2).sum() / x.shape[1]  # the grid of Manyview, and then another
    models = {
        "scikit-learn, RidgeCV": RidgeCV(alphas=scale * np.logspace(-4, 3, 25), alpha_per_target=True),
        "scikit-learn, RidgeCV, another grid": RidgeCV(alphas=np.logspace(-3, 3, 25), alpha_per_target=True),
        "scikit-learn, KNeighborsRegressor": KNeighborsRegressor(10, metric="cosine"),
        "scikit-learn, DummyRegressor": DummyRegressor(),
    }
    for name, model in models.items():
        found = model.fit(x[train], y[train]).predict(x[test])
        errors = np.abs(found - y[test]).mean(axis=0)
        ranks = [spearmanr(found[:, d], y[test][:, d])[0] if np.ptp(found[:, d]) > 0 else None for d in range(y.shape[1])]
        yield name, list(zip(errors, ranks))


def cell(figures):
    if len(figures) == 6:
        mae, low, high, rank, least, most = figures
        return f"{mae:.4f} [{low:.3f}, {high:.3f}] · {rank:.3f} [{least:.3f}, {most:.3f}]"
    mae, rank = figures
    return f"{mae:.4f} · " + ("–" if rank is None else f"{rank:.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
    arguments = parser.parse_args()
    read = pd.read_parquet if arguments.file.suffix == ".parquet" else pd.read_csv
    table = read(arguments.file).rename(columns=DIMENSIONS)
    y = table[list(DIMENSIONS.values())].to_numpy(np.float64)
    x = SentenceTransformer(arguments.model).encode(list(table["text"]), batch_size=64, normalize_embeddings=True)
    print("| MAE · Spearman | " + " | ".join(name.removeprefix("score_") for name in DIMENSIONS) + " |")
    print("|---|" + "---:|" * len(DIMENSIONS))
    with tempfile.TemporaryDirectory() as out:
        source, vectors = pathlib.Path(out) / "emobank.csv", pathlib.Path(out) / "vectors.npy"
        table.to_csv(source, index=False)
        np.save(vectors, x.astype(np.float32))
        rows = [*ours(source, vectors, out), *theirs(x.astype(np.float64), y, table["split"].to_numpy())]
    for name, cells in rows:
        print(f"| {name} | " + " | ".join(cell(figures) for figures in cells) + " |")


if __name__ == "__main__":
    main()
