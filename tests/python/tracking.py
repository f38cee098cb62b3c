"""Runs an experiment against a real MLflow server, with the server up and down, and reads the result with MLflow's client.

    cargo build --release -p manyview-cli
    pip install mlflow
    python tests/python/tracking.py
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/manyview"
SETTINGS = [
    "data.limit=200", "data.label=label_area", "teacher.kind=names", "teacher.instruction=Identify the medical area",
    "encoder.max_length=16", "train.method=gradient", "train.epochs=5", "evaluate.seeds=2", "evaluate.restarts=1",
    "evaluate.resamples=50", "evaluate.latency_seconds=0", "evaluate.batch=2", "output.map_texts=50",
]  # fmt: skip


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, folder, number):
        self.uri = f"http://127.0.0.1:{number}"
        self.command = [
            pathlib.Path(sys.executable).with_name("mlflow"), "server", "--port", str(number), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts",
        ]  # fmt: skip
        self.folder, self.number = folder, number

    def __enter__(self):
        with open(f"{self.folder}/server.log", "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        for _ in range(600):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.number)) == 0:
                    return self
            time.sleep(0.2)
        raise RuntimeError("the server did not start; see server.log")

    def __exit__(self, *_):
        os.killpg(self.process.pid, 15)
        self.process.wait()


def manyview(folder, *words, env=()):
    done = subprocess.run([PROGRAM, *words], cwd=folder, env={**os.environ, **dict(env)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(uri, name):
    import mlflow

    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 1, f"{name}: {len(runs)} runs"
    (run,) = runs
    assert run.info.status == "FINISHED", run.info.status
    assert run.data.params["train.epochs"] == "5" and len(run.data.tags["encoder.fingerprint"]) == 64
    losses = client.get_metric_history(run.info.run_id, "train_loss")
    assert sorted(m.step for m in losses) == [1, 2, 3, 4, 5], [m.step for m in losses]
    assert 0 <= run.data.metrics["views.adapter.v_measure.mean"] <= 1
    top = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert {"adapter", "metrics.json", "report.html"} <= top, top
    saved = pathlib.Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="adapter", tracking_uri=uri))
    return (saved / "adapter.safetensors").read_bytes()


def check_head(folder, uri):
    """A head reaches the server as a view does: the errors of each dimension by epoch and on test texts, and its files."""
    import mlflow

    words = [("drizzle and puddles", 9, 2), ("mist and haze", 5, 1), ("heat and glare", 1, 9)]
    rows = [f"{text} on day {i},{wet},{bright}" for i in range(150) for text, wet, bright in [words[i % 3]]]
    pathlib.Path(folder, "days.csv").write_text("\n".join(["text,wet,bright", *rows]) + "\n")
    pathlib.Path(folder, "filter.toml").write_text("name = 'weather'\ndimensions = ['wet', 'bright']\n")
    settings = ["scores.filter=filter.toml", "train.method=gradient", "data.source=days.csv", "train.epochs=5"]
    manyview(folder, "run", "-q", "e.toml", "name=head", *settings, f"tracking.uri={uri}")
    manyview(folder, "track", "sync", "--uri", uri)
    client = mlflow.MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("head").experiment_id])
    assert run.info.status == "FINISHED" and run.data.tags["decision"] in ("DEPLOY", "REVIEW", "FAIL"), run
    errors = client.get_metric_history(run.info.run_id, "val_mae.wet")
    assert sorted(m.step for m in errors) == [1, 2, 3, 4, 5], errors
    metrics = json.loads(pathlib.Path(folder, "runs/head/metrics.json").read_text())
    of = {d["name"]: d["head"]["mae"]["value"] for d in metrics["dimensions"]}
    for name, mae in of.items():
        assert run.data.metrics[f"dimensions.{name}.head.mae.value"] == mae, name
    top = {f.path for f in client.list_artifacts(run.info.run_id)}
    assert {"head", "metrics.json", "predictions.csv", "report.html", "report.docx"} <= top, top


def main():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "e.toml").write_text("")
        number = port()
        adapter = lambda name: next(pathlib.Path(folder, "runs", name).glob("adapter/adapter.safetensors")).read_bytes()
        with Server(folder, number) as server:
            said = manyview(folder, "run", "-q", "e.toml", "name=up", *SETTINGS, f"tracking.uri={server.uri}")
            if "track sync" in said:
                manyview(folder, "track", "sync", "--uri", server.uri)
            assert check(server.uri, "up") == adapter("up")
            print("ok: a run reaches the server whole")
            check_head(folder, server.uri)
            print("ok: so does the run of a head")
        down = {"MLFLOW_TRACKING_URI": server.uri}
        said = manyview(folder, "run", "-q", "e.toml", "name=down", *SETTINGS, env=down)
        assert "manyview track sync" in said, said
        print("ok: a run ends as it should without its server")
        with Server(folder, number) as server:
            said = manyview(folder, "track", "sync", env=down)
            assert said.strip().endswith("0 left"), said
            assert check(server.uri, "down") == adapter("down")
            said = manyview(folder, "track", "sync", env=down)
            assert "0 events sent, 0 left" in said, said
            print("ok: what was missed is sent later, once")


if __name__ == "__main__":
    main()
