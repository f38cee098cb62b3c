"""Writes the small files the tests read, with numpy and pyarrow: python make.py"""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
x = np.arange(6, dtype=np.float32).reshape(3, 2) / 4
np.save(here / "c_f32.npy", x)
np.save(here / "fortran_f32.npy", np.asfortranarray(x))
np.save(here / "c_f64.npy", x.astype(np.float64))
np.save(here / "i64.npy", x.astype(np.int64))
np.save(here / "flat.npy", x.ravel())
words = ["b", None, "é"]
pq.write_table(
    pa.table(
        {
            "string": pa.array(words, pa.string()),
            "large": pa.array(words, pa.large_string()),
            "view": pa.array(words, pa.string_view()),
            "dictionary": pa.array(words, pa.string()).dictionary_encode(),
            "int": pa.array([3, None, -1], pa.int64()),
            "float": pa.array([1.0, None, 0.25], pa.float64()),
            "bool": pa.array([True, None, False], pa.bool_()),
            "date": pa.array([0, None, 1], pa.date32()),
            "list": pa.array(x.tolist(), pa.list_(pa.float64())),
            "fixed": pa.array(x.tolist(), pa.list_(pa.float32(), 2)),
            "half": pa.array([row.astype(np.float16) for row in x], pa.large_list(pa.float16())),
            "holey": pa.array([[0.0, 1.0], None, [0.0, 1.0]], pa.list_(pa.float32())),
            "nan": pa.array([[0.0, 1.0], [0.0, 1.0], [0.0, float("nan")]], pa.list_(pa.float32())),
            "ragged": pa.array([[0.0, 1.0], [0.0], [0.0, 1.0]], pa.list_(pa.float32())),
        }
    ),
    here / "types.parquet",
    row_group_size=2,
)
