#!/usr/bin/env python3
"""The process runtime: nothing that a task started outlives it, whoever is killed."""

import json
import os
import signal
import socket
import unittest
from pathlib import Path

from support import SwarmTest, wait_until


class Processes(SwarmTest):
    def add_bundle(self, node, name, script):
        """An image of one line of shell, in the node's own store."""
        folder = node.folder / "state" / "bundles" / name / "1.0"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"command": ["/bin/sh", "-c", script]}))
        return folder

    def node_with_daemon(self):
        """A node that runs a task with a daemon: in a session of its own, its parents gone."""
        node = self.one_node()
        folder = self.add_bundle(node, "daemon", "(setsid sh -c 'echo $$ >> daemons; "
                                 "exec sleep 1000' &) ; exec sleep 1000")
        self.create(node, "app", 1, "daemon:1.0", "--restart-condition", "none", "--detach")
        self.daemons = folder / "daemons"
        wait_until(lambda: node.tasks("app") and self.daemons.exists()
                   and self.daemons.read_text().strip(), 20, "the daemon runs")
        return node

    def daemon(self):
        return int(self.daemons.read_text().split()[0])

    def shim_of(self, node):
        task = next((node.folder / "state" / "tasks").iterdir())
        return json.loads((task / "started.json").read_text())["shim"]["pid"]

    def is_alive(self, pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def zombies(self, node):
        """Children of the node's swarmd that have ended and that it has not collected."""
        children = Path(f"/proc/{node.process.pid}/task").glob("*/children")
        pids = [pid for file in children for pid in file.read_text().split()]
        return [pid for pid in pids if not self.is_alive(pid)]

    def failed(self, node):
        return [row for row in node.rows("service", "ps", "--no-trunc", "app")
                if row["CurrentState"].startswith("Failed")]

    def test_a_killed_shim_takes_all_of_its_task_along(self):
        node = self.node_with_daemon()
        daemon = self.daemon()
        os.kill(self.shim_of(node), signal.SIGKILL)
        wait_until(lambda: not self.is_alive(daemon), 20, "the end of the daemon")
        wait_until(lambda: self.failed(node), 20, "the task has failed")
        self.assertIn("its shim was killed", self.failed(node)[0]["Error"])
        node.ctl("service", "rm", "app")

    def test_a_shim_killed_with_swarmd_takes_all_of_its_task_along(self):
        node = self.node_with_daemon()
        daemon, shim = self.daemon(), self.shim_of(node)
        node.kill()
        os.kill(shim, signal.SIGKILL)
        node.start()
        wait_until(lambda: not self.is_alive(daemon), 20, "the end of the daemon")
        wait_until(lambda: self.failed(node), 20, "the task has failed")
        self.assertIn("its shim was killed", self.failed(node)[0]["Error"])
        node.ctl("service", "rm", "app")
        wait_until(lambda: not list((node.folder / "state" / "tasks").iterdir()), 20,
                   "nothing is left of the task")

    def test_a_node_that_leaves_keeps_no_zombie(self):
        node = self.swarm.add()
        for _ in range(3):
            node.init()
            node.await_ready(1)
            self.create(node, "web", 2)
            node.ctl("swarm", "leave", "--force")
            wait_until(lambda: not self.zombies(node), 10, "its children are collected")
        manager = self.one_node()
        node.join(manager)
        manager.await_ready(2)
        manager.ctl("node", "rm", "--force", node.identity())
        wait_until(lambda: "removed from swarm" in node.ctl("version").out, 30, "it has left")
        wait_until(lambda: not self.zombies(node), 10, "its children are collected")

    def test_a_task_that_loses_its_port_serves_on_another(self):
        node = self.one_node()
        web = self.swarm.build / "bundles" / "web" / "1.0" / "web"
        folder = self.add_bundle(node, "slow", "echo $PORT >> ports; while [ ! -e go ]; do "
                                 f"sleep 0.01; done; exec {web}")
        self.create(node, "slow", 1, "slow:1.0", "--publish", "8080:80", "--detach")
        ports = folder / "ports"
        wait_until(lambda: ports.exists() and ports.read_text().strip(), 20, "a port is told")
        with socket.socket() as other:
            other.bind(("127.0.0.1", int(ports.read_text().split()[0])))
            other.listen()
            wait_until(lambda: len(ports.read_text().split()) == 2, 20, "another port is told")
            (folder / "go").touch()
            wait_until(lambda: node.tasks("slow"), 20, "the task runs")
        rows = node.rows("service", "ps", "--no-trunc", "slow")
        self.assertEqual([row["Error"] for row in rows], [""], "no task has failed")


if __name__ == "__main__":
    unittest.main()
