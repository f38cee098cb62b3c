"""Our encoder on a GPU beside sentence-transformers: same texts, same ids, both in bf16, in turn, medians.

gpu.sh installs and builds what this needs, then calls it. The model has the shape of Qwen3-Embedding-0.6B, random weights and
MiniLM's tokenizer (qwen3.py). Each peer runs in a process of its own, is tried with several sizes of batches, and enters with
the fastest; sentence-transformers also with flash attention, where flash_attn is installed. It sorts texts by length, as we do.

`rate` is torch's product of two bf16 matrices, the best of some sizes, in the same run; `share` is the products with weights a
pass needs, a second, of that. `cosine` is to sentence-transformers in f32. `memory` is the most the device held while the peer
ran alone, context included; on the CPU, the most the process did. `--device libtorch` is for trying the steps without a GPU.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import encode
import qwen3

SMALL = encode.ROOT / "data" / "minilm"  # whose tokenizer the model gets
LONGEST = 256  # tokens, as qwen3.py writes into the model


def texts(count):
    """Texts of both corpora in turn, over again where there are too few, and how many tokens they have."""
    import pyarrow.parquet as parquet
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(SMALL / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    data = encode.ROOT / "data"
    rows = [parquet.read_table(data / name / f"{name}.parquet").column("text").to_pylist() for name in ("medquad", "clinc150")]
    found = [rows[i % 2][i // 2 % len(rows[i % 2])] for i in range(count)]
    return found, sum(len(encoding.ids) for encoding in tokenizer.encode_batch(found))


def serve(attention, batch, numbers, device, model, file):
    """sentence-transformers, answering what encode.py's peers answer."""
    import torch
    from sentence_transformers import SentenceTransformer

    start = time.perf_counter()
    settings = {"dtype": getattr(torch, numbers), "attn_implementation": attention}
    model = SentenceTransformer(model, device=device, model_kwargs=settings)
    print(time.perf_counter() - start, flush=True)
    encode.answer(lambda texts: model.encode(texts, batch_size=int(batch), normalize_embeddings=True,
                                             show_progress_bar=False), file)


def rate(device):
    """Prints the device's name and the TFLOP/s of its product of two bf16 matrices, the best of some sizes."""
    import torch

    cuda = device.startswith("cuda")
    wait = torch.cuda.synchronize if cuda else lambda: None
    best = 0
    for size in (4096, 8192, 16384) if cuda else (512, 1024):
        a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
        seconds = []
        for _ in range(30 if cuda else 5):
            wait()
            start = time.perf_counter()
            a @ b
            wait()
            seconds.append(time.perf_counter() - start)
        best = max(best, 2 * size**3 / statistics.median(seconds) / 1e12)
    print(json.dumps([torch.cuda.get_device_name(device) if cuda else "the CPU", torch.__version__, best]))


class Memory:
    """The most memory a GPU holds while this is open, MiB."""

    def __init__(self, gpu):
        self.gpu, self.most, self.open = gpu, 0, True
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        query = ["nvidia-smi", f"--id={self.gpu}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while self.open:
            self.most = max(self.most, int(subprocess.check_output(query, text=True)))
            time.sleep(0.1)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.thread.join()


class Bench:
    """The peers on one device, over one file of texts."""

    def __init__(self, arguments, model, file):
        self.ours, self.device, self.model, self.file = arguments.ours, arguments.device, model, file
        self.gpu = int(self.device.rsplit(":", 1)[1]) if "cuda" in self.device else None
        self.torch_device = "cpu" if self.gpu is None else f"cuda:{self.gpu}"

    def start(self, name):
        """A peer of a name such as `ours 16384` or `st sdpa 64`; `f32` at its end for those numbers."""
        who, *settings = name.split()
        single = settings[-1] == "f32" and bool(settings.pop())
        if who == "ours":
            weights = "f32" if single else "bf16"
            command = [self.ours, self.model, self.file, f"device={self.device}", f"batch_tokens={settings[0]}",
                       f"weights={weights}"]
        else:
            command = [sys.executable, __file__, "--serve", *settings, "float32" if single else "bfloat16",
                       self.torch_device, self.model, self.file]
        return encode.Runner(name, command, os.cpu_count(), errors=None)

    def try_out(self, name):
        """Seconds of a second pass, and the most memory, of a peer alone."""
        before = None
        if self.gpu is not None:
            with Memory(self.gpu) as idle:
                time.sleep(0.3)
            before = idle.most
        runner = self.start(name)
        try:
            if before is None:
                runner.ask("many")
                return runner.ask("many"), runner.peak()
            with Memory(self.gpu) as memory:
                runner.ask("many")
                seconds = runner.ask("many")
            return seconds, memory.most - before
        finally:
            runner.stop()

    def best(self, names):
        """The fastest of some settings, and its memory."""
        tried = {}
        for name in names:
            try:
                seconds, memory = tried[name] = self.try_out(name)
                print(f"  tried {name}: {seconds:.2f} s, {memory:.0f} MiB", flush=True)
            except ValueError:  # no answer: its last words are above
                print(f"  tried {name}: it ended, for want of memory perhaps", flush=True)
        best = min(tried, key=lambda name: tried[name][0])
        return best, tried[best][1]

    def vectors(self, runner, count):
        file = self.file.with_name(runner.name.replace(" ", "-"))
        runner.ask(f"vectors {file}")
        return np.fromfile(file, np.float32).reshape(count, -1)


def compare(arguments, folder):
    found, tokens = texts(arguments.texts)
    file, model = folder / "texts", folder / "qwen3"
    file.write_text("".join(json.dumps(text) + "\n" for text in [found[0], *found]))  # one for `one`, all for `many`
    qwen3.write(model, SMALL, arguments.layers)
    bench = Bench(arguments, model, file)
    measured = subprocess.check_output([sys.executable, __file__, "--rate", bench.torch_device], text=True)
    card, torch, rate = json.loads(measured)
    attentions = ["sdpa"] + ["flash_attention_2"] * (bench.gpu is not None and bool(importlib.util.find_spec("flash_attn")))
    peers = [[f"ours {n}" for n in arguments.batch_tokens], [f"st {a} {n}" for a in attentions for n in arguments.batch]]
    chosen = [bench.best(names) for names in peers]
    reference = bench.start(f"{chosen[1][0]} f32")
    exact = bench.vectors(reference, len(found))
    reference.stop()
    runners = [bench.start(name) for name, _ in chosen]
    cosines = [(bench.vectors(runner, len(found)) * exact).sum(1) for runner in runners]  # warm from here on
    for _ in range(arguments.rounds):
        for runner in runners:
            runner.time("many", 1)
            runner.time("one", 5)
    print(f"{card}, torch {torch}: {arguments.layers} layers, {len(found)} texts, {tokens} tokens, {arguments.rounds} rounds; "
          f"rate {rate:.3g} TFLOP/s in bf16")
    print(f"{'':24} {'tokens/s':>9} {'least':>9} {'most':>9} {'ratio':>6} {'share':>6} {'one, ms':>8} {'MiB':>7} {'cosine':>9} "
          f"{'least':>8}")
    theirs = statistics.median(runners[1].seconds["many"])
    for runner, (name, memory), cosine in zip(runners, chosen, cosines):
        seconds = runner.seconds["many"]
        middle = statistics.median(seconds)
        share = qwen3.products(arguments.layers) * tokens / middle / rate / 1e12
        print(f"{name:24} {tokens / middle:9.0f} {tokens / max(seconds):9.0f} {tokens / min(seconds):9.0f} "
              f"{theirs / middle:6.2f} {share:6.1%} {1e3 * statistics.median(runner.seconds['one']):8.1f} {memory:7.0f} "
              f"{cosine.mean():9.6f} {cosine.min():8.5f}")
        runner.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, help="the example `throughput` of manyview-encoder, built with `tch`")
    parser.add_argument("--device", default="libtorch:cuda:0", help="as encoder.device names it")
    parser.add_argument("--layers", type=int, default=qwen3.LAYERS)
    parser.add_argument("--texts", type=int, default=16_384)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[8192, 16_384, 32_768, 65_536], help="ours to try")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 64, 128, 256, 512], help="texts a batch to try of theirs")
    parser.add_argument("--serve", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--rate", metavar="DEVICE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(*arguments.serve)
    if arguments.rate:
        return rate(arguments.rate)
    libraries = str(Path(importlib.util.find_spec("torch").origin).parent / "lib")  # for a program built elsewhere
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join([libraries, os.environ.get("LD_LIBRARY_PATH", "")]).rstrip(os.pathsep)
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


if __name__ == "__main__":
    main()
