#!/usr/bin/env bash
# Runs the fuzzer that was built: fuzz.sh BUILD_FOLDER TARGET SECONDS. With an empty TARGET all of them
# have their turn, one after the other; fails if any found something.
set -euo pipefail
build=${1:?usage: fuzz.sh BUILD_FOLDER TARGET SECONDS}
target=$2
seconds=$3
fuzzer=$build/tests/fuzz/fuzzer
readonly MAX_INPUT_BYTES=16384

targets=${target:-$("$fuzzer" --list)}
mkdir -p "$build/found"
status=0
for name in $targets; do
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  "$fuzzer" "--target=$name" "--seeds=$corpus"
  printf '== %s, %s s\n' "$name" "$seconds"
  if ! "$fuzzer" "--target=$name" -max_total_time="$seconds" -max_len="$MAX_INPUT_BYTES" -timeout=10 \
      -verbosity=0 -print_final_stats=1 -artifact_prefix="$build/found/$name-" "$corpus"; then
    echo "FOUND $name: see $build/found/$name-*; run it again with" \
         "$fuzzer --target=$name FILE" >&2
    status=1
  fi
done
exit $status
