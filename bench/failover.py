#!/usr/bin/env python3
"""How long a swarm is without its leader, and without the tasks of a lost worker.

Leader: three managers; `kill -9` of the leader's swarmd, then every 10 ms a write is started on one
of the two survivors in turn. Counted is the time from the kill to the first answer that accepts a
write. Every write is a whole swarmctl process; the same write while all is well is the baseline.
The same again with SIGSTOP instead: the connections of a killed process are closed at once, those of
a machine that vanished are not, and only its silence tells.

Worker: one manager, three workers, six tasks; `kill -9` of everything on the worker that has the
most. Counted is the time until six tasks run elsewhere, as `service ps` has it.

Processes as tasks, everything on this machine.
"""

import contextlib
import itertools
import signal
import subprocess
import time

import report
from swarm import Failure, Swarm, wait_until

PROBE_PERIOD = 0.010
# More that are just starting would only compete with the election for the processors; one that has
# been waiting for longer than this costs nothing.
PROBES_STARTING = 4
STARTING = 0.100
PROBES_IN_FLIGHT = 128
PROBED_SERVICES = 8
PROBE_LIMIT = 30.0
WRITES_WHEN_WELL = 5
TASKS = 6


def milliseconds(since):
    return (time.monotonic() - since) * 1e3


class Prober:
    """Starts writes at a steady rate until one is accepted. They go round some services: two on the
    same one refuse each other only when one of them has already been accepted."""

    def __init__(self, swarm, nodes):
        self.swarm = swarm
        self.numbers = itertools.count()
        for number in range(PROBED_SERVICES):
            nodes[0].ctl("service", "create", "-d", "-q", "--replicas", "0", "--name",
                         f"probe{number}", "web:1.0")

    def start(self, node):
        number = next(self.numbers)
        return subprocess.Popen(
            [str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", "service", "update", "-d",
             "-q", "--label-add", f"probe={number}", f"probe{number % PROBED_SERVICES}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def write(self, node):
        """One write with nothing in its way: its milliseconds."""
        start = time.monotonic()
        process = self.start(node)
        error = process.communicate()[1]
        if process.returncode != 0:
            raise Failure(f"a write while all is well: {error.decode()}")
        return milliseconds(start)

    def until_accepted(self, survivors, lost):
        """Milliseconds from `lost` to the first accepted write, and what the refused ones said."""
        running, refusals = {}, []
        targets = itertools.cycle(survivors)
        next_start = time.monotonic()
        try:
            while (now := time.monotonic()) < lost + PROBE_LIMIT:
                for process in [process for process in running if process.poll() is not None]:
                    if process.returncode == 0:
                        return milliseconds(lost), refusals
                    refusals.append(process.communicate()[1].decode().strip())
                    del running[process]
                starting = sum(now - started < STARTING for started in running.values())
                if now >= next_start and starting < PROBES_STARTING and \
                        len(running) < PROBES_IN_FLIGHT:
                    running[self.start(next(targets))] = now
                    next_start = now + PROBE_PERIOD
                time.sleep(0.0005)
            raise Failure(f"no write accepted within {PROBE_LIMIT:g} s: {refusals[-3:]}")
        finally:
            for process in running:
                process.communicate()


def agree(nodes):
    """Whether all name the same leader, and say that the others answer it. One that slept and still
    thinks it leads does not."""
    views = set()
    for node in nodes:
        listing = node.ctl("node", "ls", "--format", "{{.ID}} {{.ManagerStatus}}", check=False)
        if listing.code != 0:
            return False
        views.add(tuple(sorted(listing.out.splitlines())))
    statuses = sorted(line.split()[1] for line in next(iter(views)) if " " in line.strip())
    return len(views) == 1 and statuses == ["Leader"] + ["Reachable"] * (len(nodes) - 1)


class LeaderLoss:
    """Three managers that lose their leader again and again, in either way."""

    def __init__(self, swarm):
        self.swarm = swarm
        self.nodes = [swarm.add() for _ in range(3)]
        self.nodes[0].init()
        for node in self.nodes[1:]:
            node.join(self.nodes[0], "manager")
        self.prober = Prober(swarm, self.nodes)
        self.well, self.back, self.refused = [], [], {}

    def trial(self, number):
        """Sends the leader signal `number`, and has it back at the end. Returns the milliseconds to the
        first accepted write, and to the end of the slowest that had been started before that."""
        leader = self.swarm.leader()
        survivors = [node for node in self.nodes if node is not leader]
        self.well += [self.prober.write(survivors[i % 2]) for i in range(WRITES_WHEN_WELL)]
        lost = time.monotonic()
        leader.process.send_signal(number)
        taken, refusals = self.prober.until_accepted(survivors, lost)
        slowest = milliseconds(lost)
        for text in refusals:
            self.refused[text] = self.refused.get(text, 0) + 1
        started = time.monotonic()
        if number == signal.SIGSTOP:
            leader.process.send_signal(signal.SIGCONT)
        else:
            leader.process.wait(30)
            leader.start()
        wait_until(lambda: agree(self.nodes), 60, "all three agree")
        if number == signal.SIGKILL:
            self.back.append(milliseconds(started))
        return taken, slowest


def leader_loss(build, trials):
    with Swarm(build) as swarm:
        loss = LeaderLoss(swarm)
        killed = [loss.trial(signal.SIGKILL) for _ in range(trials)]
        silent = [loss.trial(signal.SIGSTOP) for _ in range(trials)]
    report.table("Leader lost, three managers", {
        "a write, all is well": loss.well,
        "kill -9 of the leader to an accepted write": [first for first, _ in killed],
        "  to the end of every write begun meanwhile": [slowest for _, slowest in killed],
        "SIGSTOP of the leader to an accepted write": [first for first, _ in silent],
        "  to the end of every write begun while silent": [slowest for _, slowest in silent],
        "swarmd started again to all three agree": loss.back}, "a write, all is well")
    for text, count in loss.refused.items():
        print(f"  refused meanwhile, {count} x: {text}")


def worker_loss(build, trials):
    replaced = []
    with Swarm(build) as swarm:
        manager = swarm.add()
        manager.init()
        workers = [swarm.add() for _ in range(3)]
        for worker in workers:
            worker.join(manager)
        manager.ctl("service", "create", "-q", "--name", "wide", "--replicas", str(TASKS),
                    "--constraint", "node.role==worker", "--publish", "published=8081,target=80",
                    "--update-monitor", "500ms", "web:1.0")
        for _ in range(trials):
            tasks = manager.tasks("wide")
            names = {worker.identity(): worker for worker in workers}
            lost = max(names, key=lambda name: sum(task["Node"] == name for task in tasks))
            killed = time.monotonic()
            names[lost].kill_host()
            wait_until(lambda: sum(task["Node"] != lost for task in manager.tasks("wide")) == TASKS,
                       60, "replacements run")
            replaced.append(milliseconds(killed))
            names[lost].start()
            wait_until(lambda: all(row["Status"] == "Ready" for row in manager.rows("node", "ls")),
                       60, "the worker is back")
    report.table("Worker lost with its tasks, one manager and three workers",
                 {"kill -9 of all on it to replacements running": replaced})


def main():
    options = report.arguments(__doc__, trials=10, worker_trials=10)
    with contextlib.suppress(KeyboardInterrupt):
        if options.trials:
            leader_loss(options.build, options.trials)
        if options.worker_trials:
            worker_loss(options.build, options.worker_trials)


if __name__ == "__main__":
    main()
