"""Writes shapes.json: losses of maps of every shape on small matrices, and the gradients of their layers, by torch.

    pip install torch
    python shapes.py

Of each case: the shape, the weights `[dim_in, dim_out]` and biases of its layers, one layer after the other, the loss, and
the gradients of the layers in the same order. `regression` is mse_weight · mean squared error + cosine_weight · mean
(1 − cosine) of the rows that `x` is mapped to against `y`; `query`, `both` and `dual` are the cross-entropy of each row of
`x` with its row of `y` among all rows of `y`, cosines times 3, with an identity penalty of 0.3.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

N, DIM, WIDTH = 6, 5, 7
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
x, y = torch.randn(N, DIM), torch.randn(N, DIM)


def layers(shape):
    dims = {"linear": [(DIM, DIM)], "gated": [(DIM, DIM), (DIM, DIM)]}.get(shape, [(DIM, WIDTH), (WIDTH, DIM)])
    return [(torch.randn(i, o, requires_grad=True), torch.randn(o, requires_grad=True)) for i, o in dims]


def mapped(shape, layers, x):
    through = [lambda x, w=w, b=b: x @ w + b for w, b in layers]
    if shape == "linear":
        return through[0](x)
    if shape == "gated":
        return x + through[0](x) * torch.sigmoid(through[1](x))
    hidden = through[0](x)
    y = through[1](hidden if shape == "low_rank" else hidden.relu())
    return y if shape == "mlp" else x + y


def regression(shape, layers):
    o = mapped(shape, layers, x)
    return 0.7 * F.mse_loss(o, y) + 1.3 * (1 - F.cosine_similarity(o, y)).mean()


def ranking(sides):
    def loss(shape, layers):
        half = layers[len(layers) // 2 :] if sides == "dual" else layers
        q = mapped(shape, layers, x)
        p = y if sides == "query" else mapped(shape, half, y)
        logits = 3.0 * F.normalize(q) @ F.normalize(p).T
        away = lambda a, b: 0.3 * (a - b).square().sum(1).mean()
        return F.cross_entropy(logits, torch.arange(N)) + away(q, x) + away(p, y)

    return loss


def flat(tensors):
    return [float(f"{v:.9g}") for t in tensors for v in t.detach().flatten()]


cases = []
for shape in ["linear", "low_rank", "residual", "mlp", "gated"]:
    for name in ["regression", "query", "both", "dual"]:
        of = layers(shape) + (layers(shape) if name == "dual" else [])
        value = (regression if name == "regression" else ranking(name))(shape, of)
        value.backward()
        cases.append({
            "shape": shape,
            "loss": name,
            "layers": [{"weight": flat([w]), "bias": flat([b])} for w, b in of],
            "value": value.item(),
            "gradients": [{"weight": flat([w.grad]), "bias": flat([b.grad])} for w, b in of],
        })
text = ",\n".join(json.dumps(c) for c in cases)
made = f'"made_with": "torch {torch.__version__}", "x": {flat([x])}, "y": {flat([y])}'
Path(__file__).with_suffix(".json").write_text("{" + made + ', "cases": [\n' + text + "\n]}\n")
