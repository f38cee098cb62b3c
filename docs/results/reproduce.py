"""Runs a benchmark under several splits and prints one Markdown row a label set: mean and standard deviation over splits.

    python3 docs/results/reproduce.py clinc150
    python3 docs/results/reproduce.py reuters data.source=PATH/reuters_topic_place.parquet

The first split encodes; the others find every vector in the store. Needs Python's standard library, and
`cargo build --release` before.
"""

import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = range(1, 6)
COLUMNS = [
    ("base", "base"),
    ("instructed: teacher", "teacher"),
    ("instructed", "adapter"),
    ("names: teacher", "teacher"),
    ("names", "adapter"),
    ("answers", "adapter"),
]


def run(name, seed, overrides):
    subprocess.run(
        [ROOT / "target/release/manyview", "run", "-q", ROOT / f"configs/benchmarks/{name}.toml", *overrides]
        + [f"name={name}-{seed}", f"data.seed={seed}", f"evaluate.seed={10 * seed}", "evaluate.latency_seconds=0"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    out = next((o.split("=", 1)[1] for o in overrides if o.startswith("output.dir=")), "runs")
    return json.loads((pathlib.Path(out) / f"{name}-{seed}" / "metrics.json").read_text())


def cell(runs, variant, view):
    found = [r[variant]["views"][view]["v_measure"]["mean"] for r in runs if variant in r]
    if not found:
        return "–"
    return f"{statistics.mean(found):.3f} ± {statistics.stdev(found):.3f}"


def main():
    name, *overrides = sys.argv[1:]
    runs = [run(name, seed, overrides) for seed in SEEDS]
    facets = list(dict.fromkeys(variant.rsplit("-", 1)[0] for variant in runs[0]))
    print("| label set | " + " | ".join(title for title, _ in COLUMNS) + " |")
    print("|---|" + "---:|" * len(COLUMNS))
    for facet in facets:
        cells = []
        for title, view in COLUMNS:
            teacher = "instructed" if title == "base" else title.split(":")[0]
            cells.append(cell(runs, f"{facet}-{teacher}", view))
        print(f"| {name} {facet} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
