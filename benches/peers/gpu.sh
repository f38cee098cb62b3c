#!/usr/bin/env bash
# Our encoder on a GPU beside sentence-transformers, with all it needs: on a machine with an NVIDIA GPU, its driver, Python 3,
# Rust and a C++ compiler,
#
#     benches/peers/gpu.sh
#
# puts torch and sentence-transformers into target/gpu, builds our encoder against that torch, and prints the table of gpu.py.
# The same steps without a GPU, on a model of two layers, to see that they work:
#
#     benches/peers/gpu.sh --device libtorch --layers 2 --texts 32 --rounds 2
#
# PYTHON names an interpreter that has torch 2.11.0, sentence-transformers 6 and pyarrow already. THROUGHPUT names our program,
# built elsewhere against the same torch; then no Rust is needed here.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${PYTHON:-}" ]; then
    PYTHON=target/gpu/bin/python
    [ -x "$PYTHON" ] || python3 -m venv target/gpu
    "$PYTHON" -m pip install --quiet torch==2.11.0 "sentence-transformers>=6,<7" pyarrow
fi
if [ -z "${THROUGHPUT:-}" ]; then
    LIBTORCH=$("$PYTHON" -c 'import torch; print(torch.__path__[0])')
    export LIBTORCH
    cargo build --release -p manyview-encoder --example throughput --features tch
    THROUGHPUT=${CARGO_TARGET_DIR:-target}/release/examples/throughput
fi
exec "$PYTHON" benches/peers/gpu.py --ours "$THROUGHPUT" "$@"
