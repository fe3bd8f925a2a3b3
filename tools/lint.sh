#!/usr/bin/env bash
# All static checks: lint.sh [--fast]. Every check runs; fails if any found something.
# shellcheck disable=SC2317  # functions are called through check
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
fast=${1:-}
failed=0

check() {
  local name=$1
  shift
  if "$@"; then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    failed=1
  fi
}

format() {
  git ls-files '*.h' '*.cpp' | grep -E '^(src|tests|bench|examples)/' |
    xargs clang-format-19 --dry-run --Werror
}

scripts() {
  git ls-files '*.sh' | xargs shellcheck dev .ci/run packaging/p{ost,re}*
}

# Unknown keys in a unit only warn: any output is a failure.
unit() {
  local folder output
  folder=$(mktemp -d)
  sed "s|/usr/bin/swarmd|/bin/true|" packaging/swarmd.service >"$folder/swarmd.service"
  output=$(systemd-analyze verify --man=no --recursive-errors=one "$folder/swarmd.service" 2>&1)
  local status=$?
  rm -rf "$folder"
  [[ -z $output && $status -eq 0 ]] || { echo "$output"; return 1; }
}

# 0 is safest; what the rest is for stands in the unit.
exposure() {
  systemd-analyze security --no-pager --offline=true --threshold=56 packaging/swarmd.service >/dev/null
}

# Of files that are joined (cmake/Unity.cmake), as most of the time goes into headers. The flags are
# those of the other compiler (Toolchain.cmake says why the second is here); the summaries of
# suppressed warnings are left out.
tidy() {
  local build=build/lint
  cmake --preset lint >/dev/null && cmake --build "$build" --target swarm_grpc >/dev/null || return
  sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$build/compile_commands.json" |
    grep -E "^$PWD/($build/)?src/" |
    xargs -P "$(nproc)" -n 1 clang-tidy-19 -p "$build" --quiet \
      --checks=-bugprone-suspicious-include \
      --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations \
      2> >(grep -vE '^\[|warnings? generated|^$' >&2)
}

check "format" format
check "architecture" python3 tests/architecture/architecture.py .
check "scripts" scripts
check "unit file" unit
check "unit exposure" exposure
[[ $fast == --fast ]] || check "clang-tidy" tidy
exit $failed
