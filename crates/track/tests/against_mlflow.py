#!/usr/bin/env python3
"""Runs the example `record` against a real `mlflow server`, and asks MLflow's own client what arrived.

Takes `mlflow` from $MLFLOW or the PATH, and the client from the Python beside it:
    python3 -m venv V && V/bin/pip install mlflow Flask-WTF && MLFLOW=V/bin/mlflow crates/track/tests/against_mlflow.py
"""

import json, os, shutil, signal, socket, subprocess, sys, tempfile, time
from importlib.util import find_spec
from pathlib import Path

MLFLOW = os.environ.get("MLFLOW") or shutil.which("mlflow") or sys.exit("no mlflow: set MLFLOW or the PATH")
PYTHON = Path(MLFLOW).absolute().parent / "python"
try:
    from mlflow import MlflowClient
except ImportError:
    if sys.argv[1:] == ["again"]:
        raise
    os.execv(PYTHON, [PYTHON, __file__, "again"])

os.environ |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
PASSWORD = "canary-password-4711"
EXPERIMENT = "headlines: größe"
HERE = Path(__file__).parent.parent


def built():
    build = ["cargo", "build", "--release", "-p", "manyview-track", "--example", "record", "--message-format=json"]
    lines = subprocess.run(build, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [m["executable"] for m in map(json.loads, lines) if m.get("executable")][-1]


class Server:
    def __init__(self, home, *options):
        self.home, self.options = home, options
        home.mkdir()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        store = ["--backend-store-uri", f"sqlite:///{self.home}/mlflow.db"]
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        with open(self.home / "server.log", "a") as log:
            self.process = subprocess.Popen(
                [MLFLOW, "server", *store, *where, *self.options], cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )
        until = time.time() + 120
        while time.time() < until:
            try:
                # The first question takes a server seconds, and is not what is measured.
                return MlflowClient(self.uri).get_experiment_by_name(EXPERIMENT)
            except Exception:
                time.sleep(0.2)
        sys.exit(f"the server did not start: {(self.home / 'server.log').read_text()}")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Record:
    """The example, halted after its first half."""

    def __init__(self, dir, server):
        args = [RECORD, "run", str(dir), server.uri]
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.run = self.process.stdout.readline().split()[-1]

    def finish(self):
        out, _ = self.process.communicate("go on\n")
        assert self.process.returncode == 0, out
        return figures(out)


def sync(dir, server):
    return figures(subprocess.run([RECORD, "sync", str(dir), server.uri], check=True, stdout=subprocess.PIPE, text=True).stdout)


def complete(dir, server, record):
    """How many events the server had at the end of the run; the rest is sent by `sync`."""
    synced = record.finish()
    rest = sync(dir, server)
    assert (rest["sent"], rest["left"], rest["skipped"]) == (synced["left"], 0, 0), (synced, rest)
    return synced["sent"]


def figures(line):
    words = line.split()
    return dict(zip(words[::2], map(int, words[1::2])))


def the_run(server, run):
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id], f"tags.`manyview.run` = '{run}'")
    assert len(found) == 1, f"{len(found)} runs of one"
    return client, found[0]


def wait_for_half(server, record):
    until = time.time() + 120
    while time.time() < until:
        try:
            client, found = the_run(server, record.run)
        except (AssertionError, AttributeError):
            continue
        assert found.info.status == "RUNNING"
        if len(client.get_metric_history(found.info.run_id, "loss")) == 1250:
            return
        time.sleep(0.5)
    sys.exit("half of the run did not arrive")


def check_all(server, run, times=1):
    client, found = the_run(server, run)
    assert found.info.status == "FINISHED", found.info.status
    assert found.info.run_name == "ridge"
    assert found.info.end_time >= found.info.start_time > 0
    params = {f"views/{i}/penalty": f"1e-{i}" for i in range(150)} | {"long": "ü" * 5999 + "…"}
    assert found.data.params == params
    tags = {k: v for k, v in found.data.tags.items() if not k.startswith("mlflow.")}
    expected = {"data.hash": "cc42e8a360be", "note": "two\nlines", "manyview.run": run}
    assert tags == expected | {"manyview.metrics_not_finite": "1"}, tags
    history = client.get_metric_history(found.info.run_id, "loss")
    steps = sorted(list(range(1250)) * times + list(range(1250, 2500)))
    assert sorted(m.step for m in history) == steps, f"{len(history)} values"
    assert all(m.value == 1.0 / (m.step + 3) for m in history)
    assert [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, "nmi")] == [(2499, 0.75)]
    assert client.get_metric_history(found.info.run_id, "gap") == []
    return client, found


def check_artifacts(client, found, home):
    home.mkdir()
    there = Path(client.download_artifacts(found.info.run_id, "", str(home)))
    files = {str(p.relative_to(there)): p.read_bytes() for p in there.rglob("*") if p.is_file()}
    assert files == {"pages/größe 1/report.txt": b"the report", "empty.txt": b"", "large.bin": b"\7" * (3 << 20)}, files.keys()


def said(what):
    print("ok:", what, flush=True)


RECORD = built()
with tempfile.TemporaryDirectory() as scratch:
    scratch = Path(scratch)
    server = Server(scratch / "server")
    try:
        record = Record(scratch / "whole", server)
        sent = complete(scratch / "whole", server, record)
        client, found = check_all(server, record.run)
        check_artifacts(client, found, scratch / "got-whole")
        assert sync(scratch / "whole", server)["sent"] == 0
        check_all(server, record.run)
        said(f"a whole run: 151 params, 2501 metrics, tags, 3 artifacts, one NaN counted ({sent} of 2509 events before its end)")

        record = Record(scratch / "halved", server)
        wait_for_half(server, record)
        server.stop()
        synced = record.finish()
        assert synced["left"] > 1250, synced
        server.start()
        after = sync(scratch / "halved", server)
        assert after == {"sent": synced["left"], "left": 0, "skipped": 0}, (synced, after)
        client, found = check_all(server, record.run)
        check_artifacts(client, found, scratch / "got-halved")
        said(f"a server stopped at half: {synced['left']} events left, sent by sync, each once")

        server.stop()
        record = Record(scratch / "unseen", server)
        assert record.finish()["sent"] == 0
        server.start()
        assert sync(scratch / "unseen", server) == {"sent": 2509, "left": 0, "skipped": 0}
        check_all(server, record.run)
        said("a server never there: all 2509 events sent by sync")

        record = Record(scratch / "killed", server)
        wait_for_half(server, record)
        record.process.kill()
        record.process.communicate()
        again = Record(scratch / "killed", server)
        assert again.run == record.run
        complete(scratch / "killed", server, again)
        check_all(server, record.run, times=2)
        said("a run killed at half and run again: one run on the server, both halves of its record")

        (scratch / "whole" / "tracking.sent.json").unlink()
        sync(scratch / "whole", server)
        check_all(server, json.loads((scratch / "whole" / "tracking.jsonl").open().readline())["run"])
        said("a lost cursor: the run is found by its tag, and what is sent again is there once")
    finally:
        server.stop()

    server = Server(scratch / "beside", "--no-serve-artifacts", "--default-artifact-root", f"file://{scratch}/beside/files")
    try:
        record = Record(scratch / "local", server)
        complete(scratch / "local", server, record)
        client, found = check_all(server, record.run)
        check_artifacts(client, found, scratch / "got-local")
        said("artifacts in a directory of this machine")
    finally:
        server.stop()

    if find_spec("flask_wtf") is None:
        sys.exit("not run: a server with passwords, which takes pip install Flask-WTF")
    (scratch / "auth.ini").write_text(
        f"""[mlflow]
default_permission = READ
database_uri = sqlite:///{scratch}/auth.db
admin_username = ann
admin_password = {PASSWORD}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
    )
    os.environ |= {"MLFLOW_AUTH_CONFIG_PATH": str(scratch / "auth.ini"), "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the test"}
    os.environ |= {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    server = Server(scratch / "guarded", "--app-name", "basic-auth")
    try:
        bare, guarded = server.uri, server.uri.replace("//", f"//ann:{PASSWORD}@")
        server.uri = bare.replace("//", "//ann:wrong@")
        record = Record(scratch / "let-in", server)
        assert record.finish() == {"sent": 0, "left": 2509, "skipped": 0}
        server.uri = guarded
        assert sync(scratch / "let-in", server) == {"sent": 2509, "left": 0, "skipped": 0}
        server.uri = bare
        client, found = check_all(server, record.run)
        check_artifacts(client, found, scratch / "got-let-in")
        kept = "".join((scratch / "let-in" / f).read_text() for f in ["tracking.jsonl", "tracking.sent.json"])
        assert PASSWORD not in kept and "wrong" not in kept
        said("a server with passwords: a wrong one leaves everything to sync, the right one sends it")
    finally:
        server.stop()
