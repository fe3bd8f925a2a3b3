#!/usr/bin/env python3
"""Side by side with Docker's own swarm mode, on one engine: `service create --replicas 20` until all
serve, and `service update --image` until all serve the new version.

Both have the same engine, image, update order, parallelism, delay and monitor, no published ports
(Docker's ingress needs IPVS, which not every machine has), one node, and take turns in who begins.
Neither is asked by its own words whether it is done: one observer lists the containers through the
engine's API and asks each over HTTP. Done is when exactly the wanted number of containers runs, all
with the wanted image, and each has answered with its version.

Everything is in a network namespace of its own, where no registry can be asked and no address is
taken. Needs root, and docker.io.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse

import report
from engine import Engine, can_have_one
from swarm import Failure, Swarm, wait_until

SERVICE = "bench"
LIMIT = 300
IN_NAMESPACE = "SWARM_BENCH_NAMESPACE"


class EngineApi:
    """One kept connection to the engine's HTTP API."""

    def __init__(self, path):
        self.connection = http.client.HTTPConnection("engine")
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(str(path))

    def running(self, label):
        query = urllib.parse.urlencode({"filters": json.dumps(
            {"label": [f"{label}={SERVICE}"], "status": ["running"]})})
        self.connection.request("GET", f"/v1.40/containers/json?{query}")
        return json.loads(self.connection.getresponse().read())


class Side:
    """One of the two: how it is told, and how its containers are known."""

    def __init__(self, name, label, tell, api):
        self.name, self.label, self.tell, self.api = name, label, tell, api
        self.answered = set()

    def answers(self, container, text):
        """Whether the container serves `text`; each is asked until it does, then no more."""
        if container["Id"] in self.answered:
            return True
        addresses = [network["IPAddress"]
                     for network in container["NetworkSettings"]["Networks"].values()
                     if network["IPAddress"]]
        if not addresses:
            return False
        connection = http.client.HTTPConnection(addresses[0], 80, timeout=1)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            if connection.getresponse().read().decode().strip() != text:
                return False
        except OSError:
            return False
        finally:
            connection.close()
        self.answered.add(container["Id"])
        return True

    def seconds(self, tag, count, *arguments):
        """Of a command, from its start until `count` containers of web:`tag` serve."""
        def all_serve():
            containers = self.api.running(self.label)
            wanted = [c for c in containers if c["Image"].split("@")[0] == f"web:{tag}"]
            serving = [c for c in wanted if self.answers(c, f"web {tag}")]
            return len(containers) == count == len(serving)
        start = time.monotonic()
        self.tell(*arguments)
        wait_until(all_serve, LIMIT, f"{self.name}: {count} x web:{tag} serve")
        return time.monotonic() - start

    def remove(self):
        self.tell("service", "rm", SERVICE)
        wait_until(lambda: not self.api.running(self.label), LIMIT, f"{self.name}: all removed")


def rounds(sides, options):
    count = options.replicas
    policy = ["--update-parallelism", str(options.parallelism), "--update-delay", options.delay,
              "--update-monitor", options.monitor, "--update-order", options.order]
    create = {side.name: [] for side in sides}
    update = {side.name: [] for side in sides}
    for turn in range(options.rounds):
        for side in sides if turn % 2 == 0 else sides[::-1]:
            extra = ["--no-resolve-image"] if side.name == "docker swarm mode" else []
            create[side.name].append(side.seconds(
                "1.0", count, "service", "create", "-d", *extra, "--name", SERVICE, "--replicas",
                str(count), *policy, "web:1.0"))
            update[side.name].append(side.seconds(
                "1.1", count, "service", "update", "-d", *extra, "--image", "web:1.1", SERVICE))
            print(f"  round {turn + 1}, {side.name}: create {create[side.name][-1]:.2f} s, "
                  f"update {update[side.name][-1]:.2f} s", flush=True)
            side.remove()
    report.table(f"service create --replicas {count}, until all serve", create,
                 "docker swarm mode", "s")
    report.table(f"service update of them ({options.order}, parallelism {options.parallelism}, "
                 f"delay {options.delay}, monitor {options.monitor}), until all serve 1.1",
                 update, "docker swarm mode", "s")


def measure(options):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with Engine() as engine:
        engine.import_bundles(options.build / "bundles")
        print(f"engine {engine.docker('version', '--format', '{{.Server.Version}}').strip()}",
              flush=True)
        engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr",
                      "127.0.0.1:2377")
        try:
            with Swarm(options.build, "docker", engine.socket) as swarm:
                node = swarm.add()
                node.init()
                rounds([Side("docker swarm mode", "com.docker.swarm.service.name", engine.docker,
                             EngineApi(engine.socket)),
                        Side("swarmd", "com.swarmd.service.name", node.ctl,
                             EngineApi(engine.socket))], options)
        finally:
            engine.docker("swarm", "leave", "--force")


def main():
    if not can_have_one():
        raise SystemExit("docker_swarm.py: needs root and a dockerd (apt-get install docker.io)")
    if not os.environ.get(IN_NAMESPACE):
        os.environ[IN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    options = report.arguments(__doc__, replicas=20, rounds=5, parallelism=5, delay="0s",
                               monitor="1s", order="stop-first")
    measure(options)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        raise SystemExit(f"docker_swarm.py: {failure}")
