#!/bin/bash
# with_engine.sh BUNDLES PROGRAM [ARGUMENT...]
#
# Runs PROGRAM against a Docker Engine of its own: starts dockerd in a fresh folder with a bridge of
# its own, imports the sample images of BUNDLES, runs PROGRAM with
#   SWARM_ENGINE_SOCKET   the engine's socket
#   SWARM_ENGINE_CONTROL  this script: `$SWARM_ENGINE_CONTROL restart` restarts the engine
# and takes everything down again. Ends as PROGRAM does. Without dockerd or without root, PROGRAM is
# run with an empty SWARM_ENGINE_SOCKET: it says loudly what it skips.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

start_engine() {
  setsid dockerd --data-root "$SWARM_ENGINE_DIR/data" --exec-root "$SWARM_ENGINE_DIR/exec" \
    -H "unix://$SWARM_ENGINE_DIR/docker.sock" --pidfile "$SWARM_ENGINE_DIR/pid" \
    --bridge "$SWARM_ENGINE_BRIDGE" --iptables=false --ip-forward=false --ip-masq=false \
    </dev/null >>"$SWARM_ENGINE_DIR/log" 2>&1 7>&- 8>&- 9>&- &
  for _ in $(seq 600); do
    curl -sf --unix-socket "$SWARM_ENGINE_DIR/docker.sock" http://engine/_ping >/dev/null 2>&1 &&
      return 0
    sleep 0.05
  done
  echo "with_engine.sh: dockerd did not start:" >&2
  tail -20 "$SWARM_ENGINE_DIR/log" >&2
  return 1
}

stop_engine() {
  local pid
  pid=$(cat "$SWARM_ENGINE_DIR/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null
  for _ in $(seq 600); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null
}

# An address range that no interface has yet.
make_bridge() {
  for i in $(seq 0 255); do
    local net=172.30.$(((BASHPID + i) % 256))
    if ! ip -4 addr | grep -q "inet $net\." &&
      ip link add "$SWARM_ENGINE_BRIDGE" type bridge 2>/dev/null; then
      ip addr add "$net.1/24" dev "$SWARM_ENGINE_BRIDGE" && ip link set "$SWARM_ENGINE_BRIDGE" up
      return
    fi
  done
  return 1
}

# busybox:test, with a shell and the usual tools.
import_busybox() {
  local root=$SWARM_ENGINE_DIR/busybox
  mkdir -p "$root/bin" && cp "$(command -v busybox)" "$root/bin/busybox" &&
    for tool in sh sleep tail touch; do ln -s busybox "$root/bin/$tool"; done &&
    tar -C "$root" -c . | docker import - busybox:test >/dev/null
}

take_down() {
  stop_engine
  ip link del "$SWARM_ENGINE_BRIDGE" 2>/dev/null
  grep -o " $SWARM_ENGINE_DIR/[^ ]*" /proc/mounts | sort -r | xargs -r -n1 umount -l 2>/dev/null
  rm -rf "$SWARM_ENGINE_DIR"
  echo "done" >&7
}

if [ "${1:-}" = restart ]; then
  stop_engine
  start_engine
  exit
fi

bundles=${1:?usage: with_engine.sh BUNDLES PROGRAM [ARGUMENT...]}
shift
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null ||
  ! command -v busybox >/dev/null || [ "$(id -u)" != 0 ]; then
  SWARM_ENGINE_SOCKET="" exec "$@"
fi
SWARM_ENGINE_DIR=$(mktemp -d /tmp/swarm-engine.XXXXXX)
SWARM_ENGINE_BRIDGE=sweng${BASHPID}
SWARM_ENGINE_BRIDGE=${SWARM_ENGINE_BRIDGE:0:15}
export SWARM_ENGINE_DIR SWARM_ENGINE_BRIDGE
export SWARM_ENGINE_SOCKET=$SWARM_ENGINE_DIR/docker.sock
export SWARM_ENGINE_CONTROL=$here/with_engine.sh
export DOCKER_HOST=unix://$SWARM_ENGINE_SOCKET
# Clears up should this script be killed: descriptor 7 is its alone.
exec 7> >(exec setsid python3 "$here/../support/leftovers.py")
printf '%s\n%s\n' "$SWARM_ENGINE_DIR" "$SWARM_ENGINE_BRIDGE" >&7
trap take_down EXIT
make_bridge && start_engine && "$here/../../examples/import.sh" "$bundles" >/dev/null &&
  import_busybox || exit 1
"$@" 7>&-
