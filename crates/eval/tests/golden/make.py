"""Writes clustering.json: scikit-learn's scores of pairs of labelings (truth, found, homogeneity, completeness,
V-measure, AMI, ARI), every pair of up to 5 texts among them. Run: python make.py"""

import itertools
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, homogeneity_completeness_v_measure

rng = np.random.default_rng(0)


def scores(truth, found):
    h, c, v = homogeneity_completeness_v_measure(truth, found)
    return [float(f"{x:.15g}") for x in (h, c, v, adjusted_mutual_info_score(truth, found), adjusted_rand_score(truth, found))]


def partitions(n):
    """All labelings of n texts up to renaming: each label at most one above those before it."""
    return [p for p in itertools.product(range(n), repeat=n) if all(p[i] <= max(p[:i], default=-1) + 1 for i in range(n))]


def noisy(truth, clusters, noise):
    return np.where(rng.random(len(truth)) < noise, rng.integers(0, clusters, len(truth)), truth % clusters)


def sampled():
    for n in (1, 7, 40, 300):
        one, many = np.zeros(n, int), np.arange(n)
        some = rng.integers(0, 3, n)
        yield from itertools.product((one, many, some), repeat=2)
    for n, k in itertools.product((10, 30, 100, 250), (2, 3, 7, 20)):
        truth = rng.integers(0, k, n)
        yield truth, rng.permutation(truth)
        for clusters, noise in itertools.product((2, k, 2 * k), (0.0, 0.1, 0.5, 1.0)):
            yield truth, noisy(truth, clusters, noise)
    skewed = np.minimum(rng.geometric(0.3, 400) - 1, 9)
    for noise in (0.0, 0.2, 0.8, 1.0):
        yield skewed, noisy(skewed, 10, noise)
    yield np.repeat([0, 1, 2, 3], 25), np.tile([0, 1, 2, 3, 4], 20)  # independent exactly
    large = rng.integers(0, 60, 3000)
    yield large, noisy(large, 60, 0.3)


def main():
    text = lambda labels: " ".join(map(str, np.asarray(labels).tolist()))
    small = [
        [text(truth), text(found), *scores(truth, found)]
        for n in range(1, 6)
        for truth, found in itertools.combinations_with_replacement(partitions(n), 2)
    ]
    listed = [[text(truth), text(found), *scores(truth, found)] for truth, found in sampled()]
    head = f'{{"made_by": "make.py, scikit-learn {sklearn.__version__}, numpy {np.__version__}",\n"pairs": [\n'
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in small + listed)
    Path(__file__).with_name("clustering.json").write_text(head + rows + "\n]}\n")
    print(len(small), len(listed))


main()
