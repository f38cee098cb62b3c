"""`manyview infer` beside NumPy, and over a full store: same files, same machine, same threads, runs in turn, medians.

    cargo build --release
    python benches/peers/infer.py [--rows 1000000] [--texts 1000000] [--threads 4] [--runs 5]

Vectors: ROWS x 384 float32 of length 1 in a .npy file. NumPy maps the file, multiplies chunks of 8192 rows with the same
matrix, normalises, and writes a .npy file; once as it is and once waiting for the disk, as Manyview does. Both are whole
processes: starting, importing and, for Manyview, hashing the input count.

Texts: TEXTS distinct texts of three words, encoded by the tiny model of the tests (32 numbers), because filling the store
is then a matter of a minute; the runs that are timed find every vector in the store.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "manyview"
TINY = ROOT / "crates" / "encoder" / "tests" / "golden" / "models" / "qwen3-tiny"
DIM, CHUNK = 384, 8192
EXPERIMENT = """
name = "{name}"
data.source = "corpus.csv"
encoder.model = "{model}"
teacher = {{ kind = "names", instruction = "Identify the weather", question = "What is the weather?" }}
"""


def theirs(x, weight, out, wait):
    x, weight = np.load(x, mmap_mode="r"), np.load(weight)
    with open(out, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(x), weight.shape[1])}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(x), CHUNK):
            y = x[start : start + CHUNK] @ weight
            y /= np.linalg.norm(y, axis=1, keepdims=True)
            y.tofile(file)
        if wait:
            file.flush()
            os.fsync(file.fileno())


def run(command, folder, threads):
    """Wall time in seconds and peak memory in MiB of one process, as GNU time says."""
    names = ["RAYON", "OMP", "OPENBLAS", "MKL"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", **{f"{name}_NUM_THREADS": str(threads) for name in names}}
    timed = ["/usr/bin/time", "-o", "usage", "-f", "%M", *map(str, command)]
    start = time.perf_counter()
    subprocess.run(timed, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start, int((folder / "usage").read_text()) / 1024


def report(what, rows, runs):
    seconds, memory = [r[0] for r in runs], max(r[1] for r in runs)
    median = statistics.median(seconds)
    spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
    print(f"| {what} | {median:.2f} ({spread}) | {rows / median:,.0f} | {memory:.0f} |", flush=True)
    return median


def adapter(folder, name, model):
    """Fits a small adapter on the vectors of `model`; what is in it does not matter here."""
    words = {"rain": "drizzle puddle storm wet", "fog": "mist haze dim grey", "sun": "heat bright summer beach"}
    rows = [(i, label, words[label].split()[i // 3 % 4]) for i, label in enumerate(list(words) * 20)]
    (folder / "corpus.csv").write_text("text,label\n" + "".join(f"{word} {i},{label}\n" for i, label, word in rows))
    (folder / f"{name}.toml").write_text(EXPERIMENT.format(name=name, model=model))
    run([BINARY, "train", f"{name}.toml"], folder, os.cpu_count())
    return f"runs/{name}"


def vectors(folder, rows, threads, runs):
    rng = np.random.default_rng(0)
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, DIM))
    for start in range(0, rows, CHUNK):
        part = rng.standard_normal((min(CHUNK, rows - start), DIM), np.float32)
        x[start : start + CHUNK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    del x
    run([BINARY, "export", adapter(folder, "base", "minilm"), "--to", "npy", "map"], folder, threads)
    peer = [sys.executable, __file__, "--theirs", "x.npy", "map/weight.npy", "y.npy"]
    commands = {
        f"`infer --vectors`, {rows:,} x {DIM}": [
            BINARY, "infer", "--vectors", "x.npy", "--adapter", "runs/base", "--output-dir", "ours"
        ],
        "NumPy, waiting for the disk": [*peer, "wait"],
        "NumPy": [*peer, "go"],
    }
    results = {what: [] for what in commands}
    for i in range(runs):
        for what in commands if i % 2 == 0 else reversed(commands):
            results[what].append(run(commands[what], folder, threads))
    ours, waiting, going = [report(what, rows, results[what]) for what in commands]
    y, z = (np.load(folder / name, mmap_mode="r") for name in ["y.npy", "ours/adapter.npy"])
    largest = max(np.abs(y[i : i + CHUNK] - z[i : i + CHUNK]).max() for i in range(0, rows, CHUNK))
    print(f"\nNumPy / ours: {waiting / ours:.2f} waiting for the disk, {going / ours:.2f} without")
    print(f"largest difference of a component: {largest:.1e}\n", flush=True)


def texts(folder, n, threads, runs):
    draw, syllables = random.Random(0), [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    words = [a + b for a in syllables for b in syllables]
    seen = {}
    while len(seen) < n:
        seen[" ".join(draw.choices(words, k=3))] = None
    lines = list(seen)
    (folder / "texts.csv").write_text("text\n" + "\n".join(lines) + "\n")
    draw.shuffle(lines)
    (folder / "shuffled.csv").write_text("text\n" + "\n".join(lines) + "\n")
    fitted = adapter(folder, "tiny", TINY)
    infer = lambda name: [BINARY, "infer", "--input", name, "--adapter", fitted, "--output-dir", "texts"]
    report(f"`infer --input`, {n:,} texts, none stored", n, [run(infer("texts.csv"), folder, threads)])
    for name, order in [("texts.csv", "in the order they were stored in"), ("shuffled.csv", "in another order")]:
        report(f"all stored, {order}", n, [run(infer(name), folder, threads) for _ in range(runs)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--theirs", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.theirs:
        x, weight, out, wait = arguments.theirs
        return theirs(x, weight, out, wait == "wait")
    print("| what | s (range) | rows/s | peak memory, MiB |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.rows:
            vectors(Path(folder), arguments.rows, arguments.threads, arguments.runs)
        if arguments.texts:
            texts(Path(folder), arguments.texts, arguments.threads, arguments.runs)


if __name__ == "__main__":
    main()
