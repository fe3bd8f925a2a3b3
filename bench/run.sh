#!/usr/bin/env bash
# run.sh BUILD [NAME [ARGUMENT...]]: every benchmark of bench/ on a build, or one of them.
# docs/BENCHMARKS.md says what each one measures. Exits with 1 if one could not be run.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
readonly NAMES=(raft_log store durable_writes mesh_proxy footprint edge_memory failover docker_swarm)

build=${1:?usage: run.sh BUILD [${NAMES[*]}]}
shift

run_one() {
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  case $name in
    mesh_proxy | raft_log | store) "$build/bench/${name}_bench" "$@" ;;
    footprint | edge_memory | failover | docker_swarm | durable_writes) python3 "$here/$name.py" "$build" "$@" ;;
    *)
      echo "run.sh: there is no benchmark '$name'; there are: ${NAMES[*]}" >&2
      return 1
      ;;
  esac
}

if [ $# -gt 0 ]; then
  run_one "$@"
  exit
fi
failed=()
for name in "${NAMES[@]}"; do
  run_one "$name" || failed+=("$name")
done
[ ${#failed[@]} = 0 ] && exit
echo "run.sh: not run to the end: ${failed[*]}" >&2
exit 1
