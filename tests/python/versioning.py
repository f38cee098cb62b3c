"""Runs configs/dvc with the real DVC: stages, metrics, plots, what a change repeats, and a push to another clone.

    cargo build --release -p manyview-cli
    pip install dvc
    python tests/python/versioning.py
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = [ROOT / "target/release", pathlib.Path(sys.executable).parent]
RUN = pathlib.Path("runs/areas")
STAGES = ["download", "preprocess", "train", "evaluate"]
SCORES = ["v_measure.base", "v_measure.adapter", "v_measure.teacher", "gain", "gain_low", "gain_high", "cosine", "knn_overlap"]


def call(folder, *words):
    paths = [*map(str, TOOLS), os.environ["PATH"]]
    alone = {"PATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "DVC_NO_ANALYTICS": "1", "NO_COLOR": "1"}
    env = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"} | alone
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}"
    return done.stdout


def dvc(folder, *words):
    return call(folder, "dvc", *words)


def git(folder, *words):
    return call(folder, "git", "-c", "user.name=Test", "-c", "user.email=test@localhost", *words)


def repro(folder):
    """The stages that ran."""
    return re.findall(r"Running stage '(\w+)'", dvc(folder, "repro"))


def clean(folder):
    return json.loads(dvc(folder, "status", "--json")) == {}


def change(folder, key, old, new):
    path = pathlib.Path(folder, "params.toml")
    text = path.read_text()
    assert text.count(f"{key} = {old}") == 1, f"{key} = {old}"
    path.write_text(text.replace(f"{key} = {old}", f"{key} = {new}"))


def files(folder):
    """Every file that DVC or git keeps, with its bytes."""
    kept = [p for top in ["runs", "store"] for p in pathlib.Path(folder, top).rglob("*") if p.is_file()]
    own = {".lock", "experiment.toml"}
    kept = [p for p in kept if p.name not in own and "tracking" not in p.parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in kept}


def parts(folder):
    """The files of vectors in the store, each named by its content."""
    return {path.name for path in pathlib.Path(folder, "store").rglob("part-*.parquet")}


def scores(folder):
    """What `dvc metrics show` prints, by the names of its columns."""
    head, line = dvc(folder, "metrics", "show", "--md").strip().splitlines()[::2]
    cells = lambda row: [cell.strip() for cell in row.strip("|").split("|")]
    return dict(zip(cells(head), cells(line)))


def curve(folder):
    """The penalties and cosines that `dvc plots show` draws, and the page it makes."""
    shown = json.loads(dvc(folder, "plots", "show", "--json"))
    assert not shown.get("errors"), shown["errors"]
    (plot,) = shown["data"]["Penalties tried"]
    content = plot["content"] if isinstance(plot["content"], dict) else json.loads(plot["content"])
    assert content["encoding"]["x"]["field"] == "log10_lambda", content["encoding"]
    points = [(float(p["lambda"]), float(p["leave_one_out_cosine"])) for p in content["data"]["values"]]
    page = pathlib.Path(dvc(folder, "plots", "show").strip().removeprefix("file://"))
    assert "log10_lambda" in page.read_text() and "Penalties tried" in page.read_text()
    return points


def stages(project):
    assert repro(project) == STAGES
    for name in ["fetched.txt", "vectors.txt"]:
        assert str(project) not in pathlib.Path(project, name).read_text(), name
    assert clean(project) and repro(project) == []
    git(project, "add", "--all")
    git(project, "commit", "-qm", "first")
    committed = git(project, "ls-files").split()
    unwanted = [name for name in committed if re.search(r"\.lock$|tracking|experiment\.toml|safetensors|parquet", name)]
    assert not [name for name in unwanted if name != "dvc.lock"], unwanted
    assert clean(project) and git(project, "status", "--porcelain") == ""
    print("ok: every stage runs once, in order, and a second time none")


def shows(project):
    shown = scores(project)
    assert shown.pop("Path") == str(RUN / "scores.json") and set(SCORES) <= set(shown) and len(shown) <= 10, shown
    whole = json.loads((project / RUN / "metrics.json").read_text())
    assert abs(float(shown["v_measure.adapter"]) - whole["views"]["adapter"]["v_measure"]["mean"]) < 1e-5, shown
    assert float(shown["gain_low"]) < float(shown["gain"]) < float(shown["gain_high"]), shown
    print(f"ok: metrics show {len(shown)} figures")
    fit = json.loads((project / RUN / "fit.json").read_text())["metrics"]
    points = curve(project)
    assert len(points) == 9 and max(points, key=lambda p: p[1])[0] == fit["lambda"], (points, fit)
    print(f"ok: plots show {len(points)} penalties, the best of them the one chosen")


def changes(project):
    before = parts(project)
    change(project, "lambdas", "[0.001, ", "[0.002, ")
    assert repro(project) == ["train", "evaluate"] and parts(project) == before
    assert curve(project)[0][0] == 0.002 and clean(project)
    compared = dvc(project, "plots", "diff", "HEAD", "--json")
    assert {p["rev"] for p in json.loads(compared)["data"]["Penalties tried"][0]["content"]["data"]["values"]} == {"HEAD", "workspace"}
    print("ok: train.lambdas repeats train and evaluate, and nothing is encoded")
    change(project, "instruction", '"Identify the medical area', '"Name the medical area')
    assert repro(project) == ["train", "evaluate"] and clean(project)
    print("ok: teacher.instruction repeats train and evaluate")
    change(project, "resamples", "1000", "500")
    assert repro(project) == ["evaluate"] and clean(project)
    print("ok: evaluate.resamples repeats evaluate")
    change(project, "seed", "42", "7")
    assert repro(project) == ["preprocess", "train", "evaluate"] and clean(project)
    assert parts(project) > before
    assert scores(project)["v_measure.base"] != json.loads(git(project, "show", f"HEAD:{RUN}/scores.json"))["v_measure"]["base"]
    listed = json.loads(dvc(project, "metrics", "diff", "--json"))[str(RUN / "scores.json")]
    assert {"old", "new", "diff"} <= set(listed["v_measure.base"]), listed
    print("ok: data.seed repeats all but the download, and keeps the vectors that were there")


def sharing(project, folder):
    dvc(project, "remote", "add", "--default", "shared", str(folder / "remote"))
    git(project, "add", "--all")
    git(project, "commit", "-qm", "another seed")
    dvc(project, "push")
    clone = folder / "clone"
    git(folder, "clone", "-q", str(project), str(clone))
    dvc(clone, "pull")
    mine, theirs = files(project), files(clone)
    assert str(RUN / "adapter/adapter.safetensors") in theirs and any(name.endswith(".parquet") for name in theirs)
    assert mine == theirs, sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    assert clean(clone) and repro(clone) == []
    print(f"ok: a pull into another clone gives the same bytes, {len(theirs)} files")
    call(clone, "manyview", "export", str(RUN), "--to", "npy", "npy")
    change(clone, "lambdas", "[0.002, ", "[0.001, ")
    said = dvc(clone, "repro")
    assert re.findall(r"Running stage '(\w+)'", said) == ["train", "evaluate"] and "encoded 0 texts" in said, said
    print("ok: the clone goes on from the vectors it pulled")


def earlier(project, first):
    now = files(project)
    git(project, "checkout", "-q", "HEAD~1")
    dvc(project, "checkout")
    assert files(project) == first and first != now and clean(project) and repro(project) == []
    git(project, "checkout", "-q", "-")
    dvc(project, "checkout")
    assert files(project) == now and clean(project)
    print("ok: an earlier commit has its adapter, vectors and scores back")


def own_file(project):
    """A corpus beside params.toml, and training by gradient with the plot that dvc.yaml has commented out."""
    rows = [(f"{'wet storm puddle' if i % 2 else 'bright heat beach'} {i}", "rain" if i % 2 else "sun") for i in range(60)]
    write = lambda: (project / "my.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    write()
    for key, old, new in [("source", '"medquad"', '"my.csv"'), ("label", '"label_area"', '"label"')]:
        change(project, key, old, new)
    change(project, "method", '"ridge"', '"gradient"\nepochs = 5')
    steps = (project / "dvc.yaml").read_text()
    steps = steps.replace("--hashes > fetched.txt\n", "--hashes > fetched.txt\n    deps:\n      - my.csv\n", 1)
    head, ridge, gradient = re.split(r"^  - Penalties tried:\n|^  # With .*\n", steps, flags=re.M)
    assert "log10_lambda" in ridge
    (project / "dvc.yaml").write_text(head + gradient.replace("  # ", "  "))
    assert repro(project) == STAGES and clean(project)
    shown = json.loads(dvc(project, "plots", "show", "--json"))
    assert not shown.get("errors"), shown["errors"]
    values = shown["data"]["Epochs"][0]["content"]["data"]["values"]
    assert len(values) == 10 and {int(value["epoch"]) for value in values} == {1, 2, 3, 4, 5}, values
    print("ok: a file of one's own, trained by gradient, with a plot of its epochs")
    encoded = parts(project)
    rows[0] = (rows[0][0], "rain")
    write()
    assert repro(project) == STAGES and parts(project) == encoded
    print("ok: a changed label repeats every stage, though its text is not encoded again")


def copy(folder, name):
    project = folder / name
    shutil.copytree(ROOT / "configs/dvc", project)
    git(project, "init", "-q")
    dvc(project, "init", "-q")
    return project


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        project = copy(folder, "project")
        stages(project)
        first = files(project)
        shows(project)
        changes(project)
        sharing(project, folder)
        earlier(project, first)
        own_file(copy(folder, "own"))


if __name__ == "__main__":
    main()
