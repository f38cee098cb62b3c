"""One cache for both: what `manyview fetch` fetched Python's huggingface_hub finds, and the other way round.

Needs Python with huggingface_hub, numpy and pyarrow. No network: a hub of 60 lines on the loopback interface, with
tokens, ETags, and a storage of another origin for large files.

    cargo build --release -p manyview-cli
    python tests/python/hub_cache.py [target/release/manyview]
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/manyview").resolve()
TINY = ROOT / "crates/encoder/tests/golden/models/qwen3-tiny"
CONFIG = ROOT / "configs/nyt-topic.toml"
TOKEN = "hf_canary0123456789"
MODEL, MODEL_COMMIT = "Qwen/Qwen3-Embedding-0.6B", "97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3"
CORPUS, CORPUS_COMMIT = "BrandonZYW/NYTClustering", "874caa290866b25a86bfa94a4e457c72fb5bdcb2"
SMALL = ["data.limit=90", "encoder.max_length=24", "train.epochs=3", "evaluate.seeds=2", "evaluate.restarts=1",
         "evaluate.resamples=50", "evaluate.latency_seconds=0", "evaluate.batch=2"]  # fmt: skip
WANTED = ["*.json", "*.safetensors", "1_Pooling/*"]


def articles(config):
    topics, places = ["sports", "science", "business"], ["france", "kenya", "japan", "peru"]
    rows = [(topics[i % 3], places[i // 3 % 4]) for i in range(120)]
    table = {"text": [f"{i} {place} {topic} {i % 7}" for i, (topic, place) in enumerate(rows)],
             "cluster": [row[config == "location"] for row in rows]}  # fmt: skip
    out = io.BytesIO()
    pq.write_table(pa.table(table), out)
    return out.getvalue()


def repositories():
    model = {str(p.relative_to(TINY)): p.read_bytes() for p in TINY.rglob("*") if p.is_file()} | {"README.md": b"about"}
    corpus = {f"{c}/test-00000-of-00001.parquet": articles(c) for c in ("topic", "location")} | {"README.md": b"about"}
    return {("models", MODEL): (MODEL_COMMIT, model), ("datasets", CORPUS): (CORPUS_COMMIT, corpus)}


def is_large(name):
    return name.endswith((".safetensors", ".parquet", "tokenizer.json"))


def name_of(path, content):
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return hashlib.sha256(content).hexdigest() if is_large(path) else git


class Hub(BaseHTTPRequestHandler):
    repositories, asked, storage = repositories(), [], None
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        self.asked.append((self.command, path))
        at_storage = self.server is Hub.storage
        if not at_storage and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.reply(401)
        if at_storage and self.headers.get("Authorization"):
            return self.reply(400)
        for (kind, repo), (commit, files) in self.repositories.items():
            if path in (f"/api/{kind}/{repo}/revision/{r}" for r in ("main", commit)):
                return self.reply(200, json.dumps(self.listing(repo, commit, files)).encode())
            if path == f"/api/{kind}/{repo}/tree/{commit}":
                return self.reply(200, json.dumps(self.tree(files)).encode(), {"Content-Type": "application/json"})
            start = f"{'/datasets' if kind == 'datasets' else ''}/{repo}/resolve/"
            name = path.removeprefix(start).removeprefix(f"{commit}/").removeprefix("main/")
            if path.startswith(start) and name in files:
                return self.file(name, files[name], commit, at_storage)
        self.reply(404, b"", {"X-Error-Code": "EntryNotFound"})

    do_HEAD = do_GET

    def file(self, name, content, commit, at_storage):
        etag = f'"{name_of(name, content)}"'
        about = {"ETag": etag, "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if is_large(name) and not at_storage:
            about |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(content))}
            return self.reply(302, b"", about | {"Location": f"http://127.0.0.1:{Hub.storage.server_port}{self.path}"})
        self.reply(200, content, about)

    def listing(self, repo, commit, files):
        def describe(name, content):
            lfs = {"lfs": {"sha256": name_of(name, content), "size": len(content), "pointerSize": 130}}
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            return {"rfilename": name, "size": len(content), "blobId": git} | (lfs if is_large(name) else {})

        return {"id": repo, "sha": commit, "siblings": [describe(*item) for item in files.items()]}

    def tree(self, files):
        def describe(name, content):
            large = {"lfs": {"oid": name_of(name, content), "size": len(content), "pointerSize": 130}}
            return {"type": "file", "path": name, "size": len(content), "oid": "0" * 40} | (large if is_large(name) else {})

        return [describe(*item) for item in files.items()]

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for item in dict(headers).items():
            self.send_header(*item)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def asked():
    requests, Hub.asked[:] = Hub.asked[:], []
    return requests


def manyview(folder, verb, **environment):
    done = subprocess.run([BINARY, verb, CONFIG, *SMALL], cwd=folder, env=os.environ | environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def main():
    hub, Hub.storage = serve(), serve()
    os.environ |= {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1",
                   "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        os.environ["HF_HOME"] = str(ours)
        from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

        manyview(folder, "fetch")
        requests = asked()
        files = {name: content for _, (_, files) in Hub.repositories.items() for name, content in files.items()}
        for repo, commit, kind in [(MODEL, MODEL_COMMIT, "model"), (CORPUS, CORPUS_COMMIT, "dataset")]:
            place = snapshot_download(repo, revision=commit, repo_type=kind, cache_dir=ours / "hub", local_files_only=True)
            held = [p.relative_to(place).as_posix() for p in Path(place).rglob("*") if p.is_file()]
            assert held and all(Path(place, name).read_bytes() == files[name] for name in held), held
            for name in held:
                found = hf_hub_download(repo, name, revision=commit, repo_type=kind, cache_dir=ours / "hub", local_files_only=True)
                assert Path(found).resolve().name == name_of(name, files[name]), f"{name} is kept under another name"
            print(f"{repo}: fetched by manyview, {len(held)} files found by huggingface_hub")
        assert not asked(), "huggingface_hub asked for what manyview had fetched"
        topic = "topic/test-00000-of-00001.parquet"
        again = hf_hub_download(CORPUS, topic, revision=CORPUS_COMMIT, repo_type="dataset", cache_dir=ours / "hub")
        assert pq.read_table(again).column_names == ["text", "cluster"]
        assert not any(method == "GET" for method, _ in asked()), "huggingface_hub fetched a file of manyview's again"
        scanned = scan_cache_dir(ours / "hub")
        assert len(scanned.repos) == 2 and not scanned.warnings, scanned.warnings
        print(f"one fetch: {len(requests)} requests; scan_cache_dir: {len(scanned.repos)} repositories, no warnings")

        snapshot_download(MODEL, revision=MODEL_COMMIT, cache_dir=theirs / "hub", allow_patterns=WANTED, token=TOKEN)
        snapshot_download(CORPUS, revision=CORPUS_COMMIT, repo_type="dataset", cache_dir=theirs / "hub", token=TOKEN,
                          allow_patterns="topic/*")  # fmt: skip
        fetched = asked()
        assert manyview(folder, "fetch", HF_HOME=str(theirs), HF_HUB_OFFLINE="1")
        assert not asked()
        print(f"fetched by huggingface_hub in {len(fetched)} requests, found by manyview offline without one")
        manyview(folder, "fetch", HF_HOME=str(theirs))
        online = asked()
        assert all("/revision/" in path for _, path in online), online
        assert not any(MODEL in path for _, path in online), online
        print(f"the same online: {len(online)} request, for the list of the data set's files, and no file")

        blobs = [p for p in Path(theirs, "hub").rglob("blobs/*")]
        assert len(blobs) == len({p.name for p in blobs})
        said = [manyview(folder, "run", HF_HOME=str(home), HF_HUB_OFFLINE="1") for home in (ours, theirs)]
        assert "encoded 0 texts" not in said[0] and "encoded 0 texts" in said[1], said
        print("a run from either cache: the same fingerprint, so the second encodes nothing")


if __name__ == "__main__":
    main()
