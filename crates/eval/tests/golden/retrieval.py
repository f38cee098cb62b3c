"""Writes retrieval.json: what sentence-transformers' InformationRetrievalEvaluator says of rankings by cosine. Vectors
are whole numbers, so every precision holds the same ones; those of the second case are of 1 and -1 and tie often.
Run: python retrieval.py"""

import json
from pathlib import Path

import numpy as np
import sentence_transformers
import torch
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.util import cos_sim

rng = np.random.default_rng(0)


class OfVectors(InformationRetrievalEvaluator):
    """Takes vectors where the evaluator would encode texts."""

    def embed_inputs(self, model, sentences, **kwargs):
        return torch.tensor(np.array(sentences), dtype=torch.float64)


def case(name, queries, documents, relevant):
    row = "{:05}".format  # ids in the order of the rows
    evaluator = OfVectors(
        queries={row(i): v for i, v in enumerate(queries.tolist())},
        corpus={row(i): v for i, v in enumerate(documents.tolist())},
        relevant_docs={row(i): {row(d) for d in rows} for i, rows in enumerate(relevant)},
        score_functions={"cos": cos_sim},
        corpus_chunk_size=50,
    )
    found = evaluator.compute_all_metrics(None)["cos"]
    scores = {measure.replace("@k", f"@{k}"): float(v) for measure, of in found.items() for k, v in of.items()}
    return {
        "name": name,
        "dim": queries.shape[1],
        "queries": queries.ravel().tolist(),
        "documents": documents.ravel().tolist(),
        "relevant": [sorted(map(int, rows)) for rows in relevant],
        "scores": scores,
    }


def near(queries, documents, noise, counts):
    """For each query, documents that are near it but for noise."""
    likeness = queries @ documents.T + noise * rng.normal(size=(len(queries), len(documents)))
    return [np.argsort(-row)[: rng.integers(*counts)] for row in likeness]


def main():
    queries, documents = rng.integers(-99, 100, (30, 8)), rng.integers(-99, 100, (240, 8))
    signs, many = rng.choice([-1, 1], (25, 16)), rng.choice([-1, 1], (180, 16))
    many[60:90] = many[:30]
    few = rng.integers(-9, 10, (4, 3))
    cases = [
        case("many", queries, documents, near(queries, documents, 8000.0, (1, 30))),
        case("ties", signs, many, near(signs, many, 3.0, (1, 12))),
        case("fewer documents than the cutoff", few[:2], few[1:], [[0, 2], [1]]),
        case("more relevant than the cutoff", queries[:3], documents, [range(150), range(90, 240), range(0, 240, 2)]),
    ]
    head = {"made_by": f"retrieval.py, sentence-transformers {sentence_transformers.__version__}", "cases": cases}
    Path(__file__).with_name("retrieval.json").write_text(json.dumps(head, separators=(",", ":")) + "\n")
    for c in cases:
        print(c["name"], c["scores"])


main()
