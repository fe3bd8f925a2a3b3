#!/usr/bin/env python3
"""What swarmd costs while nothing happens: memory of its processes, the wall time of a command, and
the lines of code of each module.

Memory is RSS, PSS (pages shared with other processes counted in part) and what is not of a file, all
of /proc/PID/smaps_rollup, the median of samples over some seconds. Processes as tasks: an engine has
its own.
"""

import os
import statistics
import time
from pathlib import Path

import report
from swarm import Swarm, processes_of, wait_until

SAMPLES = 10
SAMPLE_PERIOD = 0.5
SETTLE = 12  # a daemon and a mesh give back what only the start needed after ten seconds
KINDS = ("Rss", "Pss", "Anonymous")


def memory(pid):
    """The columns of KINDS in MiB."""
    fields = dict(line.split(":", 1) for line in
                  Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return tuple(int(fields[name].split()[0]) / 1024 for name in KINDS)


def helper(node, word):
    """The pid of the swarmd of `node` that runs under another first word."""
    def find():
        for pid in processes_of(node.folder):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if len(words) > 1 and words[1] == word.encode():
                return pid
        return None
    return wait_until(find, 20, f"the {word} of {node.name}")


def print_memory(processes):
    time.sleep(SETTLE)
    rows = {name: tuple([] for _ in KINDS) for name in processes}
    for _ in range(SAMPLES):
        for name, pid in processes.items():
            for samples, value in zip(rows[name], memory(pid)):
                samples.append(value)
        time.sleep(SAMPLE_PERIOD)
    print(f"\nResident memory, idle (MiB, median of {SAMPLES})")
    print(f"  {'':<44}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'threads':>10}")
    for name, kinds in rows.items():
        threads = len(os.listdir(f"/proc/{processes[name]}/task"))
        print(f"  {name:<44}" + "".join(f"{statistics.median(kind):>10.1f}" for kind in kinds)
              + f"{threads:>10}", flush=True)


def wall_time(command, null):
    """Milliseconds of one whole process."""
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    return (time.perf_counter() - start) * 1e3


def print_commands(swarm, node, trials):
    ctl = [str(swarm.swarmctl), "--host", f"unix:{node.socket}"]
    commands = {"true": ["/bin/true"], "swarmctl --version": [str(swarm.swarmctl), "--version"],
                "swarmctl service ls": [*ctl, "service", "ls"],
                "swarmctl node ls": [*ctl, "node", "ls"]}
    rows = {name: [] for name in commands}
    null = os.open(os.devnull, os.O_WRONLY)
    for _ in range(trials):
        for name, command in commands.items():
            rows[name].append(wall_time(command, null))
    os.close(null)
    report.table("Wall time of a whole process", rows, "true")


def lines(paths):
    return sum(len(path.read_bytes().splitlines()) for path in paths)


def sources(folder):
    return [path for path in folder.rglob("*") if path.suffix in (".h", ".cpp")]


def print_lines():
    print("\nLines of C++ per module")
    print(f"  {'':<24}{'src':>8}{'files':>8}{'unit tests':>12}")
    total = [0, 0, 0]
    for module in sorted(path for path in (report.SOURCE / "src").iterdir() if path.is_dir()):
        code = sources(module)
        # A nested module such as mesh/proxy has its tests in mesh_proxy.
        folders = [path for path in (report.SOURCE / "tests/unit").iterdir()
                   if path.name == module.name or path.name.startswith(module.name + "_")]
        tests = [path for folder in folders for path in sources(folder)]
        numbers = [lines(code), len(code), lines(tests)]
        total = [a + b for a, b in zip(total, numbers)]
        print(f"  {module.name:<24}{numbers[0]:>8}{numbers[1]:>8}{numbers[2]:>12}")
    print(f"  {'all':<24}{total[0]:>8}{total[1]:>8}{total[2]:>12}", flush=True)


def main():
    options = report.arguments(__doc__, trials=50)
    with Swarm(options.build) as swarm:
        nodes = [swarm.add() for _ in range(4)]
        nodes[0].init()
        alone = nodes[0].process.pid
        print_memory({"swarmd, the only manager": alone})
        for node in nodes[1:3]:
            node.join(nodes[0], "manager")
        worker = nodes[3]
        worker.join(nodes[0])
        processes = {"swarmd, leader of three managers": nodes[0].process.pid,
                     "swarmd, another manager": nodes[1].process.pid,
                     "swarmd, worker": worker.process.pid, "mesh of the worker":
                     helper(worker, "mesh")}
        print_memory(processes)
        nodes[0].ctl("service", "create", "-q", "--name", "web", "--constraint",
                     "node.role==worker", "--publish", "published=8081,target=80",
                     "--update-monitor", "500ms", "web:1.0")
        print_memory({"swarmd, worker with one task": worker.process.pid,
                      "mesh of that worker": helper(worker, "mesh"),
                      "shim of the task": helper(worker, "task-shim")})
        print_commands(swarm, nodes[0], options.trials)
    print_lines()


if __name__ == "__main__":
    main()
