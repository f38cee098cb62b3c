"""Pairs, cross-validated: every question is tested once, by an adapter that saw none of its documents.

    cargo build --release -p manyview-cli
    python3 docs/results/pairs.py EXPERIMENT.toml PAIRS.jsonl [--passages whole] [--folds 5] [--repeats 1] [--work DIR]
        [KEY=VALUE ...]

PAIRS.jsonl has lines {query, passage, document, answer}, as `manyview prepare pairs` writes them. `--passages sentences`
puts the first sentence that holds the answer in the passage's place, `answers` the answer, where no other pair has it. Pairs that share a document, a
passage or a query are in one fold. Each fold is the test once; a quarter of the others is validation. The variants of
EXPERIMENT.toml are the settings to choose from: in each fold the one of the highest nDCG@10 on validation queries counts,
and where none beats the encoder there, the encoder as it is. Test questions choose nothing. `--repeats` draws the folds
anew, and takes the mean gain of each question: the luck of one draw weighs less.
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


def fold(arguments, work, pairs, groups, test, val, number):
    """What the encoder scores on each test question, what the adapter gains there, and what validation chose."""
    part = lambda group: "test" if group in test else "val" if group in val else "train"
    lines = [json.dumps({**pair, "split": part(group)}) + "\n" for pair, group in zip(pairs, groups)]
    source = work / f"fold-{number}.jsonl"
    source.write_text("".join(lines))
    changes = [f"name=fold-{number}", f"data.source={source}", "data.split=split", f"output.dir={work / 'runs'}"]
    changes += [f"pairs.{key}={key}" for key in ("query", "passage", "document")]
    changes += [f"output.store={work / 'store'}", *arguments.changes]
    subprocess.run([MANYVIEW, "--quiet", "run", arguments.experiment, *changes], check=True, stdout=subprocess.DEVNULL)
    run = work / "runs" / f"fold-{number}"
    fits = {fit.parent: json.loads(fit.read_text())["figures"] for fit in sorted(run.glob("**/fit.json"))}
    best = max(fits, key=lambda fit: fits[fit]["val_ndcg@10"])
    rows = list(csv.DictReader((best / "queries.csv").open()))
    base = {row["query"]: float(row["base"]) for row in rows}
    if fits[best]["val_ndcg@10"] <= fits[best]["val_ndcg@10_of_base"]:
        return base, dict.fromkeys(base, 0.0), "the encoder"
    return base, {row["query"]: float(row["adapter"]) - float(row["base"]) for row in rows}, best.name


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
                base, gain, chosen = fold(arguments, work, pairs, groups, test, set(others[::4]), number)
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
