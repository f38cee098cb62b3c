"""Runs every test and writes docs/results/reliability.md: how often each fault of tests/README.md was tried, and what was lost.

    python3 docs/results/reliability.py [PYTHON]
    python3 docs/results/reliability.py --long      # what tests/README.md has for longer, to reliability-long.md

    tests/offline.sh python3 docs/results/reliability.py    # with the loopback interface alone, which is row G6

Needs Python's standard library, Rust and a C linker; all tests run, one program after the other. With the name of a Python
that has numpy, pyarrow and huggingface_hub, what these read of ours is compared as well.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/results/reliability.md"
TABLE = (ROOT / "tests/README.md").read_text()
BUILD = ["cargo", "test", "--release", "--workspace", "--locked"]
ROW = re.compile(r"^\| (\w\d+) \| (.*?) \|.*\|(.*?)\|$", re.M)
FIGURE = re.compile(r"^reliability: (\w\d+) tried=(\d+) (.*)$", re.M)
RESULT = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (\w+)", re.M)


def programs():
    """Every test program: the crate, the target, the file, and the directory it runs in."""
    done = subprocess.run([*BUILD, "--no-run", "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["profile"]["test"]:
            here = pathlib.Path(message["manifest_path"]).parent
            kind, name = message["target"]["kind"][0], message["target"]["name"]
            crate = here.name if here != ROOT else "manyview"
            if kind in ("lib", "test", "bin"):
                yield crate, name if kind == "test" else kind, message["executable"], here


def run():
    """Whether each test passed, the figures printed, and the seconds of each program."""
    passed, figures, seconds = {}, [], {}
    for crate, target, executable, here in programs():
        begin = time.monotonic()
        done = subprocess.run([executable, "--show-output"], cwd=here, capture_output=True, text=True, env=environment(here))
        seconds[f"{crate}/{target}"] = time.monotonic() - begin
        figures += FIGURE.findall(done.stdout)
        for test, result in RESULT.findall(done.stdout):
            passed[f"{crate}/{target}::{test.rsplit('::', 1)[-1]}"] = result
        failed = [test for test, result in RESULT.findall(done.stdout) if result == "FAILED"]
        print(f"{crate}/{target}: {seconds[f'{crate}/{target}']:.1f} s", *failed, done.stderr[-2000:] if failed else "")
    begin = time.monotonic()
    done = subprocess.run([*BUILD, "--doc"], cwd=ROOT, capture_output=True, text=True)
    seconds["examples in the documentation"] = time.monotonic() - begin
    passed["documentation"] = "ok" if done.returncode == 0 else "FAILED"
    return passed, figures, seconds


def long():
    """Runs the commands of the table's last section and writes what they count to a page of its own."""
    commands = re.search(r"## For longer.*?```sh\n(.*?)```", TABLE, re.S)[1].strip().splitlines()
    lines = ["# The same for longer", "", "Each line of [tests/README.md](../../tests/README.md) that sets `ROUNDS`. Written by", "",
             "```sh", "python3 docs/results/reliability.py --long", "```", "", "| row | tried | of which | minutes | command |",
             "|---|---:|---|---:|---|"]  # fmt: skip
    for command in commands:
        command, begin = command.split("  #")[0], time.monotonic()
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
        minutes = (time.monotonic() - begin) / 60
        found = FIGURE.findall(done.stdout) if done.returncode == 0 else [("", "0", "**failed**")]
        for row, n, what in found:
            print(row, n, what)
            lines.append(f"| {row} | {int(n):,} | {what} | {minutes:.1f} | `{command}` |")
        page = ROOT / "docs/results/reliability-long.md"
        page.write_text("\n".join(lines) + "\n")


def comparisons(python):
    """What the scripts of tests/python that touch a row say."""
    for row, script in (("A7", "array_files.py"), ("B3", "hub_cache.py")):
        done = subprocess.run([python, ROOT / "tests/python" / script], cwd=ROOT, capture_output=True, text=True)
        print(f"{script}: {'ok' if done.returncode == 0 else done.stderr}")
        said = done.stdout.strip().splitlines() if done.returncode == 0 else ["**failed**"]
        yield f"- {row}, `tests/python/{script}`: " + "; ".join(said)


def environment(here):
    return os.environ | {"CARGO_MANIFEST_DIR": str(here)}


def alone():
    """Whether there is no network but the loopback interface."""
    return [name for _, name in socket.if_nameindex()] == ["lo"]


def cell(tests, passed):
    """How many of the row's tests passed."""
    bad = [test for test in tests if passed.get(test) != "ok"]
    return f"{len(tests) - len(bad)} of {len(tests)}" + "".join(f", not `{test}`" for test in bad)


def page(passed, figures, seconds, compared):
    groups = dict(re.findall(r"^## (\w)\. (.*)$", TABLE, re.M))
    rows = [(row, done_wrong, re.findall(r"`(\w+/\w+::\w+)`", tests)) for row, done_wrong, tests in ROW.findall(TABLE)]
    tried = {row: [(int(n), what) for name, n, what in figures if name == row] for row, _, _ in rows}
    lost = {row: sum(passed.get(test) != "ok" for test in tests) for row, _, tests in rows}
    results = list(passed.values())
    if alone() and "FAILED" not in results:
        tried["G6"] = [(results.count("ok"), "tests, all of them, where there is no network but the loopback interface")]
    lines = [
        "# Fault injection",
        "",
        "How often each fault of [tests/README.md](../../tests/README.md) was tried, and what was lost. A test that loses a",
        "fault fails and prints no count. Written by",
        "",
        "```sh",
        f"{'tests/offline.sh ' if alone() else ''}python3 docs/results/reliability.py{' python' if compared else ''}",
        "```",
        "",
        f"{results.count('ok')} tests passed, {results.count('FAILED')} failed, in {sum(seconds.values()) / 60:.1f} minutes on "
        f"{len(os.sched_getaffinity(0))} cores that other programs may have used, without the build.",
        "",
        "| group | faults tried | survived | tests failed |",
        "|---|---:|---:|---:|",
    ]
    for group, title in groups.items():
        n = sum(n for row in tried if row[0] == group for n, _ in tried[row])
        lines.append(f"| {group}. {title} | {n:,} | {n:,} | {sum(lost[row] for row in lost if row[0] == group)} |")
    lines += ["", "| row | tried | details | tests passed |", "|---|---:|---|---|"]
    for row, _, tests in rows:
        parts = [f"{n:,} {what}" for n, what in tried[row]]
        total = f"{sum(n for n, _ in tried[row]):,}" if parts else ""
        lines.append(f"| {row} | {total} | {'; '.join(parts)} | {cell(tests, passed) if tests else '-'} |")
    if compared:
        lines += ["", "Comparison with Python:", "", *compared]
    lines += ["", "The slowest test programs, in seconds:", "", "| tests | seconds |", "|---|---:|"]
    slow = sorted(seconds.items(), key=lambda item: -item[1])[:8]
    lines += [f"| {name} | {time:.0f} |" for name, time in slow]
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] == ["--long"]:
        return long()
    figures = run()
    PAGE.write_text(page(*figures, [line for python in sys.argv[1:] for line in comparisons(python)]))
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
