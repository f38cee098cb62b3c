"""Pairs, cross-validated: every question is tested once, by an adapter that saw none of its documents.

    cargo build --release -p manyview-cli
    python3 docs/results/pairs.py EXPERIMENT.toml PAIRS.jsonl [--folds 5] [--work DIR] [KEY=VALUE ...]

PAIRS.jsonl has lines {query, passage, document}, as `manyview prepare pairs` writes them. Pairs that share a document, a
passage or a query are in one fold. Each fold is the test once; a quarter of the others is validation. The variants of
EXPERIMENT.toml are the settings to choose from: in each fold the one of the highest nDCG@10 on validation queries counts,
and where none beats the encoder there, the encoder as it is. Test questions choose nothing.
"""

import argparse
import csv
import json
import random
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANYVIEW = ROOT / "target" / "release" / "manyview"


def documents(pairs):
    """A number for each pair, the same for pairs that share a document, a passage or a query."""
    parent = list(range(len(pairs)))

    def root(i):
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for key in ("document", "passage", "query"):
        first = {}
        for i, pair in enumerate(pairs):
            if pair.get(key):
                words = " ".join(re.findall(r"\w+", pair[key].lower()))
                parent[root(i)] = root(first.setdefault(words, i))
    return [root(i) for i in range(len(pairs))]


def interval(values, resamples=10_000):
    draw = random.Random(0)
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples)]


def fold(arguments, work, pairs, groups, test, val, number):
    """The gain of each test question, and what validation chose."""
    part = lambda group: "test" if group in test else "val" if group in val else "train"
    lines = [json.dumps({**pair, "split": part(group)}) + "\n" for pair, group in zip(pairs, groups)]
    source = work / f"fold-{number}.jsonl"
    source.write_text("".join(lines))
    changes = [f"name=fold-{number}", f"data.source={source}", "data.split=split", f"output.dir={work / 'runs'}"]
    changes += ["pairs.query=query", "pairs.passage=passage", f"output.store={work / 'store'}", *arguments.changes]
    subprocess.run([MANYVIEW, "--quiet", "run", arguments.experiment, *changes], check=True, stdout=subprocess.DEVNULL)
    run = work / "runs" / f"fold-{number}"
    fits = {fit.parent.name: json.loads(fit.read_text())["figures"] for fit in run.glob("*/fit.json")}
    name, best = max(sorted(fits.items()), key=lambda fit: fit[1]["val_ndcg@10"])
    rows = list(csv.DictReader((run / name / "queries.csv").open()))
    base = [float(row["base"]) for row in rows]
    if best["val_ndcg@10"] <= best["val_ndcg@10_of_base"]:
        return base, [0.0] * len(rows), "encoder"
    return base, [float(row["adapter"]) - float(row["base"]) for row in rows], name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("experiment", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("changes", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    pairs = [json.loads(line) for line in arguments.pairs.read_text().splitlines()]
    groups = documents(pairs)
    order = sorted(set(groups))
    random.Random(42).shuffle(order)
    bases, gains = [], []
    with tempfile.TemporaryDirectory() as scratch:
        work = (arguments.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for number in range(arguments.folds):
            test = set(order[number :: arguments.folds])
            others = [group for group in order if group not in test]
            base, gain, chosen = fold(arguments, work, pairs, groups, test, set(others[::4]), number)
            bases += base
            gains += gain
            print(f"fold {number + 1}: {len(gain)} questions, chosen {chosen}, gain {sum(gain) / len(gain):+.4f}", flush=True)
    low, high = interval(gains)
    n = len(gains)
    print(f"{n} questions, nDCG@10 of the encoder {sum(bases) / n:.4f}, gain {sum(gains) / n:+.4f} ({low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
