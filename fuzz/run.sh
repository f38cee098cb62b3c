#!/usr/bin/env bash
# Runs every fuzz target, or those named, for some seconds each: fuzz/run.sh [SECONDS] [TARGET...]
# Two at a time, or as many as JOBS says, at the lowest priority. Writes docs/results/fuzzing.md; what crashed lies in
# fuzz/artifacts. Needs cargo-fuzz and a nightly toolchain, or in BUILT a directory of programs that are built already.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-600}
jobs=${JOBS:-2}
shift || true
export built=${BUILT:-target/$(rustc +nightly -vV | sed -n 's/^host: //p')/release}
all=$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
targets=${*:-$all}

[ -n "${BUILT:-}" ] || nice -n 19 cargo +nightly fuzz build --fuzz-dir . --sanitizer none
export TMPDIR RAYON_NUM_THREADS=1
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/fuzz.XXXXXX")
trap 'rm -rf "$TMPDIR"' EXIT
mkdir -p target/logs

fuzz() {
    # Apart from each other: a process has a directory of its own for what it writes.
    rm -rf "target/least/$1"
    mkdir -p "target/found/$1" "target/least/$1" "artifacts/$1" "$TMPDIR/$1"
    export TMPDIR="$TMPDIR/$1"
    nice -n 19 "$built/$1" \
        -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="artifacts/$1/" "target/found/$1" "corpus/$1" > "target/logs/$1" 2>&1 ||
        echo "$1 stopped: $(grep -a -m1 -E 'panicked|ERROR' "target/logs/$1")"
    # What reached something new, made small: the shortest of it joins the corpus that the tests replay.
    cp "corpus/$1"/* "target/least/$1"
    nice -n 19 "$built/$1" -merge=1 -timeout=25 -rss_limit_mb=2048 -artifact_prefix="$TMPDIR/" \
        "target/least/$1" "target/found/$1" > "target/logs/$1.merge" 2>&1 || true
    find "target/least/$1" -type f -size -4k -name '????????????????????????????????????????' -printf '%s %f\n' |
        sort -n | head -n 12 | cut -d' ' -f2 |
        while read -r name; do cp "target/least/$1/$name" "corpus/$1/found-${name:0:12}"; done
}
export -f fuzz
export seconds
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P "$jobs" -I{} bash -c 'fuzz {}'

stat() { sed -n "s/^stat::$2: *//p" "target/logs/$1"; }
{
    cat << 'END'
# Fuzzing

The last run of each target of `fuzz/`: executions, edges of the program covered, peak memory of the process (libFuzzer
included; the limit is 2 GB), and inputs that broke a property, ran out of memory, or took over 25 seconds, in which a
property reads them up to forty times. Made by

```sh
END
    [ "$jobs" = 2 ] && echo "fuzz/run.sh $seconds" || echo "JOBS=$jobs fuzz/run.sh $seconds"
    cat << 'END'
```

which runs several targets at a time at the lowest priority. Executions per second depend on the load of the machine.

END
    [ -z "${BUILT:-}" ] || printf '%s\n\n' "Built separately (\`BUILT\`), with stable Rust, with edges counted in our own crates only."
    cat << 'END'
| target | seconds | executions | edges | peak MB | broken |
|---|---:|---:|---:|---:|---:|
END
    for target in $all; do
        [ -f "target/logs/$target" ] || continue
        mkdir -p "artifacts/$target"
        edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "target/logs/$target" | tail -1)
        spent=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "target/logs/$target")
        broken=$(find "artifacts/$target" -type f | wc -l)
        echo "| $target | ${spent:--} | $(stat "$target" number_of_executed_units) | $edges | $(stat "$target" peak_rss_mb) | $broken |"
    done
    echo
    cat findings.md
} > ../docs/results/fuzzing.md
