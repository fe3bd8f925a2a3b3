#!/usr/bin/env python3
"""Every acknowledged write is there afterwards, and the history of all calls is linearizable.

Three managers under a write load meet every kind of fault once, in an order and at moments of chance:
killed (each kill is a power loss to the log: what was not synced is gone, or torn), stopped and woken,
with a slow disk, a failing one and a full one. SWARM_SEED=N chooses the order again,
SWARM_FAULTS=kill_all,full_disk plays only these.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from support import BUILD, SwarmTest, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lin"))
from linearizability import Call, Violation, check  # noqa: E402

SHIM = BUILD.resolve() / "tests/faults/libswarmfault.so"
SERVICES = [f"s{number}" for number in range(4)]
CLIENTS = 4
# More than were on their way when a fault began.
AFTERWARDS = CLIENTS + 2


class Load:
    """Clients that write, read and create services through any node, and remember every call."""

    def __init__(self, swarm, seed):
        self.swarm, self.seed = swarm, seed
        self.calls, self.lock, self.stopping = [], threading.Lock(), threading.Event()
        self.numbers = iter(range(1 << 30))
        self.acknowledged = 0
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True)
                        for number in range(CLIENTS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def run(self, number):
        chance = random.Random(f"{self.seed}-{number}")
        while not self.stopping.is_set():
            node = chance.choice(self.swarm.nodes)
            kind = chance.choices(("write", "read", "create"), (5, 3, 2))[0]
            if kind == "create":
                self.create(node, f"d{number}-{next(self.numbers)}", number)
            elif kind == "write":
                self.write(node, chance.choice(SERVICES), number)
            else:
                self.read(node, chance.choice(SERVICES), number)

    def ctl(self, node, *arguments):
        """The finished command; None when it did not end in time, which tells nothing."""
        try:
            return subprocess.run(
                [str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", *arguments],
                capture_output=True, text=True, timeout=3)
        except subprocess.TimeoutExpired:
            return None

    def call(self, kind, service, client, node, *arguments, value=None):
        """Runs and remembers one call. Whatever failed may have happened all the same."""
        call = Call(service, kind, value, time.monotonic(), client=f"c{client}@{node.name}")
        done = self.ctl(node, *arguments)
        end = time.monotonic()
        if done is not None and done.returncode == 0:
            call.end, call.result = end, True
        with self.lock:
            self.calls.append(call)
            if call.is_known and kind != "read":
                self.acknowledged += 1
        return call, done

    def create(self, node, service, client="main"):
        value = f"v{next(self.numbers)}"
        return self.call("create", service, client, node, "service", "create", "-d", "-q",
                         "--replicas", "0", "--label", f"v={value}", "--name", service, "web:1.0",
                         value=value)[0]

    def write(self, node, service, client):
        value = f"v{next(self.numbers)}"
        self.call("write", service, client, node, "service", "update", "-d", "-q", "--label-add",
                  f"v={value}", service, value=value)

    def read(self, node, service, client="main"):
        call, done = self.call("read", service, client, node, "service", "inspect", service)
        if call.is_known:
            found = json.loads(done.stdout)[0]
            call.result = found["Spec"]["Labels"]["v"]
            call.version = found["Version"]["Index"]
        return call

    def wait_for_writes(self, count, limit=25):
        goal = self.acknowledged + count
        wait_until(lambda: self.acknowledged >= goal, limit, f"{count} more acknowledged writes")


@unittest.skipUnless(SHIM.exists(), "the preloaded disk is not built with sanitizers")
class Durability(SwarmTest):
    def setUp(self):
        super().setUp()
        self.seed = os.environ.get("SWARM_SEED") or str(random.randrange(1 << 32))
        print(f"SWARM_SEED={self.seed}", flush=True)
        self.chance = random.Random(self.seed)

    # ---- nodes ----

    def choose_disk(self, node):
        """What the next life of the node's disk is like."""
        node.environment = {
            "LD_PRELOAD": str(SHIM),
            "SWARM_FAULT_FOLDER": str(node.folder / "state" / "raft"),
            "SWARM_FAULT_CONTROL": str(self.control_of(node)),
            "SWARM_FAULT_LOSE": self.chance.choice("0111"),
            "SWARM_FAULT_KEEP": self.chance.choice(("0", "50", "90")),
        }

    @staticmethod
    def control_of(node):
        return node.folder / "disk"

    def on_small_disk(self, folder):
        state = folder / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(state)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(state)], capture_output=True)

    def start_swarm(self):
        nodes = [self.swarm.add(prepare_node=self.choose_disk),
                 self.swarm.add(prepare_node=self.choose_disk),
                 self.swarm.add(prepare=self.on_small_disk, prepare_node=self.choose_disk)]
        nodes[0].init()
        for node in nodes[1:]:
            node.join(nodes[0], "manager")
        return nodes

    def restart(self, *nodes):
        for node in nodes:
            self.choose_disk(node)
            node.start()

    def one_of(self, leads):
        leader = self.swarm.leader()
        return leader if leads else self.chance.choice([n for n in self.swarm.nodes
                                                        if n is not leader])

    # ---- faults; each begins at a moment of chance and ends with three healthy nodes ----

    def kill_leader(self):
        node = self.one_of(leads=True)
        node.kill()
        self.load.wait_for_writes(AFTERWARDS)
        self.restart(node)

    def kill_follower(self):
        node = self.one_of(leads=False)
        node.kill()
        self.load.wait_for_writes(AFTERWARDS)
        self.restart(node)

    def kill_all(self):
        for node in self.swarm.nodes:
            node.process.send_signal(signal.SIGKILL)
        for node in self.swarm.nodes:
            node.process.wait(30)
        self.restart(*self.swarm.nodes)

    def pause_leader(self):
        self.pause(self.one_of(leads=True))

    def pause_follower(self):
        self.pause(self.one_of(leads=False))

    def pause(self, node):
        node.process.send_signal(signal.SIGSTOP)
        try:
            self.load.wait_for_writes(AFTERWARDS)
        finally:
            node.process.send_signal(signal.SIGCONT)

    def slow_disk(self):
        node = self.one_of(leads=True)
        self.control_of(node).write_text(f"delay={self.chance.randrange(50, 400)}")
        self.load.wait_for_writes(3)
        self.control_of(node).unlink()

    def failing_disk(self):
        node = self.one_of(leads=self.chance.random() < 0.5)
        self.control_of(node).write_text("eio")
        wait_until(lambda: node.process.poll() is not None, 20, "a node whose disk fails ends")
        self.assertEqual(node.process.returncode, -signal.SIGABRT)
        self.assertIn("the disk failed", node.tail(50))
        self.load.wait_for_writes(3)
        self.control_of(node).unlink()
        self.restart(node)

    def full_disk(self):
        node = self.swarm.nodes[2]
        ballast = node.folder / "state" / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        seen = node.tail(2000).count("the disk is full")

        def is_full():
            # As large as a spec may be, until what was prepared ahead is used up.
            text = str(next(self.load.numbers)) + "x" * 60_000
            self.load.ctl(self.chance.choice(self.swarm.nodes), "service", "update", "-d", "-q",
                          *(f"--env-add=A{number}={text}" for number in range(8)), "large")
            return node.tail(2000).count("the disk is full") > seen

        wait_until(is_full, 30, "the disk is full")
        self.load.wait_for_writes(3)
        ballast.unlink()
        wait_until(lambda: "the disk has room again" in node.tail(200), 20, "room on the disk")

    # ---- the test ----

    def begin_load(self):
        nodes = self.start_swarm()
        self.load = Load(self.swarm, self.seed)
        for service in SERVICES:
            self.assertTrue(self.load.create(nodes[0], service).is_known)
        self.create(nodes[0], "large", replicas=0)
        self.load.start()
        self.addCleanup(self.load.stop)

    def faults(self):
        """Every fault once, and those that take little time again."""
        chosen = os.environ.get("SWARM_FAULTS")
        if chosen:
            return [getattr(self, name) for name in chosen.split(",")]
        short = [self.kill_leader, self.kill_follower, self.kill_all, self.pause_leader,
                 self.pause_follower, self.slow_disk, self.failing_disk]
        faults = [*short, self.full_disk, *self.chance.sample(short, 5)]
        self.chance.shuffle(faults)
        return faults

    def test_acknowledged_writes_survive_every_fault_and_the_history_is_linearizable(self):
        begin = time.monotonic()
        self.begin_load()
        for fault in self.faults():
            self.load.wait_for_writes(self.chance.randrange(1, 6))
            start, before = time.monotonic(), self.load.acknowledged
            fault()
            print(f"{fault.__name__}: {time.monotonic() - start:.1f} s, "
                  f"{self.load.acknowledged - before} writes meanwhile", flush=True)
        self.load.wait_for_writes(3)
        self.load.stop()
        self.check_history()
        for node in self.swarm.nodes:
            node.kill(signal.SIGTERM)
            inspected = subprocess.run([str(self.swarm.swarmd), "raft", "inspect",
                                        str(node.folder / "state")], capture_output=True, text=True)
            self.assertEqual(inspected.returncode, 0, inspected.stdout + inspected.stderr)
        unknown = sum(not call.is_known for call in self.load.calls)
        print(f"{len(self.load.calls)} calls, {self.load.acknowledged} writes acknowledged, "
              f"{unknown} of unknown outcome, {time.monotonic() - begin:.1f} s", flush=True)

    def test_disks_that_lie_are_found_out(self):
        """The test above would see a lost write: here all disks lose what they said was synced."""
        self.begin_load()
        for node in self.swarm.nodes:
            node.kill()
        for node in self.swarm.nodes:
            self.choose_disk(node)
            node.environment.update(SWARM_FAULT_LOSE="1", SWARM_FAULT_KEEP="0")
            node.start()
        self.load.wait_for_writes(3)
        for node in self.swarm.nodes:
            self.control_of(node).write_text("lie")
        self.load.wait_for_writes(20)
        self.kill_all()
        self.load.stop()
        for node in self.swarm.nodes:
            self.control_of(node).unlink()
        with self.assertRaises(Violation):
            self.check_history()

    def check_history(self):
        for node in self.swarm.nodes:
            for service in SERVICES:
                def is_read(node=node, service=service):
                    return self.load.read(node, service).is_known
                wait_until(is_read, 20, f"{node.name} answers")
        start = time.monotonic()
        names = {row["Name"] for row in self.swarm.nodes[0].rows("service", "ls")}
        created = [call for call in self.load.calls
                   if call.kind == "create" and call.service not in SERVICES]
        for call in created:
            found = call.value if call.service in names else None
            self.load.calls.append(Call(call.service, "read", None, start, time.monotonic(), found,
                                        client="last"))
        check(self.load.calls)


if __name__ == "__main__":
    unittest.main()
