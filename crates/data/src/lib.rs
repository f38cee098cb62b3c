//! Sources and formats: Parquet, CSV, JSONL and NPY files, the hub, named corpora, splits.
