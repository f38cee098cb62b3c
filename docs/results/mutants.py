"""Changes the code of some modules, one change at a time, and writes docs/results/mutants.md: how many the tests notice.

    python3 docs/results/mutants.py [MODULE...]         # store, key, split, checkpoint, metrics: all, if none is named
    python3 docs/results/mutants.py --page              # only writes the page, of what was run before
    MINUTES=60 python3 docs/results/mutants.py store    # as many changes, drawn at random, as are done by then

Needs cargo-mutants. What the quick tests let live meets the slow ones. Why a change that lives is none to notice stands in
tests/survivors.md.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/results/mutants.md"
REASONS = ROOT / "tests/survivors.md"
OUT = ROOT / "target/mutants"
# Of each module: its crate, its files, the test programs that concern it, and the tests that are slow.
MODULES = {
    "store": ("store", ["crates/store/src/*.rs"], ["--lib", "--test", "store"], ["a2_", "c1_what_was", "c2_", "c3_", "c6_", "c7_", "c8_"]),
    "key": ("core", ["crates/core/src/fingerprint.rs", "crates/core/src/publish/*.rs"], ["--lib"], []),
    "split": ("data", [f"crates/data/src/{name}.rs" for name in ("split", "shuffle", "grouped")], ["--lib"], []),
    "checkpoint": (
        "adapter",
        [f"crates/adapter/src/{name}.rs" for name in ("checkpoint", "state", "training")],
        ["--lib", "--test", "gradient", "--test", "training_faults"],
        ["e1_", "e4_"],
    ),
    "metrics": (
        "eval",
        [f"crates/eval/src/{name}.rs" for name in ("agreement", "contingency", "expected", "scores/*", "retrieval/*")],
        ["--lib", "--test", "golden", "--test", "retrieval", "--test", "scores"],
        [],
    ),
}  # fmt: skip
WHERE = re.compile(r"^(\S+?):\d+:\d+: (.*)$")


def mutate(crate, files, tests, skip, out, more):
    """One run of cargo-mutants; its outcomes lie in `out`."""
    package = f"manyview-{crate}"
    # Quick to build: without optimization, in a directory that keeps what the changes do not touch.
    config = f"--config=profile.release.package.{package}.opt-level=0"
    command = ["nice", "-n", "19", "cargo", "mutants", "--workspace", "--profile", "release", "--gitignore", "true"]
    command += ["--timeout", "120", "--build-timeout", "900", "--shuffle", "-o", str(out), "-p", package]
    command += [f"-C={word}" for word in [config, *tests]] + [f"-f={file}" for file in files] + more
    command += ["--", "--", *(word for test in skip for word in ("--skip", test))] if skip else []
    env = os.environ | {"CARGO_TARGET_DIR": str(OUT / "build"), "CARGO_INCREMENTAL": "1", "ROUNDS": os.environ.get("ROUNDS", "20")}
    out.mkdir(parents=True, exist_ok=True)
    running = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        code = running.wait(60 * float(minutes) if (minutes := os.environ.get("MINUTES")) else None)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGINT)
        running.wait()
        code = 0
    if code not in (0, 2, 3):  # 2: some live, 3: some ran out of time
        sys.exit(f"{out}: cargo-mutants stopped")


def run(name):
    crate, files, tests, slow = MODULES[name]
    mutate(crate, files, tests, slow, OUT / name / "quick", [])
    left = missed(OUT / name / "quick")
    if slow and left:
        mutate(crate, files, tests, [], OUT / name / "slow", [f"--re=^{re.escape(mutant)}$" for mutant in left])


def listed(out, what):
    path = out / "mutants.out" / f"{what}.txt"
    return path.read_text().splitlines() if path.exists() else []


def missed(out):
    return listed(out, "missed")


def found(name):
    """Of one module: the changes by what became of them."""
    quick, slow = OUT / name / "quick", OUT / name / "slow"
    all_of = {what: listed(quick, what) for what in ("caught", "timeout", "unviable", "missed")}
    if (slow / "mutants.out").exists():
        for what in ("caught", "timeout"):
            late = set(listed(slow, what)) & set(all_of["missed"])
            all_of[what] += sorted(late)
            all_of["missed"] = [mutant for mutant in all_of["missed"] if mutant not in late]
    return all_of


def reasons():
    """By file and change, why it lives."""
    lines = REASONS.read_text().splitlines() if REASONS.exists() else []
    return dict(line[2:].split(" — ", 1) for line in lines if line.startswith("- ") and " — " in line)


def page():
    known, lines, survivors = reasons(), [], []
    total = dict.fromkeys(("caught", "timeout", "unviable", "missed"), 0)
    for name in [name for name in MODULES if (OUT / name / "quick" / "mutants.out").exists()]:
        of, there = found(name), len(json.loads((OUT / name / "quick/mutants.out/mutants.json").read_text()))
        n = {what: len(mutants) for what, mutants in of.items()}
        total = {what: total[what] + n[what] for what in total}
        lines.append(row(name, ", ".join(MODULES[name][1]), there, n))
        survivors += [(name, mutant) for mutant in of["missed"]]
    lines.append(row("total", "", "", total))
    head = """# Mutation tests

How many code changes the tests detect. cargo-mutants makes one change at a time: a function that returns a constant,
another comparison or arithmetic operator, a removed match arm. A mutant that fails a test is caught; one that runs
for ever is a time-out; one that does not compile is unviable and not counted. Where fewer mutants were tried than
exist, `MINUTES` ran out, and they were sampled at random. Survivors that then got a test were tried again. Written by

```sh
python3 docs/results/mutants.py
```

| module | files | mutants | tried | caught | timed out | unviable | survived | killed |
|---|---|---:|---:|---:|---:|---:|---:|---:|
"""
    quick = [name for name in MODULES if MODULES[name][3] and not (OUT / name / "slow/mutants.out").exists()]
    without = [name for name in MODULES if not (OUT / name / "quick/mutants.out").exists()]
    notes = [f"Not tried yet: {', '.join(without)}."] if without else []
    notes += [f"The survivors of {name} were not tried against the slow tests." for name in quick if name not in without]
    text = head + "\n".join([*lines, "", *notes]) + "\n\n## Survivors\n\n| module | change | why |\n|---|---|---|\n"
    for name, mutant in survivors:
        file, change = WHERE.match(mutant).groups()
        why = known.get(f"{file}: {change}", "**a test is missing**")
        text += f"| {name} | `{file}`: {change.replace('|', chr(92) + '|')} | {why} |\n"
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")


def row(name, files, taken, n):
    killed, judged = n["caught"] + n["timeout"], n["caught"] + n["timeout"] + n["missed"]
    share = f"{100 * killed / judged:.1f}%" if judged else "-"
    return (
        f"| {name} | {files} | {taken} | {judged + n['unviable']} | {n['caught']} | {n['timeout']} | {n['unviable']} | "
        f"{n['missed']} | {share} |"
    )


def main():
    if sys.argv[1:] != ["--page"]:
        for name in sys.argv[1:] or MODULES:
            run(name)
    page()


if __name__ == "__main__":
    main()
