"""Makes modules/: what sentence-transformers gives with other poolings and modules behind models/bert-tiny.

    pip install torch transformers sentence-transformers safetensors
    python modules.py

Each folder of modules/ has the files that stand beside the model's own, and vectors.safetensors: `plain`, the vectors of
the texts of modules/texts.json, and `prompted`, those behind the prompt there; with the length that vectors are cut to
in its metadata.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, LayerNorm, Normalize, Pooling

HERE = Path(__file__).parent
MODEL = HERE / "models" / "bert-tiny"
OUT = HERE / "modules"
PROMPT = "rain fell: "
TEXTS = json.loads((HERE / "texts.json").read_text())["texts"][:12]
torch.manual_seed(7)
torch.set_num_threads(1)


def dense(dim_in, dim_out, activation, **more):
    module = Dense(dim_in, dim_out, activation_function=activation, **more)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return module


def norm(dim):
    module = LayerNorm(dim)
    torch.nn.init.normal_(module.norm.weight, mean=1.0, std=0.3)
    torch.nn.init.normal_(module.norm.bias, std=0.3)
    return module


def cases(hidden):
    pooled = lambda *modes, **more: [Pooling(hidden, list(modes), **more)]
    for mode in Pooling.POOLING_MODES:
        yield mode, pooled(mode), None
        yield mode + "-without-prompt", pooled(mode, include_prompt=False), None
    yield "cls-and-max", pooled("cls", "max"), None
    yield "mean-and-cls-and-lasttoken", pooled("mean", "cls", "lasttoken"), None
    yield "tanh", pooled("mean") + [dense(hidden, 12, torch.nn.Tanh())], None
    yield "matryoshka", pooled("mean") + [dense(hidden, 12, torch.nn.Identity()), Normalize()], 5
    yield "two-layers", pooled("mean") + [
        dense(hidden, 24, torch.nn.Identity(), bias=False),
        dense(24, 10, torch.nn.Identity(), bias=False),
        Normalize(),
    ], None
    yield "residual", pooled("cls") + [dense(hidden, hidden, torch.nn.GELU(), use_residual=True)], None
    yield "projected-residual", pooled("mean") + [dense(hidden, 9, torch.nn.SiLU(), use_residual=True)], None
    yield "normalised-before", pooled("max") + [Normalize(), dense(hidden, 8, torch.nn.ReLU())], None
    yield "layer-norm", pooled("mean", "max") + [norm(2 * hidden), dense(2 * hidden, 8, torch.nn.Sigmoid())], None


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    (OUT / "texts.json").write_text(json.dumps({"prompt": PROMPT, "texts": TEXTS}, indent=1) + "\n")
    base = SentenceTransformer(str(MODEL), device="cpu")
    hidden = base[0].get_embedding_dimension()
    for name, modules, truncated in cases(hidden):
        model = SentenceTransformer(modules=[base[0], *modules], device="cpu", truncate_dim=truncated)
        with tempfile.TemporaryDirectory() as scratch:
            model.save(scratch)
            folder = OUT / name
            folder.mkdir()
            for path in sorted(Path(scratch).iterdir()):
                if path.is_dir() and path.name[:1].isdigit():
                    shutil.copytree(path, folder / path.name)
            shutil.copy(Path(scratch) / "modules.json", folder)
        encode = lambda **more: model.encode(
            TEXTS, batch_size=5, convert_to_tensor=True, normalize_embeddings=True, **more
        )
        vectors = {"plain": encode(), "prompted": encode(prompt=PROMPT)}
        metadata = {"truncate_dim": str(truncated)} if truncated else None
        save_file({key: value.contiguous() for key, value in vectors.items()}, folder / "vectors.safetensors", metadata)


main()
