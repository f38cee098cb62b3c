"""What `manyview export` writes, read by the programs it is written for.

Needs Python with numpy, torch, sentence-transformers, onnx and onnxruntime. No network.

    python tests/python/export.py [target/release/manyview]

Fits adapters without and with a bias on the vectors of three encoders (the embedded int8 MiniLM with mean pooling, a tiny
Qwen3 with last-token pooling and a default prompt, the same saved in bfloat16), exports each in every format, and compares what sentence-transformers,
onnxruntime and NumPy compute with `manyview infer`, to 1e-5 in every component. Then pushes to a hub of 60 lines on the
loopback interface, and compares what arrived.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}

import numpy as np
import onnx
import onnxruntime
import sentence_transformers
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/manyview").resolve()
TINY = ROOT / "crates/encoder/tests/golden/models/qwen3-tiny"
TOLERANCE = 1e-5

WEATHER = {
    "rain": ["drizzle", "umbrella", "puddle", "storm", "wet"],
    "fog": ["mist", "haze", "dim", "grey", "blurred"],
    "sun": ["heat", "bright", "summer", "beach", "glare"],
}
EXPERIMENT = """
name = "{name}"
data.source = "corpus.csv"
encoder = {{ model = "{model}"{max_length} }}
teacher = {{ kind = "names", instruction = "Identify the weather: \\"rain\\", fog or sun", question = "What is the weather?" }}
evaluate = {{ seeds = 2, restarts = 1, resamples = 50, latency_seconds = 0.0, batch = 2 }}
output.map_texts = 30
[variants.plain]
[variants.biased]
train.center = true
"""


def manyview(*arguments, code=0, **environment):
    done = subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, env=os.environ | environment
    )
    assert done.returncode == code, f"manyview {arguments}: exit {done.returncode}\n{done.stderr}"
    return done.stdout + done.stderr


def corpus():
    rows = ["text,label"]
    for i in range(90):
        label, words = list(WEATHER.items())[i % 3]
        length = 4 + i % 40  # some are longer than the encoder reads
        text = " ".join(words[(i // 3 * (j + 1) + j) % 5] for j in range(length))
        rows.append(f"{text} {i},{label}")
    Path("corpus.csv").write_text("\n".join(rows) + "\n")
    texts = [row.rsplit(",", 1)[0] for row in rows[1:]] + ["Ünïcode, “quotes” — 雨 and ☔", "UPPER lower", "a", "two  spaces"]
    if int(sentence_transformers.__version__.split(".")[0]) >= 6:  # earlier ones strip texts, which the vectors show
        texts.append("  spaces around  ")
    Path("texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return texts


def qwen(name, dtype):
    """A copy of the tiny model with a prompt that every text gets, its weights in `dtype`."""
    shutil.copytree(TINY, name)
    prompts = {"prompts": {"query": "Query: "}, "default_prompt_name": "query"}
    Path(name, "config_sentence_transformers.json").write_text(json.dumps(prompts))
    weights = load_file(f"{name}/model.safetensors")
    save_file({key: value.to(dtype) for key, value in weights.items()}, f"{name}/model.safetensors", {"format": "pt"})
    config = json.loads(Path(name, "config.json").read_text())
    Path(name, "config.json").write_text(json.dumps(config | {"dtype": str(dtype).removeprefix("torch.")}))


def same(what, found, expected):
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    apart = float(np.abs(found - expected).max())
    print(f"{what:44} {str(found.shape):>12}  largest difference {apart:.1e}")
    assert apart < TOLERANCE, f"{what}: {apart}"


def check(run, texts):
    base, view = np.load(f"{run}/out/base.npy"), np.load(f"{run}/out/adapter.npy")
    assert np.abs(base - view).max() > 0.01 if base.shape == view.shape else True, "the view is the base"
    for to in ["sentence-transformers", "onnx", "npy", "adapter"]:
        manyview("export", run, "--to", to, f"{run}/to/{to}")
        manyview("export", run, "--to", to, f"{run}/to/{to}", code=2)  # something is there
        card(Path(run, "to", to, "README.md").read_text(), to)

    model = SentenceTransformer(f"{run}/to/sentence-transformers", device="cpu")
    kinds = [type(module).__name__ for module in model]
    assert kinds == ["Transformer", "Pooling", "Normalize", "Dense", "Normalize"], kinds
    same(f"{run}: sentence-transformers", model.encode(texts, batch_size=7), view)

    graph = onnx.load(f"{run}/to/onnx/adapter.onnx")
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(f"{run}/to/onnx/adapter.onnx", providers=["CPUExecutionProvider"])
    same(f"{run}: onnxruntime", session.run(["view"], {"base": base})[0], view)
    same(f"{run}: onnxruntime, one row", session.run(None, {"base": base[:1]})[0], view[:1])

    weight, bias = np.load(f"{run}/to/npy/weight.npy"), Path(f"{run}/to/npy/bias.npy")
    assert bias.exists() == run.endswith("biased")
    mapped = base @ weight + (np.load(bias) if bias.exists() else 0)
    same(f"{run}: numpy", mapped / np.linalg.norm(mapped, axis=1, keepdims=True), view)

    infer(f"{run}/to/adapter", f"{run}/again")
    assert np.array_equal(np.load(f"{run}/again/adapter.npy"), view), "the exported adapter is another"


def infer(adapter, out):
    manyview("infer", "--input", "texts.jsonl", "--adapter", adapter, "--output-dir", out)


def card(text, to):
    """The front matter is YAML that says what the hub reads, and nothing tells where it was made."""
    import yaml

    front = yaml.safe_load(text.split("---\n")[1])
    assert "manyview" in front["tags"] and "license" not in front, front
    assert (front.get("library_name") == "sentence-transformers") == (to == "sentence-transformers"), front
    assert "Identify the weather" in text and "V-measure" in text and os.getcwd() not in text, text


class Hub(BaseHTTPRequestHandler):
    """Takes uploads as the hub does: /api/repos/create, preupload, LFS batch, storage, commit."""

    def do_POST(self):
        hub, body = self.server, self.rfile.read(int(self.headers["content-length"]))
        if self.headers["authorization"] != "Bearer hf_secret":
            return self.answer(403, {"error": "not yours"})
        if self.path == "/api/repos/create":
            made, hub.exists = not hub.exists, True
            return self.answer(200 if made else 409, {})
        if self.path.endswith("/preupload/main"):
            wanted = [
                {"path": file["path"], "uploadMode": mode(file["path"]), "oid": hub.oids.get(file["path"])}
                for file in json.loads(body)["files"]
            ]
            return self.answer(200, {"files": wanted})
        if self.path.endswith(".git/info/lfs/objects/batch"):
            storage = f"http://localhost:{hub.server_port}/storage/"
            objects = [
                {"oid": o["oid"], "size": o["size"], "actions": {"upload": {"href": storage + o["oid"]}}}
                for o in json.loads(body)["objects"]
            ]
            return self.answer(200, {"objects": objects})
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "header":
                hub.commits += 1
                continue
            value = line["value"]
            large = line["key"] == "lfsFile"
            content = hub.storage[value["oid"]] if large else base64.b64decode(value["content"])
            git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            hub.files[value["path"]], hub.oids[value["path"]] = content, value["oid"] if large else git
        self.answer(200, {"commitOid": f"{hub.commits:040x}"})

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        assert "authorization" not in self.headers, "the token went to storage"
        assert hashlib.sha256(content).hexdigest() == self.path.removeprefix("/storage/")
        self.server.storage[self.path.removeprefix("/storage/")] = content
        self.answer(200, {})

    def do_GET(self):
        self.answer(200, {"sha": f"{self.server.commits:040x}", "siblings": []})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def mode(path):
    return "lfs" if path.endswith((".safetensors", ".onnx", ".npy")) else "regular"


def push(run):
    for source in ["to/sentence-transformers", "to/onnx", "to/npy", "."]:
        hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        hub.exists, hub.commits, hub.files, hub.oids, hub.storage = False, 0, {}, {}, {}
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        where = {"HF_HUB_OFFLINE": "", "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
        there = Path(run, source)
        said = manyview("push", there, "org/name", HF_TOKEN="hf_secret", **where)
        again = manyview("push", there, "org/name", HF_TOKEN="hf_secret", **where)
        assert "nothing has changed" in again and hub.commits == 1, again
        if source == ".":  # a run: what `export --to adapter` makes
            there = Path(run, "to/adapter")
        here = {str(p.relative_to(there)): p.read_bytes() for p in there.rglob("*") if p.is_file()}
        assert hub.files == here, sorted(hub.files) + sorted(here)
        said += manyview("push", there, "org/name", HF_TOKEN="hf_wrong", code=2, **where)
        assert "hf_secret" not in said and "hf_wrong" not in said and "HF_TOKEN" in said, said
        print(f"{run}/{source}: {len(here)} files arrived as they are, once")
        hub.shutdown()


def main():
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        texts = corpus()
        qwen("tiny", torch.float32)
        qwen("half", torch.bfloat16)
        encoders = [("minilm", "minilm", ", max_length = 16"), ("qwen", "tiny", ""), ("bfloat16", "half", "")]
        for name, model, max_length in encoders:
            Path(f"{name}.toml").write_text(EXPERIMENT.format(name=name, model=model, max_length=max_length))
            manyview("run", f"{name}.toml")
            manyview("export", f"runs/{name}", "--to", "npy", "both", code=2)  # which of them?
            for variant in ["plain", "biased"]:
                infer(f"runs/{name}/{variant}", f"runs/{name}/{variant}/out")
                check(f"runs/{name}/{variant}", texts)
        other = ["--to", "sentence-transformers", "other", "--encoder", "tiny"]
        said = manyview("export", "runs/minilm/plain", *other, code=2)
        assert "encoder" in said and not Path("other").exists(), said
        push("runs/minilm/plain")
    print("every export computes what `manyview infer` does")


main()
