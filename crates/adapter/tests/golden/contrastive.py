"""Writes contrastive.json: losses of sentence-transformers on small matrices, and their gradients by torch.

    pip install sentence-transformers torch
    python contrastive.py

Of each case: the rows of queries `q` and passages `p` (positives first, then negatives), `[rows, 6]` one after the other,
the grades of pairs, the loss, and its gradients with respect to `q` and `p`. Rows have lengths other than 1.
"""

import json
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer import losses

DIM = 6
torch.manual_seed(0)


def rows(n, near=None):
    x = torch.randn(n, DIM) * torch.rand(n, 1).add(0.5)
    return (x if near is None else 0.6 * x + near).detach()


def case(name, loss, q, documents, labels=None):
    inputs = [x.clone().requires_grad_() for x in [q, *documents]]
    value = loss.compute_loss_from_embeddings(inputs, None if labels is None else torch.tensor(labels))
    value.backward()
    flat = lambda tensors: [float(f"{v:.9g}") for t in tensors for v in t.detach().flatten()]
    return {
        "name": name,
        "q": flat(inputs[:1]),
        "p": flat(inputs[1:]),
        "grades": labels or [],
        "loss": value.item(),
        "of_q": flat([inputs[0].grad]),
        "of_p": flat([x.grad for x in inputs[1:]]),
    }


q = rows(7)
p = rows(7, near=q)
binary = [1, 0, 1, 0, 0, 1, 1]
ranking = losses.MultipleNegativesRankingLoss(None)
online = losses.OnlineContrastiveLoss(None)
cases = [
    case("multiple_negatives_ranking", ranking, q, [p]),
    case("multiple_negatives_ranking", ranking, q, [p, rows(7, near=q), rows(7)]),
    case("multiple_negatives_ranking", losses.MultipleNegativesRankingLoss(None, scale=20.0), q[:1], [p[:1]]),
    case("contrastive", losses.ContrastiveLoss(None), q, [p], binary),
    case("online_contrastive", online, q, [p], binary),
    case("online_contrastive", online, q, [rows(7)], binary),
    case("online_contrastive", online, q, [p], [1] * 7),
    case("online_contrastive", online, q, [p], [0] * 7),
    case("cosine_similarity", losses.CosineSimilarityLoss(None), q, [p], [0.9, -0.5, 0.0, 1.0, 0.25, 0.5, -1.0]),
]
Path(__file__).with_suffix(".json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
