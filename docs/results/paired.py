"""How much smaller the errors of some heads are than those of another, on the same test texts.

    python3 docs/results/paired.py RUN/OTHER RUN/HEAD [RUN/HEAD ...]

Reads the `predictions.csv` of each. Prints, for each dimension and for all, by how much the mean absolute error falls from
OTHER to HEAD, with a 95% interval from a bootstrap over texts: the same texts are drawn for both.
"""

import csv
import pathlib
import sys

from pairs import interval


def errors(run):
    """The absolute errors of each dimension, in the order of the texts, and the texts."""
    rows = list(csv.DictReader((pathlib.Path(run) / "predictions.csv").open()))
    names = [name.removesuffix("_predicted") for name in rows[0] if name.endswith("_predicted")]
    found = {name: [abs(float(row[name]) - float(row[f"{name}_predicted"])) for row in rows] for name in names}
    found["all"] = [sum(values) / len(names) for values in zip(*found.values())]
    return found, [row["id"] for row in rows]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    other, texts = errors(sys.argv[1])
    for run in sys.argv[2:]:
        head, own = errors(run)
        if own != texts:
            sys.exit(f"{run}: expected the test texts of {sys.argv[1]}, found others")
        for name, before in other.items():
            gains = [a - b for a, b in zip(before, head[name])]
            low, high = interval(gains)
            print(f"{run}, {name}: {sum(gains) / len(gains):+.4f} ({low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
