"""`.npy` and `.parquet` files of one row, of no rows and, with --large, of more than 2^31 bytes, read by NumPy and pyarrow.

Needs Python with numpy and pyarrow. No network. With --large: some 9 GB of disk below --dir, and some minutes.

    python tests/python/array_files.py [target/release/manyview] [--large] [--dir DIR]
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ARGUMENTS.add_argument("binary", nargs="?", default=ROOT / "target/release/manyview", type=Path)
ARGUMENTS.add_argument("--large", action="store_true")
ARGUMENTS.add_argument("--dir")
EXPERIMENT = """
name = "weather"
data.source = "corpus.csv"
encoder.max_length = 16
teacher = { kind = "names", instruction = "Identify the weather", question = "What is the weather?" }
"""
DIM = 384


def manyview(binary, *arguments, code=0):
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, env=environment)
    assert done.returncode == code, f"manyview {arguments}: exit {done.returncode}\n{done.stderr}"
    return done.stderr


def header(path):
    """The header of a .npy file as NumPy reads it, never through pickle."""
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=10_000)
        assert version == (1, 0) and not fortran and dtype == np.dtype("<f4") and not dtype.hasobject
        assert file.tell() % 64 == 0, "the numbers begin between two lines of the cache"
        return shape, file.tell()


def checked(path, rows):
    shape, start = header(path)
    assert shape == (rows, DIM) and os.path.getsize(path) == start + 4 * rows * DIM, (path, shape)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def vectors(table):
    column = table["vector"].combine_chunks()
    assert column.type == pa.list_(pa.field("item", pa.float32(), nullable=column.type.value_field.nullable), DIM), column.type
    return column.flatten().to_numpy().reshape(-1, DIM)


def near(found, expected):
    """A sum may be taken in another order next to other rows."""
    assert found.shape == expected.shape and np.abs(found - expected).max() < 1e-6


def unit(n, seed):
    x = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def small(binary):
    x = unit(5, 0)
    for n in (1, 5):
        np.save("x.npy", x[:n])
        line = ["infer", "--vectors", "x.npy", "--adapter", "runs/weather"]
        manyview(binary, *line, "--output-dir", f"npy-{n}")
        manyview(binary, *line, "--output-dir", f"parquet-{n}", "--format", "parquet")
        table = pq.read_table(f"parquet-{n}/adapter.parquet")
        assert table.column_names == ["row", "vector"] and table["row"].to_pylist() == list(range(n))
        assert vectors(table).tobytes() == checked(f"npy-{n}/adapter.npy", n).tobytes()
    near(checked("npy-1/adapter.npy", 1), checked("npy-5/adapter.npy", 5)[:1])
    np.save("none.npy", x[:0])
    Path("none.csv").write_text("text\n")
    for source in (["--vectors", "none.npy"], ["--input", "none.csv"]):
        said = manyview(binary, "infer", *source, "--adapter", "runs/weather", "--output-dir", "none", code=2)
        assert "none." in said and not list(Path("none").glob("*.npy")), said
    print("1 and 5 rows: shape, type and bytes the same in both; 0 rows refused, without a file")


def large(binary):
    rows = 2**31 // (4 * DIM) + 1000
    piece = unit(10_000, 1)
    x = np.lib.format.open_memmap("large.npy", "w+", np.float32, (rows, DIM))
    for begin in range(0, rows, len(piece)):
        x[begin : begin + len(piece)] = piece[: rows - begin]
    x.flush()
    np.save("piece.npy", piece)
    line = ["--adapter", "runs/weather", "--output-dir"]
    manyview(binary, "infer", "--vectors", "piece.npy", *line, "piece")
    expected = checked("piece/adapter.npy", len(piece))
    manyview(binary, "infer", "--vectors", "large.npy", *line, "large")
    found = checked("large/adapter.npy", rows)
    for begin in range(0, rows, len(piece)):
        near(found[begin : begin + len(piece)], expected[: rows - begin])
    manyview(binary, "infer", "--vectors", "large.npy", *line, "large-parquet", "--format", "parquet")
    begin = 0
    for batch in pq.ParquetFile("large-parquet/adapter.parquet").iter_batches(len(piece)):
        table = pa.Table.from_batches([batch])
        assert table["row"].to_pylist() == list(range(begin, begin + len(table)))
        assert vectors(table).tobytes() == found[begin : begin + len(table)].tobytes(), begin
        begin += len(table)
    assert begin == rows
    size = os.path.getsize("large/adapter.npy")
    print(f"{rows} rows, {size} bytes: the same bytes in .npy and .parquet, the same numbers as in small files")


def main():
    arguments = ARGUMENTS.parse_args()
    binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        os.chdir(folder)
        words = {"rain": "drizzle storm puddle", "fog": "mist haze dim", "sun": "heat bright beach"}
        lines = [f"{word} {i},{label}\n" for i in range(8) for label, some in words.items() for word in some.split()]
        Path("corpus.csv").write_text("text,label\n" + "".join(lines))
        Path("experiment.toml").write_text(EXPERIMENT)
        manyview(binary, "train", "experiment.toml")
        small(binary)
        if arguments.large:
            large(binary)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
