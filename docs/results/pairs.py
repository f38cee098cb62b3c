"""Cross-validation on pairs: every question is tested once, by an adapter that was trained without its document.

    cargo build --release -p manyview-cli
    python3 docs/results/pairs.py EXPERIMENT.toml PAIRS.jsonl [--passages whole] [--folds 5] [--repeats 1] [--work DIR]
        [KEY=VALUE ...]

PAIRS.jsonl has lines {query, passage, document, answer}, as `manyview prepare pairs` writes them. `--passages sentences`
replaces the passage by the first sentence with the answer, `answers` by the answer itself, without pairs whose answer
or query is not unique. Pairs that share a document, a passage or a query are in one fold. Each fold is the test set
once. The variants of EXPERIMENT.toml are the candidates: each quarter of the other pairs is held back in turn, and the
variant and number of epochs with the largest gain in nDCG@10 on all four quarters are trained on all of the other
pairs; if there is no gain, the encoder is used without an adapter. Test questions select nothing. `--repeats` draws new
folds and takes the mean gain of each question, so that a single draw matters less.
"""

import argparse
import csv
import json
import random
import re
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean

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


def cut(pairs, passages):
    """The pairs with a part of their passages."""
    if passages == "sentences":
        ends = re.compile(r"""(?<=[.!?])["')\]]*\s+(?=["'(\[]?[A-Z0-9])""")
        held = [[s.strip() for s in ends.split(p["passage"]) if p["answer"] in s] for p in pairs]
        return [{**pair, "passage": sentences[0]} for pair, sentences in zip(pairs, held) if sentences]
    if passages == "answers":
        plain = lambda text: " ".join(re.findall(r"\w+", text.lower()))
        times = {key: Counter(plain(pair[key]) for pair in pairs) for key in ("answer", "query")}
        once = lambda pair: all(times[key][plain(pair[key])] == 1 for key in times)
        return [{**pair, "passage": pair["answer"]} for pair in pairs if once(pair)]
    return pairs


def interval(values, resamples=10_000):
    draw = random.Random(0)
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples)]


def run(arguments, work, stage, name, pairs, parts, *changes):
    """One stage of the experiment over pairs that lie in these parts; gives its variants, and the directory of each."""
    source = work / f"{name}.jsonl"
    source.write_text("".join(json.dumps({**pair, "split": part}) + "\n" for pair, part in zip(pairs, parts)))
    settings = [f"name={name}", f"data.source={source}", "data.split=split", f"output.dir={work / 'runs'}"]
    settings += [f"retrieval.{key}={key}" for key in ("query", "passage", "document")]
    settings += [f"output.store={work / 'store'}", *arguments.changes, *changes]
    command = [MANYVIEW, "--quiet", stage, arguments.experiment, *settings]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    fitted = sorted((work / "runs" / name).glob("**/fit.json"))
    return {str(fit.parent.relative_to(work / "runs" / name)): fit.parent for fit in fitted}


def choose(arguments, work, pairs, groups, test, others):
    """The variant and the number of epochs that gain most on pairs held back in turn, and what they gain."""
    gains = defaultdict(list)
    for quarter in range(4):
        val = set(others[quarter::4])
        parts = ["test" if group in test else "val" if group in val else "train" for group in groups]
        variants = run(arguments, work, "train", f"quarter-{quarter}", pairs, parts, "train.patience=0")
        for name, variant in variants.items():
            base = json.loads((variant / "fit.json").read_text())["metrics"]["val_ndcg@10_of_base"]
            for line in (variant / "training_metrics.jsonl").read_text().splitlines():
                epoch = json.loads(line)
                gains[name, epoch["epoch"]].append(parts.count("val") * (epoch["val_ndcg@10"] - base))
    best = max(gains, key=lambda key: sum(gains[key]))
    return *best, sum(gains[best])


def fold(arguments, work, pairs, groups, test, others):
    """What the encoder scores on each test question, what the adapter gains there, and what was chosen."""
    name, epochs, gain = choose(arguments, work, pairs, groups, test, others)
    parts = ["test" if group in test else "train" for group in groups]
    variant = run(arguments, work, "run", "fold", pairs, parts, f"train.epochs={epochs}")[name]
    rows = list(csv.DictReader((variant / "queries.csv").open()))
    base = {row["query"]: float(row["base"]) for row in rows}
    if gain <= 0:
        return base, dict.fromkeys(base, 0.0), "the encoder"
    gains = {row["query"]: float(row["adapter"]) - float(row["base"]) for row in rows}
    return base, gains, f"{name}, {epochs} epochs"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("experiment", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("changes", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--passages", choices=["whole", "sentences", "answers"], default="whole")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_intermixed_args()
    pairs = cut([json.loads(line) for line in arguments.pairs.read_text().splitlines()], arguments.passages)
    groups = documents(pairs)
    bases, gains = {}, defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        work = (arguments.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        for repeat in range(arguments.repeats):
            order = sorted(set(groups))
            random.Random(42 + repeat).shuffle(order)
            for number in range(arguments.folds):
                test = set(order[number :: arguments.folds])
                others = [group for group in order if group not in test]
                base, gain, chosen = fold(arguments, work, pairs, groups, test, others)
                bases |= base
                for query, value in gain.items():
                    gains[query].append(value)
                found = f"{len(gain)} questions, chosen {chosen}, gain {mean(gain.values()):+.4f}"
                print(f"repeat {repeat + 1}, fold {number + 1}: {found}", flush=True)
    gains = [mean(values) for values in gains.values()]
    low, high = interval(gains)
    encoder, gain = mean(bases.values()), mean(gains)
    print(f"{len(gains)} questions, nDCG@10 of the encoder {encoder:.4f}, gain {gain:+.4f} ({low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
