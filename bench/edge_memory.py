#!/usr/bin/env python3
"""What strangers cost at the two ports that other nodes may reach.

Connections say the first six bytes of a TLS greeting and stay, or say all of it and no more: to the
swarm port of a manager, and to the port of its mesh. They come from many addresses or from one, by
client processes of their own, since each may have only so many descriptors. Every row begins with a
fresh swarm of one node that serves one task.

Before: the daemon, idle. Peak: the highest of samples taken all the while. After: some seconds after
the last stranger was turned away. The growth is that of memory that is not of a file, at the peak: RSS
has also the code that an idle process had given back and needs again. `node ls` is a whole swarmctl process on the local socket; the
baseline is the same one before the strangers came.
"""

import multiprocessing
import os
import resource
import select
import socket
import ssl
import statistics
import threading
import time
from pathlib import Path

import report
from footprint import SETTLE, helper, wall_time
from swarm import Failure, Swarm, wait_until

SIX_BYTES = 6
SAMPLE_PERIOD = 0.02
STAY = 15.0  # longer than any stranger is kept
COMMANDS_WHEN_IDLE = 20
# Descriptors that are no stranger's: those of callers of the local socket, and of a connection that
# is turned away at once.
PASSING = 16
MIB = 1024

# The bounds of src/api/client/limits.h and MeshServer::kArrivals, and what docs/ARCHITECTURE.md says
# of memory. A greeting that is not complete takes a place of those that wait. A complete one takes
# one for the handshake, at the swarm port with a second descriptor.
BOUNDS = {
    ("swarmd", "half"): {"all": 1024, "one": 128, "MiB": 55},
    ("swarmd", "whole"): {"all": 1024 + 2 * 512, "one": 128 + 2 * 64, "MiB": 55},
    ("mesh", "half"): {"all": 4096, "one": 2048, "MiB": 40},
    ("mesh", "whole"): {"all": 4096 + 256, "one": 2048 + 128, "MiB": 40},
}


def greeting():
    """What a TLS client says first."""
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise Failure("a handshake without an answer")


class Crowd:
    """The connections of one client process."""

    def __init__(self, target, words, sources):
        self.target, self.words, self.sources = target, words, sources
        self.poller = select.epoll()
        self.open, self.refused = {}, 0

    def come(self, count):
        for number in range(count):
            client = socket.socket()
            client.settimeout(5)
            try:
                client.bind((self.sources[number % len(self.sources)], 0))
                client.connect(self.target)
                client.sendall(self.words)
            except OSError:
                self.refused += 1
                client.close()
                continue
            client.setblocking(False)
            self.open[client.fileno()] = client
            self.poller.register(client, select.EPOLLIN)

    def stay(self, end):
        """Until all are turned away, or `end`."""
        while self.open and time.monotonic() < end:
            for number, _ in self.poller.poll(0.1):
                try:
                    if self.open[number].recv(65536):
                        continue  # the other side of the handshake
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                self.poller.unregister(number)
                self.open.pop(number).close()


def crowd(pipe, target, words, sources, count):
    own = Crowd(target, words, sources)
    own.come(count)
    own.stay(time.monotonic() + STAY)
    pipe.send((own.refused, len(own.open)))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def sample(pid):
    """Descriptors; KiB that are resident, and of those the ones that are not of a file."""
    fields = dict(line.split(":", 1) for line in
                  Path(f"/proc/{pid}/status").read_text().splitlines())
    return (descriptors(pid), *(int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon")))


class Watch:
    """Samples both processes on a thread of its own, and keeps the highest of each."""

    def __init__(self, pids):
        self.pids, self.is_over = pids, threading.Event()
        self.peak = {name: (0, 0, 0) for name in pids}
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over.wait(SAMPLE_PERIOD):
            for name, pid in self.pids.items():
                self.peak[name] = tuple(max(pair) for pair in zip(self.peak[name], sample(pid)))

    def end(self):
        self.is_over.set()
        self.thread.join()
        return self.peak


class Flood:
    """One row: `count` strangers from `sources` addresses at the port of `name`."""

    def __init__(self, name, port, words, count, sources):
        self.name, self.port, self.words = name, port, words
        self.count, self.sources = count, sources
        self.refused, self.stayed = 0, 0
        self.idle, self.meanwhile, self.failed = [], [], 0

    def label(self):
        many = f"{self.sources} addresses" if self.sources > 1 else "one address"
        return f"{self.count} from {many}"

    def bound(self):
        words = "half" if len(self.words) == SIX_BYTES else "whole"
        bound = BOUNDS[self.name, words]
        of_sources = bound["one"] * self.sources
        return min(bound["all"], of_sources, 2 * self.count), bound["MiB"]

    def run(self, build):
        with Swarm(build) as swarm:
            node = swarm.add()
            node.init()
            node.ctl("service", "create", "-q", "--name", "web", "--publish",
                     "published=8080,target=80", "--update-monitor", "500ms", "web:1.0")
            self.pids = {"swarmd": node.process.pid, "mesh": helper(node, "mesh")}
            self.command = [str(swarm.swarmctl), "--host", f"unix:{node.socket}", "node", "ls"]
            time.sleep(SETTLE)
            self.before = self.sample()
            self.idle = [self.ask() for _ in range(COMMANDS_WHEN_IDLE)]
            watch = Watch(self.pids)
            try:
                self.flood(swarm, node)
                wait_until(lambda: descriptors(self.pids[self.name]) <=
                           self.before[self.name][0] + PASSING, 60, "the end of the strangers")
            finally:
                self.peak = watch.end()
            time.sleep(SETTLE)
            self.after = self.sample()

    def sample(self):
        return {name: sample(pid) for name, pid in self.pids.items()}

    def ask(self):
        with open(os.devnull, "wb") as null:
            return wall_time(self.command, null.fileno())

    def flood(self, swarm, node):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        of_each = min(5000, limit - 100 if limit != resource.RLIM_INFINITY else 5000)
        addresses = [f"{swarm.prefix}{100 + number}" for number in range(self.sources)]
        ends, clients = [], []
        for first in range(0, self.count, of_each):
            end, other = multiprocessing.Pipe()
            clients.append(multiprocessing.Process(
                target=crowd, args=(other, (node.address, self.port), self.words, addresses,
                                    min(of_each, self.count - first))))
            ends.append(end)
        for client in clients:
            client.start()
        while not all(end.poll() for end in ends):
            try:
                self.meanwhile.append(self.ask())
            except RuntimeError:
                self.failed += 1
        for end, client in zip(ends, clients):
            refused, stayed = end.recv()
            self.refused += refused
            self.stayed += stayed
            client.join()


def print_row(flood, name):
    (was, memory, own), (most, at_most, at_most_own), (is_now, after, _) = (
        flood.before[name], flood.peak[name], flood.after[name])
    growth = (at_most_own - own) / MIB
    text = (f"  {flood.label() if name == flood.name else '  the ' + name + ' beside it':<28}"
            f"{was:>7}{most:>7}{is_now:>7}")
    text += f"{memory / MIB:>9.1f}{at_most / MIB:>8.1f}{after / MIB:>8.1f}{at_most / memory:>7.2f}{growth:>+8.1f}"
    if name == flood.name:
        places, mebibytes = flood.bound()
        is_met = most - was <= places + PASSING and growth <= mebibytes
        text += f"   +{places} and +{mebibytes} MiB: {'met' if is_met else 'not met'}"
    print(text)


def print_floods(title, floods):
    print(f"\n{title}")
    print(f"  {'':<28}{'descriptors':^21}{'RSS (MiB)':^32}{'own':>8}")
    print(f"  {'':<28}{'before':>7}{'peak':>7}{'after':>7}{'before':>9}{'peak':>8}{'after':>8}"
          f"{'ratio':>7}{'growth':>8}   bound")
    for flood in floods:
        for name in (flood.name, *(other for other in flood.pids if other != flood.name)):
            print_row(flood, name)
        idle, meanwhile = statistics.median(flood.idle), statistics.median(flood.meanwhile)
        print(f"    node ls: {idle:.0f} ms idle, {meanwhile:.0f} meanwhile (ratio "
              f"{meanwhile / idle:.2f}, n {len(flood.meanwhile)}, slowest "
              f"{max(flood.meanwhile):.0f}), {flood.failed} failed; strangers: {flood.refused} "
              f"refused at once, {flood.stayed} still there after {STAY:.0f} s", flush=True)


def main():
    options = report.arguments(__doc__, many=20000, few=6000, sources=60)
    whole = greeting()
    for name, port, title in (("swarmd", 2377, "Swarm port"), ("mesh", 7946, "Port of the mesh")):
        for words, what in ((whole[:SIX_BYTES], "six bytes of a greeting"),
                            (whole, "a whole greeting")):
            floods = []
            for count, sources in ((options.few, options.sources), (options.many, options.sources),
                                   (options.many, 1)):
                floods.append(Flood(name, port, words, count, sources))
                floods[-1].run(options.build)
            print_floods(f"{title}, {what}", floods)


if __name__ == "__main__":
    main()
