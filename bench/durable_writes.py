#!/usr/bin/env python3
"""Durable writes a second through the public API, beside etcd on the same machine.

Three managers of each, on loopback with TLS, idle when it is not their turn. One client program drives
both (bench/write_load.cpp): N clients, each of which starts its next write when the last one was
answered; 512 bytes a write, to the leader, over at most 16 connections. A write is answered when a
majority has it on disk. The systems take turns; printed are the medians of the rounds and their
ratios.

Beside them: the same calls to a method that does nothing, which no system with a call for each write
can surpass on this machine; what one write of as many bytes into a file and its fdatasync take; and
what the leader holds in memory afterwards against the size of the state it holds (that of a backup).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from swarm import Failure, Swarm, wait_until

CLIENTS = (1, 16, 128, 1024)
BYTES = 512
SYNCS = 200


class Etcd:
    """Three members, with a certificate authority of their own."""

    def __init__(self, folder):
        self.folder = folder / "etcd"
        self.folder.mkdir()
        self.pem = self.folder / "client.pem"
        self.processes = []

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        self.openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca")
        self.openssl("req", *key, "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=node")
        names = ",".join(f"IP:127.0.31.{i}" for i in (1, 2, 3))
        names += ",IP:127.0.0.1"  # where the others connect from
        (self.folder / "names").write_text(
            f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "node.crt")
        self.pem.write_text("".join((self.folder / name).read_text()
                                    for name in ("node.key", "node.crt", "ca.crt")))

    def start(self):
        self.make_certificates()
        members = ",".join(f"m{i}=https://127.0.31.{i}:2380" for i in (1, 2, 3))
        tls = [f"--{prefix}{name}={self.folder / file}" for prefix in ("", "peer-")
               for name, file in (("cert-file", "node.crt"), ("key-file", "node.key"),
                                  ("trusted-ca-file", "ca.crt"))]
        for i in (1, 2, 3):
            client, peer = f"https://127.0.31.{i}:2379", f"https://127.0.31.{i}:2380"
            self.processes.append(subprocess.Popen(
                ["etcd", "--name", f"m{i}", "--data-dir", self.folder / f"m{i}",
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", members, "--client-cert-auth", "--peer-client-cert-auth",
                 "--quota-backend-bytes", str(8 << 30), "--log-level", "error", *tls],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return wait_until(self.leader, 30, "a leader of etcd")

    def leader(self):
        """The client address of the member that leads."""
        for i in (1, 2, 3):
            process = subprocess.run(
                ["curl", "-sf", "--max-time", "2", "--cacert", "ca.crt", "--cert", "node.crt",
                 "--key", "node.key", f"https://127.0.31.{i}:2379/metrics"],
                cwd=self.folder, capture_output=True, text=True, check=False)
            if "\netcd_server_is_leader 1\n" in process.stdout:
                return f"127.0.31.{i}:2379"
        return None

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait(10)


def measure(program, system, target, pem, clients, seconds):
    process = subprocess.run(
        [program, "--system", system, "--target", target, "--pem", pem, "--clients", str(clients),
         "--seconds", str(seconds)], capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise Failure(f"{system} with {clients} clients: {process.stdout} {process.stderr}")
    return json.loads(process.stdout)


def memory(pid, field):
    """VmRSS, or VmHWM for its highest value so far; MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise Failure(f"no {field} of process {pid}")


def sync_time(folder):
    """Median milliseconds of a write into a file that has its room already, and fdatasync."""
    times = []
    file = os.open(folder / "synced", os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(file, bytes(SYNCS * BYTES), 0)
        os.fsync(file)
        for number in range(SYNCS):
            start = time.perf_counter()
            os.pwrite(file, b"x" * BYTES, number * BYTES)
            os.fdatasync(file)
            times.append((time.perf_counter() - start) * 1e3)
    finally:
        os.close(file)
    return statistics.median(times)


def print_memory(leader, folder):
    resident, peak = memory(leader.process.pid, "VmRSS"), memory(leader.process.pid, "VmHWM")
    backup = folder / "backup"
    leader.ctl("swarm", "backup", str(backup))
    state = backup.stat().st_size / (1 << 20)
    print(f"  memory of the swarm's leader: {resident:.0f} MiB resident, {peak:.0f} at most; it holds "
          f"{state:.1f} MiB of state; 64 + 2 x state = {64 + 2 * state:.0f} MiB")


def print_table(rows, rounds):
    print(f"\nDurable writes of {BYTES} bytes, three managers (medians of {rounds})")
    print(f"  {'clients':<8}" + "".join(f"{f'swarm {name}':>15}{f'etcd {name}':>14}{'ratio':>7}"
                                        for name in ("writes/s", "p50 ms", "p99 ms")))
    for clients in CLIENTS:
        row = f"  {clients:<8}"
        for field in ("writes_per_s", "p50_ms", "p99_ms"):
            ours, theirs = (statistics.median(result[field] for result in rows[clients, system])
                            for system in ("swarm", "etcd"))
            row += f"{ours:>15.2f}{theirs:>14.2f}{ours / theirs:>7.2f}"
        print(row)
    for clients in CLIENTS:
        calls, theirs = (statistics.median(result["writes_per_s"] for result in rows[clients, system])
                         for system in ("nothing", "etcd"))
        print(f"  {clients:<5} calls that do nothing: {calls:.0f}/s, {calls / theirs:.2f} times the "
              "writes of etcd")


def main():
    options = report.arguments(__doc__, rounds=3, seconds=4)
    program = options.build / "bench/write_load"
    rows = {}
    with Swarm(options.build) as swarm:
        etcd = Etcd(swarm.folder)
        try:
            targets = {"etcd": (etcd.start(), etcd.pem)}
            nodes = [swarm.add() for _ in range(3)]
            nodes[0].init()
            for node in nodes[1:]:
                node.join(nodes[0], "manager")
            targets["swarm"] = (f"{nodes[0].address}:2377", nodes[0].folder / "state" / "node.pem")
            targets["nothing"] = targets["swarm"]
            for turn in range(options.rounds):
                for clients in CLIENTS:
                    order = ("swarm", "etcd", "nothing")
                    for system in reversed(order) if turn % 2 else order:
                        target, pem = targets[system]
                        result = measure(program, system, target, pem, clients, options.seconds)
                        rows.setdefault((clients, system), []).append(result)
                        print(f"  {clients:>5} {system:<7} {result}", file=sys.stderr, flush=True)
                        time.sleep(0.5)  # what is being flushed is not the next one's affair
            sync = sync_time(swarm.folder)
            print_table(rows, options.rounds)
            print(f"  a write of {BYTES} bytes and fdatasync: {sync:.2f} ms")
            print_memory(nodes[0], swarm.folder)
        finally:
            etcd.close()


if __name__ == "__main__":
    main()
