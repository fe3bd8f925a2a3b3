#!/usr/bin/env bash
# Runs fuzzers that were built: fuzz.sh BUILD_FOLDER TARGET SECONDS. With an empty TARGET all of them
# run, one after the other; fails if any found something.
set -euo pipefail
build=${1:?usage: fuzz.sh BUILD_FOLDER TARGET SECONDS}
target=$2
seconds=$3
readonly MAX_INPUT_BYTES=16384

mkdir -p "$build/found"
status=0
for fuzzer in "$build"/tests/fuzz/fuzz_${target:-*}; do
  [[ -x $fuzzer && -f $fuzzer && $fuzzer != *_test ]] || continue
  name=${fuzzer##*/fuzz_}
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  "$fuzzer" "--seeds=$corpus"
  printf '== %s, %s s\n' "$name" "$seconds"
  if ! "$fuzzer" -max_total_time="$seconds" -max_len="$MAX_INPUT_BYTES" -timeout=10 -verbosity=0 \
      -print_final_stats=1 -artifact_prefix="$build/found/$name-" "$corpus"; then
    echo "FOUND $name: see $build/found/$name-*; run it again with $fuzzer FILE" >&2
    status=1
  fi
done
exit $status
