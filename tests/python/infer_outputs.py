"""What `manyview infer` writes, read by NumPy and pyarrow, and computed again from the adapters' matrices.

Needs Python with numpy and pyarrow. No network.

    python tests/python/infer_outputs.py [target/release/manyview]
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/manyview").resolve()
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1"}
TOLERANCE = 1e-5

WORDS = {"rain": "drizzle umbrella puddle storm", "fog": "mist haze dim grey", "sun": "heat bright summer beach"}
EXPERIMENT = """
name = "weather"
data.source = "corpus.csv"
encoder.max_length = 16
teacher = { kind = "names", instruction = "Identify the weather", question = "What is the weather?" }
[variants.plain]
[variants.biased]
train.center = true
"""


def manyview(*arguments, code=0):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == code, f"manyview {arguments}: exit {done.returncode}\n{done.stderr}"
    return done.stdout + done.stderr


def texts():
    """Texts with what a file may hold: repeats, nothing, quotes, line breaks, and more than the encoder reads."""
    plain = [f"{word} {i}" for i in range(40) for word in ["wet storm", "grey mist, dim", "bright \"heat\"\nof summer"]]
    long = ["and so it rained on and on " * 8 + str(i) for i in range(5)]
    return [None, plain[3], plain[7], "  ", *plain, *long, plain[0]]


def fitted():
    rows = [(label, word) for label, words in WORDS.items() for word in words.split() for _ in range(6)]
    with open("corpus.csv", "w") as file:
        file.write("text,label\n" + "".join(f"{word} {i},{label}\n" for i, (label, word) in enumerate(rows)))
    Path("experiment.toml").write_text(EXPERIMENT)
    manyview("train", "experiment.toml")
    maps = {}
    for name in ["plain", "biased"]:
        manyview("export", f"runs/weather/{name}", "--to", "npy", f"{name}-map")
        bias = Path(f"{name}-map/bias.npy")
        maps[name] = np.load(f"{name}-map/weight.npy"), np.load(bias) if bias.exists() else 0.0
    assert np.any(maps["biased"][1] != 0)
    return maps


def view(base, weight_and_bias):
    weight, bias = weight_and_bias
    y = base.astype(np.float64) @ weight + bias
    return y / np.linalg.norm(y, axis=1, keepdims=True)


def near(found, expected, what):
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    largest = np.abs(found - expected).max()
    assert largest < TOLERANCE, f"{what}: a component is {largest} off"


def matrix(table):
    column = table["vector"].combine_chunks()
    assert pa.types.is_fixed_size_list(column.type) and column.type.value_type == pa.float32(), column.type
    return column.flatten().to_numpy().reshape(len(column), -1)


def outputs(maps):
    all_texts = texts()
    kept, seen = [], set()
    for row, text in enumerate(all_texts):
        if text is not None and text.strip() and text not in seen:
            seen.add(text)
            kept.append(row)
    ids = [f"id-{row}" for row in range(len(all_texts))]
    table = pa.table({"text": all_texts, "name": ids})
    pq.write_table(table, "texts.parquet", row_group_size=17)
    with open("texts.jsonl", "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in table.to_pylist())
    with open("texts.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["text", "name"])
        writer.writeheader()
        writer.writerows(table.to_pylist())
    adapters = [a for name in maps for a in ("--adapter", f"runs/weather/{name}")]
    rows_of = ["--drop-missing", "--dedup", "--id-column", "name", "--chunk-rows", "10", *adapters]
    for source in ["texts.parquet", "texts.jsonl", "texts.csv"]:
        manyview("infer", "--input", source, *rows_of, "--output-dir", f"{source}-out")
    out = Path("texts.parquet-out")
    base = np.load(out / "base.npy")
    assert base.dtype == np.float32 and base.flags.c_contiguous and len(base) == len(kept)
    near(np.linalg.norm(base, axis=1), np.ones(len(base)), "lengths of base vectors")
    for name in maps:
        near(np.load(out / f"{name}.npy"), view(base, maps[name]), name)
        for other in ["texts.jsonl-out", "texts.csv-out"]:
            assert (Path(other) / f"{name}.npy").read_bytes() == (out / f"{name}.npy").read_bytes(), other
    with open(out / "rows.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [int(row["row"]) for row in listed] == kept
    assert [row["id"] for row in listed] == [ids[row] for row in kept]
    cut = ["rained" in all_texts[row] for row in kept]
    assert [row["truncated"] == "true" for row in listed] == cut and sum(cut) == 5
    metadata = json.loads((out / "metadata.json").read_text())
    assert metadata["rows"] == len(kept) and metadata["rows_read"] == len(all_texts)
    assert metadata["dropped"] == {"missing": 2, "duplicates": 3} and metadata["truncated"] == 5, metadata
    for written in metadata["files"]:
        assert np.load(out / written["file"]).shape == (len(kept), written["dim"])

    manyview("infer", "--input", "texts.csv", *rows_of, "--format", "parquet", "--output-dir", "parquet-out")
    for name in ["base", *maps]:
        whole = pq.read_table(f"parquet-out/{name}.parquet")
        assert whole.column_names == ["row", "id", "truncated", "vector"]
        assert whole["row"].to_pylist() == kept and whole["truncated"].to_pylist() == cut
        assert whole["id"].to_pylist() == [ids[row] for row in kept]
        assert matrix(whole).tobytes() == np.load(out / f"{name}.npy").tobytes(), name
        file = pq.ParquetFile(f"parquet-out/{name}.parquet")
        assert file.num_row_groups > 10
        some = file.read_row_group(file.num_row_groups - 1, ["row"])["row"].to_pylist()
        assert some == kept[-len(some) :]
    return base


def vectors(maps, base):
    np.save("f32.npy", base)
    np.save("f64.npy", base.astype(np.float64))
    np.save("fortran.npy", np.asfortranarray(base))
    np.save("big-endian.npy", base.astype(">f4"))
    np.save("long.npy", base * np.arange(1, len(base) + 1, dtype=np.float32)[:, None])
    lists = {
        "fixed.parquet": pa.FixedSizeListArray.from_arrays(pa.array(base.ravel()), base.shape[1]),
        "lists.parquet": pa.array(base.tolist(), pa.list_(pa.float64())),
    }
    for name, column in lists.items():
        pq.write_table(pa.table({"vector": column}), name, row_group_size=13)
    expected = view(base, maps["biased"])
    for name in ["f32.npy", "f64.npy", "fortran.npy", "big-endian.npy", "long.npy", *lists]:
        out = f"{name}-view"
        manyview(
            "infer", "--vectors", name, "--adapter", "runs/weather/biased", "--output-dir", out, "--chunk-rows", "9"
        )
        near(np.load(f"{out}/adapter.npy"), expected, name)
        normalized = json.loads(Path(f"{out}/metadata.json").read_text())["normalized"]
        assert normalized == (len(base) - 1 if name == "long.npy" else 0), (name, normalized)
    command = ["infer", "--vectors", "f32.npy", "--adapter", "runs/weather/biased", "--format", "parquet"]
    manyview(*command, "--output-dir", "view")
    table = pq.read_table("view/adapter.parquet")
    assert table.column_names == ["row", "vector"] and table["row"].to_pylist() == list(range(len(base)))
    near(matrix(table), expected, "view/adapter.parquet")


def killed(maps):
    """Killed at any time, the same command ends with files that NumPy and pyarrow read whole."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30_000, 384)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    np.save("many.npy", x)
    expected = view(x, maps["plain"])
    for format in ["npy", "parquet"]:
        out = Path(f"killed-{format}")
        line = ["infer", "--vectors", "many.npy", "--adapter", "runs/weather/plain", "--chunk-rows", "64"]
        line = [BINARY, *line, "--format", format, "--output-dir", out]
        for pause in [0.0, 0.03, 0.1]:
            process = subprocess.Popen(line, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not (out / ".infer/progress.json").exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert (out / "metadata.json").exists() == (process.returncode == 0)
        manyview(*line[1:])
        path = out / f"adapter.{format}"
        near(np.load(path) if format == "npy" else matrix(pq.read_table(path)), expected, str(path))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        maps = fitted()
        vectors(maps, outputs(maps))
        killed(maps)
        os.chdir(ROOT)
    print("NumPy and pyarrow read what `manyview infer` writes, and compute the same")


if __name__ == "__main__":
    main()
