"""What tests leave behind, and how to take it away: processes, mounts, control groups, a folder.

Everything that a test starts belongs to one temporary folder. A test that ends as it should clears it
itself. For one that does not, be it by Ctrl-C, SIGTERM or kill -9, a `Janitor` waits: a process of its
own at the other end of a pipe, which clears up when the pipe breaks.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CLEAR_LIMIT = 20


def marks_of(folder):
    """What the tasks of nodes in `folder` carry in their environment, and how their groups are named."""
    marks = []
    for record in Path(folder).glob("*/state/tasks/*/task.json"):
        try:
            marks.append(json.loads(record.read_text())["mark"])
        except (OSError, ValueError, KeyError):
            continue
    return [mark for mark in marks if mark]


def processes_of(folder):
    """Pids of the processes whose command line or environment names `folder` or a task in it, and of
    what they started."""
    markers = [str(folder).encode()]
    markers += [f"SWARM_TASK_MARK={mark}".encode() for mark in marks_of(folder)]
    found, children = set(), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state in "ZX":
            continue
        children.setdefault(int(parent), []).append(int(entry.name))
        if any(marker in text for marker in markers):
            found.add(int(entry.name))
    left = list(found)
    while left:
        for child in children.get(left.pop(), []):
            if child not in found:
                found.add(child)
                left.append(child)
    return sorted(found)


def end_processes_of(folder):
    """Kills them, stopped first, so that none starts another one meanwhile."""
    for send in (signal.SIGSTOP, signal.SIGKILL):
        for pid in processes_of(folder):
            try:
                os.kill(pid, send)
            except ProcessLookupError:
                pass


def mounts_below(folder):
    """The innermost first."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = line.split(" ")[1].replace("\\040", " ")
        if place == str(folder) or place.startswith(f"{folder}/"):
            found.append(place)
    return sorted(found, reverse=True)


def groups_of(folder):
    """Control groups of the folder's tasks and containers, and those named after the folder."""
    names = [f"swarmd/{mark}" for mark in marks_of(folder)]
    names += [f"docker/{path.name}" for path in Path(folder).glob("data/containers/*")]
    names.append(Path(folder).name)
    found = []
    for root in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")]:
        found += [root / name for name in names if (root / name).is_dir()]
    return found


def remove_group(group):
    """With all groups below it, once they are empty."""
    for path, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            pass
    return not group.is_dir()


def clear(folder):
    """Ends every process of the folder and removes what it has; the folder last."""
    end = time.monotonic() + CLEAR_LIMIT
    while time.monotonic() < end:
        end_processes_of(folder)
        if not processes_of(folder) and all([remove_group(group) for group in groups_of(folder)]):
            break
        time.sleep(0.02)
    for place in mounts_below(folder):
        subprocess.run(["umount", "-l", place], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


class Janitor:
    """Clears `folder` if this process ends without having called `dismiss`; `bridge` is a network
    interface that goes with it."""

    def __init__(self, folder, bridge=""):
        self.process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, text=True)
        # Not in its command line: it would take itself for one of the folder's processes.
        self.process.stdin.write(f"{folder}\n{bridge}\n")
        self.process.stdin.flush()

    def dismiss(self):
        if self.process.poll() is None:
            self.process.communicate("done\n", timeout=CLEAR_LIMIT)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, bridge, *rest = [*sys.stdin.read().split("\n"), "", ""]
    if "done" in rest or not folder or os.environ.get("SWARM_KEEP"):
        return
    clear(folder)
    if bridge:
        subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)


if __name__ == "__main__":
    main()
