#!/usr/bin/env python3
"""The story of the README as a program: three nodes on this machine, a service, a client that asks it
at a steady rate while it is updated, rolled back, scaled and robbed of nodes.

Exits with 1 if a single request failed or a step did not come about."""

import argparse
import contextlib
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import engine  # noqa: E402
from swarm import Failure, Swarm, wait_until  # noqa: E402


class Story:
    """Runs steps, prints a line for each, and keeps the balance of the client."""

    def __init__(self):
        self.load = None
        self.sent = self.failed = 0
        self.is_terminal = sys.stdout.isatty()
        print(f"{'STEP':<58}{'SECONDS':>8}{'SENT':>8}{'FAILED':>8}", flush=True)

    def totals(self):
        return self.load.totals() if self.load else {"sent": 0, "failed": 0}

    def step(self, text, action, settle=0.0):
        """Runs `action`; with `settle` the client goes on for that long before the line is drawn."""
        before = self.totals()
        if self.is_terminal:
            print(f"{text:<58}     ...", end="\r", flush=True)
        start = time.monotonic()
        result = action()
        seconds = time.monotonic() - start
        if settle:
            asked = self.totals()["sent"]
            wait_until(lambda: self.totals()["sent"] > asked + 50 * settle, 30,
                       "the client goes on")
        after = self.totals()
        sent, failed = after["sent"] - before["sent"], after["failed"] - before["failed"]
        counts = f"{sent:>8}{failed:>8}" if self.load else f"{'-':>8}{'-':>8}"
        print(f"{text:<58}{seconds:>8.2f}{counts}", flush=True)
        return result

    def start_load(self, swarm, *targets):
        self.load = swarm.load(*targets)
        wait_until(lambda: self.load.totals()["ok"] > 20, 20, "the client gets answers")

    def stop_load(self):
        totals = self.load.stop()
        self.load = None
        self.sent += totals["sent"]
        self.failed += totals["failed"]
        answers = ", ".join(f"{body}: {count}" for body, count in sorted(totals["bodies"].items()))
        print(f"  answers: {answers}; slowest {totals['slowest_ms']:.0f} ms", flush=True)
        for reason, count in totals["failures"].items():
            print(f"  FAILED {count} x {reason}", flush=True)


def answer(node, port):
    """The version the service answers with, asked once."""
    import http.client
    connection = http.client.HTTPConnection(node.address, port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode().strip()
    finally:
        connection.close()


def expect(condition, what):
    if not condition:
        raise Failure(what)


def one_node(story, swarm):
    """Act one: one node, one replica, one host port that stays the same."""
    print("\nOne node, one replica, host port 8080")
    node = story.step("start swarmd", swarm.add)
    story.step("swarm init", node.init)
    story.step("service create web:1.0", lambda: node.ctl(
        "service", "create", "--name", "sample", "--publish",
        "mode=host,target=80,published=8080", "--replicas=1", "--update-monitor", "1s",
        "--rollback-monitor", "1s", "web:1.0"))
    expect("1.0" in answer(node, 8080), "the service does not answer with 1.0")
    story.start_load(swarm, f"{node.address}:8080")
    story.step("service update --image web:1.1", lambda: node.ctl(
        "service", "update", "--image", "web:1.1", "sample"), settle=1)
    expect("1.1" in answer(node, 8080), "the service does not answer with 1.1")
    story.step("service update --rollback (to 1.0)", lambda: node.ctl(
        "service", "update", "--rollback", "sample"), settle=1)
    expect("1.0" in answer(node, 8080), "the service does not answer with 1.0")
    story.step("service update --rollback (to 1.1 again)", lambda: node.ctl(
        "service", "update", "--rollback", "sample"), settle=1)
    expect("1.1" in answer(node, 8080), "the service does not answer with 1.1")

    def restart():
        before = {row["ID"] for row in node.tasks("sample")}
        node.kill()
        node.start()
        wait_until(lambda: {row["ID"] for row in node.tasks("sample")} == before, 20,
                   "the running task is adopted")
    story.step("kill -9 swarmd, start it: task adopted, not restarted", restart, settle=1)
    story.stop_load()
    story.step("service rm", lambda: node.ctl("service", "rm", "sample"))
    return node


def three_nodes(story, swarm, first):
    """Act two: three managers, six replicas behind every address."""
    print("\nThree nodes, six replicas, ingress port 8081")
    second = story.step("start a second node", swarm.add)
    third = story.step("start a third node", swarm.add)

    def join():
        second.join(first, "manager")
        third.join(first, "manager")
        first.await_ready(3)
    story.step("join both as managers", join)
    nodes = [first, second, third]
    story.step("service create --replicas 6 web:1.0", lambda: first.ctl(
        "service", "create", "--name", "wide", "--publish", "published=8081,target=80",
        "--replicas", "6", "--update-parallelism", "2", "--update-delay", "1s",
        "--update-monitor", "1s", "--rollback-parallelism", "2", "--rollback-monitor", "1s",
        "web:1.0"))
    spread = sorted(sum(row["Node"] == node for row in first.tasks("wide"))
                    for node in {row["Node"] for row in first.tasks("wide")})
    print(f"  spread over the nodes: {spread}")
    expect(spread == [2, 2, 2], "the replicas are not spread evenly")
    for node in nodes:
        expect("1.0" in answer(node, 8081), f"{node.name} does not answer")
    story.start_load(swarm, *(f"{node.address}:8081" for node in nodes))
    story.step("update to 1.1, two at a time, 1 s apart", lambda: first.ctl(
        "service", "update", "--image", "web:1.1", "wide"), settle=1)
    story.step("rollback to 1.0", lambda: second.ctl("service", "rollback", "wide"), settle=1)
    story.stop_load()
    leader = swarm.leader()
    others = [node for node in nodes if node is not leader]

    # A dead machine takes its own address with it, so the client now asks the other two.
    story.start_load(swarm, *(f"{node.address}:8081" for node in others))
    story.step("begin an update, then kill -9 the leader's swarmd", lambda: (
        others[0].ctl("service", "update", "-d", "--image", "web:1.1", "wide"), leader.kill()))
    story.step("the next write is accepted", lambda: wait_until(
        lambda: others[0].ctl("service", "scale", "-d", "wide=6", check=False).code == 0, 10,
        "a write without the old leader"))
    story.step("the update goes on to its end", lambda: wait_until(
        lambda: others[1].inspect("wide").get("UpdateStatus", {}).get("State") == "completed", 60,
        "the update completes"), settle=1)
    story.step("the old leader returns, its tasks adopted", lambda: (
        leader.start(), wait_until(lambda: len(others[0].tasks("wide")) == 6, 20, "six tasks")),
        settle=1)
    story.stop_load()
    victim = others[1]
    survivors = [node for node in nodes if node is not victim]
    story.start_load(swarm, *(f"{node.address}:8081" for node in survivors))
    lost = {row["ID"] for row in survivors[0].tasks("wide") if row["Node"] == victim.identity()}

    def replaced():
        tasks = survivors[0].tasks("wide")
        return len(tasks) == 6 and not lost & {row["ID"] for row in tasks}
    before = story.totals()["failed"]
    story.step("kill -9 a node with its containers: replaced elsewhere", lambda: (
        victim.kill_host(), wait_until(replaced, 30, "replacements run")))
    unplanned = story.totals()["failed"] - before
    if unplanned:
        print(f"  {unplanned} requests were inside the killed containers: nothing could save them")
        story.failed -= unplanned
    story.stop_load()


def place_of(node, service):
    """The one task of a service, and the id of the node it is on."""
    tasks = node.tasks(service)
    expect(len(tasks) == 1, f"{service} has {len(tasks)} running tasks, not one")
    return tasks[0]["ID"], tasks[0]["Node"]


def bad_version(story, swarm, nodes):
    """A version that dies soon is tried in one slot, beside the old task, and goes no further."""
    first = nodes[0]
    story.step("service create --replicas 3 web:1.0, host port 9600", lambda: first.ctl(
        "service", "create", "--name", "trial", "--replicas", "3", "--publish",
        "mode=host,target=80,published=9600", "web:1.0"))
    before = {row["ID"] for row in first.tasks("trial")}
    story.start_load(swarm, *(f"{node.address}:9600" for node in nodes))
    update = story.step("update to a version that dies after 0.5 s: paused", lambda: first.ctl(
        "service", "update", "--image", "web:crashing", "trial", check=False), settle=1)
    expect(update.code != 0 and "paused" in update.out + update.err,
           f"the update is not told as paused:\n{update}")
    expect({row["ID"] for row in first.tasks("trial")} == before, "an old task was stopped")
    print("  all three old tasks run on")
    story.stop_load()
    story.step("service rm", lambda: first.ctl("service", "rm", "trial"))


def host_port(story, swarm, nodes):
    """What clients reach at a node's own port stays at that node."""
    first = nodes[0]
    story.step("service create --replicas 1 web:1.0, host port 9601", lambda: first.ctl(
        "service", "create", "--name", "pinned", "--publish", "mode=host,target=80,published=9601",
        "--update-monitor", "1s", "web:1.0"))
    task, place = place_of(first, "pinned")
    story.start_load(swarm, *(f"{node.address}:9601" for node in nodes
                              if node.identity() == place))

    def change(*flags):
        nonlocal task
        first.ctl("service", "update", *flags, "pinned")
        last, (task, now) = task, place_of(first, "pinned")
        expect(task != last, "the task was not replaced")
        expect(now == place, "the task has moved to another node")
    story.step("update to 1.1: stays on its node", lambda: change("--image", "web:1.1"), settle=1)
    for time_of_three in ("first", "second", "third"):
        story.step(f"update --force, the {time_of_three} time: stays on its node",
                   lambda: change("--force"))
    story.stop_load()
    story.step("service rm", lambda: first.ctl("service", "rm", "pinned"))


def taken_port(story, swarm, nodes):
    """A port that another program has on one node: the service is not said to be done."""
    first, second = nodes[:2]
    with socket.create_server((second.address, 9602)):
        created = story.step("service create, port 9602 in use on node 2: told", lambda: first.ctl(
            "service", "create", "--name", "taken", "--publish", "published=9602,target=80",
            "--timeout", "5s", "web:1.0", check=False))
        expect(created.code != 0 and "9602" in created.out + created.err,
               f"that the port is in use was not told:\n{created}")
        listed = first.ctl("service", "ls").out
        expect("closed on 1 node" in listed, f"service ls does not show the closed port:\n{listed}")

    def opened():
        return "closed" not in first.ctl("service", "ls").out
    story.step("the other program ends: the port opens", lambda: wait_until(
        opened, 20, "the port is open on every node"))
    expect("1.0" in answer(second, 9602), "the service does not answer on node 2")
    story.step("service rm", lambda: first.ctl("service", "rm", "taken"))


def part_two(story, swarm):
    """Act three: what an update never does, and what is never said to be done."""
    print("\nThree nodes, ports of one node each")
    nodes = [story.step(f"start node {number}", swarm.add) for number in (1, 2, 3)]

    def gather():
        nodes[0].init()
        for node in nodes[1:]:
            node.join(nodes[0], "manager")
        nodes[0].await_ready(3)
    story.step("swarm of three managers", gather)
    bad_version(story, swarm, nodes)
    host_port(story, swarm, nodes)
    taken_port(story, swarm, nodes)


def choose_runtime(wanted, stack, build):
    """The runtime and, for Docker, the socket of the engine."""
    if wanted == "process":
        return "process", None
    if engine.can_have_one():
        print("starting a private Docker Engine")
        private = stack.enter_context(engine.Engine())
        private.import_bundles(build / "bundles")
        return "docker", private.socket
    if wanted == "docker":
        raise Failure("no Docker Engine can be had: install docker.io and run as root")
    print("no Docker Engine can be had: using plain processes")
    return "process", None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--runtime", choices=["docker", "process"])
    options = parser.parse_args()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            runtime, docker = choose_runtime(options.runtime, stack, options.build)
            print(f"runtime: {runtime}")
            swarm = stack.enter_context(Swarm(options.build, runtime, docker, "127.0.0."))
            story = Story()
            first = one_node(story, swarm)
            three_nodes(story, swarm, first)
            swarm.close()
            part_two(story, stack.enter_context(Swarm(options.build, runtime, docker, "127.0.1.")))
        except Failure as failure:
            print(f"\nThe story broke off: {failure}", file=sys.stderr)
            return 1
    print(f"\n{story.sent} requests sent, {story.failed} failed; "
          f"{time.monotonic() - started:.0f} s on {runtime}")
    return 1 if story.failed else 0


if __name__ == "__main__":
    sys.exit(main())
