"""Writes regression.json: scikit-learn's and SciPy's measures of predicted figures, tiers of them, and predictions by
nearest neighbours. Run: python regression.py"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, precision_recall_fscore_support, r2_score, root_mean_squared_error
from sklearn.neighbors import KNeighborsRegressor

rng = np.random.default_rng(0)


def measures(truth, found):
    """Of each dimension, then overall."""
    of = {"mae": mean_absolute_error, "rmse": root_mean_squared_error, "r2": r2_score}
    scores = {
        name: [*measure(truth, found, multioutput="raw_values").tolist(), float(measure(truth, found))]
        for name, measure in of.items()
    }
    rho = [float(spearmanr(t, f).statistic) for t, f in zip(truth.T, found.T)]
    return scores | {"spearman": [*rho, float(np.mean(rho))]}


def tiers(truth, found, thresholds):
    """Precision, recall, F1 and texts of each tier of the first dimension."""
    t, f = np.digitize(truth[:, 0], thresholds), np.digitize(found[:, 0], thresholds)
    scores = precision_recall_fscore_support(t, f, labels=range(len(thresholds) + 1), zero_division=0)
    return {"thresholds": thresholds, "scores": [row.tolist() for row in np.array(scores).T]}


def case(truth, found, *thresholds):
    truth, found = np.array(truth, float), np.array(found, float)
    return {
        "dim": truth.shape[1],
        "truth": truth.ravel().tolist(),
        "found": found.ravel().tolist(),
        "measures": measures(truth, found),
        "tiers": [tiers(truth, found, t) for t in thresholds],
    }


def main():
    smooth = rng.normal(size=(60, 3)).round(6)
    grades = rng.integers(1, 6, (80, 2))
    large = (1e6 + rng.normal(size=(50, 1))).round(6)  # few digits, which every parser of JSON reads alike
    cases = [
        case(smooth, (smooth + 0.5 * rng.normal(size=smooth.shape)).round(6), [0.0], [-1.0, -0.2, 0.7], [-9.0, 0.0, 9.0]),
        case(smooth, -smooth[::-1], [0.5]),
        case(grades, np.clip(grades + rng.integers(-2, 3, grades.shape), 1, 5), [3.0], [2.0, 3.0, 4.0, 5.0]),
        case(large, (large + rng.normal(size=large.shape)).round(6), [1e6]),
        case([[1], [2]], [[5], [4]], [2.0]),
    ]
    known, queries = rng.integers(-99, 100, (70, 6)), rng.integers(-99, 100, (12, 6))
    targets = rng.normal(size=(70, 2)).round(6)
    knn = KNeighborsRegressor(n_neighbors=5, metric="cosine", algorithm="brute").fit(known, targets)
    neighbours = {
        "k": 5,
        "dim": 6,
        "known": known.ravel().tolist(),
        "targets": targets.ravel().tolist(),
        "queries": queries.ravel().tolist(),
        "predicted": knn.predict(queries).ravel().tolist(),
    }
    made_by = f"regression.py, scikit-learn {sklearn.__version__}, scipy {scipy.__version__}"
    file = {"made_by": made_by, "cases": cases, "neighbours": neighbours}
    Path(__file__).with_name("regression.json").write_text(json.dumps(file, separators=(",", ":")) + "\n")


main()
