"""Swarms of real processes on loopback addresses, for the cluster tests and the demo.

A node is a `swarmd` with its own address, state folder and socket. Everything lives in one temporary
folder; `close` ends every process that was started from it, and no other. Whatever becomes of the test,
a janitor does the same (leftovers.py).
"""

import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from leftovers import Janitor, clear, end_processes_of, processes_of

PORT = 2377


class Failure(AssertionError):
    """A condition that did not come true in time, or a command that did not do what it should."""


def wait_until(condition, limit=30.0, what="the condition", pause=0.02):
    """Returns the first true value of `condition()`; the pause only paces the asking."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {limit:g} s")
        time.sleep(pause)


class Command:
    """What a finished swarmctl said."""

    def __init__(self, arguments, process, seconds):
        self.arguments, self.seconds = arguments, seconds
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def __str__(self):
        return (f"swarmctl {' '.join(self.arguments)} -> {self.code} after {self.seconds:.2f} s\n"
                f"{self.out}{self.err}")


class Node:
    def __init__(self, swarm, name, address, flags):
        self.swarm, self.name, self.address = swarm, name, address
        self.folder = swarm.folder / name
        self.folder.mkdir()
        self.socket = self.folder / "swarmd.sock"
        self.log = self.folder / "swarmd.log"
        self.flags = flags
        self.environment = {}  # of swarmd, beyond that of the test
        self.process = None

    def start(self):
        command = [str(self.swarm.swarmd), "--state-dir", str(self.folder / "state"),
                   "--socket", str(self.socket), *self.flags]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True,
                                            env={**os.environ, **self.environment})
        wait_until(self.answers, 20, f"swarmd of {self.name} answers on its socket")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failure(f"swarmd of {self.name} ended with {self.process.returncode}:\n"
                          f"{self.tail()}")
        return self.socket.exists() and self.ctl("version", check=False).code == 0

    def kill(self, number=signal.SIGKILL):
        """Ends swarmd alone; what it started stays."""
        self.process.send_signal(number)
        self.process.wait(30)

    def kill_host(self):
        """A power cut: swarmd, its mesh, its shims and its tasks, all at once."""
        end_processes_of(self.folder)
        self.process.wait(30)
        for container in self.swarm.containers_of(self):
            self.swarm.docker("kill", container)

    def identity(self):
        """The node id, as the state folder has it."""
        text = (self.folder / "state" / "node").read_text()
        return dict(line.split(" ", 1) for line in text.splitlines())["node"]

    def pids(self):
        return processes_of(self.folder)

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def await_ready(self, count):
        """A node takes tasks once its agent has reported, a moment after it became a member."""
        wait_until(lambda: self.ctl("node", "ls", "--format", "{{.Status}}", check=False)
                   .out.split() == ["Ready"] * count, 20, f"{count} nodes that are ready")

    def ctl(self, *arguments, check=True, limit=120, stdin=None):
        start = time.monotonic()
        try:
            process = subprocess.run(
                [str(self.swarm.swarmctl), "--host", f"unix:{self.socket}", *arguments],
                capture_output=True, text=True, timeout=limit, input=stdin)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"swarmctl {' '.join(arguments)} did not end within {limit} s: "
                          f"{error.stdout} {error.stderr}\n{self.tail()}") from error
        command = Command(arguments, process, time.monotonic() - start)
        if check and command.code != 0:
            raise Failure(f"{command}\nlog of {self.name}:\n{self.tail()}")
        return command

    def init(self):
        return self.ctl("swarm", "init", "--listen-addr", self.address, "--advertise-addr",
                        self.address)

    def join(self, manager, role="worker", check=True):
        token = manager.ctl("swarm", "join-token", "-q", role).out.strip()
        return self.ctl("swarm", "join", "--token", token, "--listen-addr", self.address,
                        "--advertise-addr", self.address, f"{manager.address}:{PORT}", check=check)

    def rows(self, *arguments):
        """Each line of `--format json`."""
        return [json.loads(line) for line in
                self.ctl(*arguments, "--format", "json").out.splitlines()]

    def tasks(self, service, state="Running"):
        """Live tasks of a service whose current state starts with `state`; nodes by their ids."""
        return [row for row in self.rows("service", "ps", "--no-trunc", "--no-resolve", service)
                if row["CurrentState"].startswith(state) and row["DesiredState"] == "Running"]

    def inspect(self, service):
        return json.loads(self.ctl("service", "inspect", service).out)[0]


class Load:
    """A client at a steady rate; see tests/load/swarm_load.cpp. `prefix` is a command that runs it,
    `folder` the one whose end is its end."""

    def __init__(self, program, targets, rate=200, prefix=(), folder=""):
        arguments = [*prefix, str(program), "--rate", str(rate)]
        for target in targets:
            arguments += ["--target", target]
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(arguments, stdout=self.output,
                                        env={**os.environ, "SWARM_TEST_FOLDER": str(folder)})

    def totals(self):
        self.output.seek(0)
        lines = self.output.read().splitlines()
        return json.loads(lines[-1]) if lines and lines[-1].endswith("}") else \
            {"sent": 0, "ok": 0, "failed": 0, "reopened": 0, "slowest_ms": 0, "bodies": {},
             "failures": {}}

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        return self.totals()

    def end(self):
        """Whatever became of the test, the client goes with it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.output.close()


class LoopbackRange:
    """Addresses of the loopback network that are one swarm's alone while it lasts.

    The kernel keeps the register: who holds a socket on the last address of a range has the range, so
    swarms of tests that run side by side never meet, whoever started them."""

    def __init__(self):
        for _ in range(1000):
            self.prefix = f"127.{random.randint(1, 250)}.{random.randint(0, 255)}."
            self.held = socket.socket()
            try:
                self.held.bind((f"{self.prefix}254", 2377))
                return
            except OSError:
                self.held.close()
        raise Failure("no range of loopback addresses is free")

    def close(self):
        self.held.close()


class Swarm:
    """A temporary folder, and the nodes in it: on `prefix`1, `prefix`2 …, by default a range of its own."""

    def __init__(self, build, runtime="process", docker_socket=None, prefix=None):
        self.build = Path(build).resolve()
        self.swarmd = self.build / "src/daemon/swarmd"
        self.swarmctl = self.build / "src/cli/swarmctl"
        self.load_program = self.build / "tests/load/swarm_load"
        self.folder = Path(tempfile.mkdtemp(prefix="swarm-"))
        self.janitor = Janitor(self.folder)
        self.runtime, self.docker_socket = runtime, docker_socket
        self.range = None if prefix else LoopbackRange()
        self.prefix = prefix or self.range.prefix
        self.nodes = []
        self.loads = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def leader(self):
        """The node that leads, as any node that answers has it."""
        def find():
            for node in self.nodes:
                listing = node.ctl("node", "ls", "--format", "json", check=False)
                for line in listing.out.splitlines() if listing.code == 0 else []:
                    row = json.loads(line)
                    if row["ManagerStatus"] == "Leader":
                        return next(n for n in self.nodes if n.identity() == row["ID"])
            return None
        return wait_until(find, 20, "a leader")

    def add(self, *flags, prepare=None, prepare_node=None):
        """Starts one more node; `prepare` gets its folder first, `prepare_node` the node."""
        number = len(self.nodes) + 1
        base = ["--runtime", self.runtime]
        if self.runtime == "process":
            base += ["--bundles", str(self.build / "bundles")]
        if self.docker_socket:
            base += ["--docker-socket", str(self.docker_socket)]
        node = Node(self, f"node{number}", f"{self.prefix}{number}", [*base, *flags])
        self.nodes.append(node)
        if prepare:
            prepare(node.folder)
        if prepare_node:
            prepare_node(node)
        return node.start()

    def docker(self, *arguments):
        return subprocess.run(["docker", "-H", f"unix://{self.docker_socket}", *arguments],
                              capture_output=True, text=True, check=False).stdout

    def containers_of(self, node):
        if self.runtime != "docker":
            return []
        try:
            label = f"label=com.swarmd.node={node.identity()}"
        except OSError:
            return []
        return self.docker("ps", "-q", "--filter", label).split()

    def load(self, *targets, rate=200, prefix=()):
        load = Load(self.load_program, targets, rate, prefix, self.folder)
        self.loads.append(load)
        return load

    def close(self):
        for load in self.loads:
            load.end()
        containers = [c for node in self.nodes for c in self.containers_of(node)]
        if os.environ.get("SWARM_KEEP"):
            end_processes_of(self.folder)
            print(f"kept: {self.folder}")
        else:
            clear(self.folder)
        wait_until(lambda: not processes_of(self.folder), 20, "the end of all processes")
        if containers:
            self.docker("rm", "-f", *containers)
        self.janitor.dismiss()
        if self.range:
            self.range.close()
