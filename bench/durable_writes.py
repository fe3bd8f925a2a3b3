#!/usr/bin/env python3
"""Durable writes a second through the public API, beside etcd on the same machine.

Three managers of each, on loopback with TLS, idle when it is not their turn. One client program drives
both (bench/write_load.cpp): N clients, each of which starts its next write when the last one was
answered; 512 bytes a write, to the leader. A write is answered when a majority has it on disk. The
systems take turns; printed are the medians of the rounds and their ratios.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from swarm import Failure, Swarm, wait_until

CLIENTS = (1, 16, 128, 1024)


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


def resident(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def main():
    options = report.arguments(__doc__, rounds=3, seconds=4)
    program = options.build / "bench/write_load"
    rows = {}
    with Swarm(options.build, prefix="127.0.30.") as swarm:
        etcd = Etcd(swarm.folder)
        try:
            targets = {"etcd": (etcd.start(), etcd.pem)}
            nodes = [swarm.add() for _ in range(3)]
            nodes[0].init()
            for node in nodes[1:]:
                node.join(nodes[0], "manager")
            targets["swarm"] = (f"{nodes[0].address}:2377", nodes[0].folder / "state" / "node.pem")
            for turn in range(options.rounds):
                for clients in CLIENTS:
                    for system in ("etcd", "swarm") if turn % 2 else ("swarm", "etcd"):
                        target, pem = targets[system]
                        result = measure(program, system, target, pem, clients, options.seconds)
                        rows.setdefault((clients, system), []).append(result)
                        print(f"  {clients:>5} {system:<6} {result}", file=sys.stderr, flush=True)
                        time.sleep(0.5)  # what is being flushed is not the next one's affair
            memory = resident(nodes[0].process.pid)
        finally:
            etcd.close()

    def median(clients, system, field):
        return statistics.median(result[field] for result in rows[clients, system])

    print(f"\nDurable writes of 512 bytes, three managers (medians of {options.rounds})")
    print(f"  {'clients':<9}{'swarm/s':>10}{'etcd/s':>10}{'ratio':>8}"
          f"{'swarm p99 ms':>14}{'etcd p99 ms':>13}{'ratio':>8}")
    for clients in CLIENTS:
        ours, theirs = (median(clients, system, "writes_per_s") for system in ("swarm", "etcd"))
        p99, other = (median(clients, system, "p99_ms") for system in ("swarm", "etcd"))
        print(f"  {clients:<9}{ours:>10.0f}{theirs:>10.0f}{ours / theirs:>8.2f}"
              f"{p99:>14.2f}{other:>13.2f}{p99 / other:>8.2f}")
    print(f"  resident memory of the swarm's leader afterwards: {memory:.0f} MiB")


if __name__ == "__main__":
    main()
