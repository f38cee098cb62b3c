"""Golden values for heads: scikit-learn's Ridge, its leave-one-out errors by brute force, and IsotonicRegression.

    python crates/adapter/tests/golden/heads.py > crates/adapter/tests/golden/heads.json
"""

import json

import numpy as np
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

rng = np.random.default_rng(7)


def ridge(n, d):
    x = np.round(rng.normal(size=(n, d)), 3)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x = np.round(x.astype(np.float32), 4)
    y = np.round(5 + x @ rng.normal(size=(d, 2)) * 2 + rng.normal(size=(n, 2)) * 0.3, 3)
    new = np.round(rng.normal(size=(4, d)).astype(np.float32), 3)
    cases = []
    for alpha in (0.01, 0.3, 10.0):
        fit = Ridge(alpha=alpha).fit(x.astype(np.float64), y)
        left_out = cross_val_predict(Ridge(alpha=alpha), x.astype(np.float64), y, cv=LeaveOneOut())
        cases.append({"alpha": alpha, "predicted": fit.predict(new.astype(np.float64)).ravel().tolist(),
                      "leave_one_out": left_out.ravel().tolist(), "mse": ((left_out - y) ** 2).mean(axis=0).tolist()})
    return {"d": d, "x": x.ravel().tolist(), "y": y.ravel().tolist(), "new": new.ravel().tolist(), "cases": cases}


def isotonic():
    x = np.round(rng.normal(size=60), 1)  # rounded: several points share an x
    y = np.round(x + rng.normal(size=60), 3)
    at = np.linspace(-4, 4, 33)
    fit = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    return {"x": x.tolist(), "y": y.tolist(), "at": at.tolist(), "values": fit.predict(at).tolist()}


print(json.dumps({"made_with": f"scikit-learn {sklearn.__version__}",
                  "ridge": [ridge(30, 6), ridge(12, 20)], "isotonic": isotonic()}))
