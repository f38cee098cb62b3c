#!/usr/bin/env bash
# Runs every fuzz target, or those named, for some seconds each: fuzz/run.sh [SECONDS] [TARGET...]
# Two at a time, at the lowest priority. Writes docs/results/fuzzing.md; what crashed lies in fuzz/artifacts.
# Needs cargo-fuzz and a nightly toolchain.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-600}
shift || true
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
all=$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
targets=${*:-$all}

nice -n 19 cargo +nightly fuzz build --fuzz-dir . --sanitizer none
export TMPDIR RAYON_NUM_THREADS=1
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/fuzz.XXXXXX")
trap 'rm -rf "$TMPDIR"' EXIT
mkdir -p target/logs

fuzz() {
    # Apart from each other: a process has a directory of its own for what it writes.
    mkdir -p "target/found/$1" "artifacts/$1" "$TMPDIR/$1"
    TMPDIR="$TMPDIR/$1" nice -n 19 "target/$host/release/$1" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="artifacts/$1/" "target/found/$1" "corpus/$1" > "target/logs/$1" 2>&1 ||
        echo "$1 stopped: $(grep -m1 -E 'panicked|ERROR' "target/logs/$1")"
}
export -f fuzz
export host seconds
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P 2 -I{} bash -c 'fuzz {}'

# What reached something new, made small: the shortest of it joins the corpus that the tests replay.
for target in $targets; do
    rm -rf "target/least/$target" && mkdir -p "target/least/$target"
    nice -n 19 "target/$host/release/$target" -merge=1 -timeout=5 -rss_limit_mb=2048 \
        "target/least/$target" "corpus/$target" "target/found/$target" > /dev/null 2>&1 || true
    find "target/least/$target" -type f -size -4k -printf '%s %p\n' | sort -n | head -n 48 | cut -d' ' -f2 |
        while read -r file; do cp "$file" "corpus/$target/found-$(sha1sum "$file" | cut -c1-12)"; done
done

stat() { sed -n "s/^stat::$2: *//p" "target/logs/$1"; }
{
    cat << 'END'
# Fuzzing

What each target of `fuzz/` did in its last run: executions, edges of the program reached, the most memory the process
had (libFuzzer and its sanitizer included; the limit is 2 GB), and inputs that broke a property, took over 5 seconds or
ran out of memory. Made by

```sh
END
    echo "fuzz/run.sh $seconds"
    cat << 'END'
```

which runs two targets at a time at the lowest priority. Executions a second depend on what else the machine does.

| target | seconds | executions | edges | peak MB | broken |
|---|---:|---:|---:|---:|---:|
END
    for target in $all; do
        [ -f "target/logs/$target" ] || continue
        edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "target/logs/$target" | tail -1)
        spent=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "target/logs/$target")
        broken=$(find "artifacts/$target" -type f | wc -l)
        echo "| $target | ${spent:--} | $(stat "$target" number_of_executed_units) | $edges | $(stat "$target" peak_rss_mb) | $broken |"
    done
    echo
    cat findings.md
} > ../docs/results/fuzzing.md
