#!/usr/bin/env python3
"""A task stays where it is, and one client does not take the service from the others."""

import socket
import unittest

from support import SwarmTest, wait_until

HOST_PORT = ("--publish", "mode=host,target=80,published=9600")


class Placement(SwarmTest):
    def nodes_of(self, node, service="web"):
        return {task["Name"]: task["Node"] for task in node.tasks(service)}

    def draining(self, node):
        return [row for row in node.rows("service", "ps", "--no-trunc", "web")
                if row["DesiredState"] == "Shutdown" and row["CurrentState"].startswith("Running")]

    def test_a_host_port_stays_on_its_node_and_drops_no_request(self):
        managers = self.managers()
        first, home = managers[0], managers[2]
        for other in managers[:2]:
            first.ctl("node", "update", "--availability", "pause", other.identity())
        self.create(first, "web", 1, "web:1.0", *HOST_PORT)
        for other in managers[:2]:
            first.ctl("node", "update", "--availability", "active", other.identity())
        before = self.nodes_of(first)
        load = self.swarm.load(f"{home.address}:9600")
        wait_until(lambda: load.totals()["ok"] > 20, 20, "the client gets answers")
        first.ctl("service", "update", "--image", "web:1.1", "web")
        self.assertEqual(self.nodes_of(first), before)
        first.ctl("service", "update", "--update-order", "stop-first", "--force", "web")
        self.assertEqual(self.nodes_of(first), before)
        self.assert_none_failed(load)

    def test_forced_updates_move_nothing(self):
        first = self.managers()[0]
        self.create(first, "web", 3, "web:1.0", *HOST_PORT)
        self.create(first, "api", 6, "web:1.0", "--update-parallelism", "2")
        web, api = self.nodes_of(first), self.nodes_of(first, "api")
        self.assertEqual(len(set(web.values())), 3)
        for _ in range(3):
            first.ctl("service", "update", "--force", "web")
            first.ctl("service", "update", "--force", "api")
            self.assertEqual(self.nodes_of(first), web)
            self.assertEqual(self.nodes_of(first, "api"), api)

    def stop_first_under_load(self, drain, grace):
        """A node with one task, clients that get answers, and one that has not asked yet."""
        node = self.one_node()
        self.create(node, "web", 1, "web:1.0", *HOST_PORT, "--update-order", "stop-first",
                    "--drain-timeout", drain, "--stop-grace-period", grace)
        load = self.swarm.load(f"{node.address}:9600")
        wait_until(lambda: load.totals()["ok"] > 20, 20, "the clients get answers")
        silent = socket.create_connection((node.address, 9600))
        self.addCleanup(silent.close)
        return node, load, silent

    def test_a_stuck_client_does_not_take_the_only_task_from_the_others(self):
        node, load, stuck = self.stop_first_under_load("12s", "1s")
        stuck.sendall(b"POST / HTTP/1.1\r\nHost: half\r\nContent-Length: 9\r\n\r\nhalf")
        node.ctl("service", "update", "--detach", "--image", "web:1.1", "web")
        wait_until(lambda: self.draining(node), 20, "the old task drains")
        asked = load.totals()["ok"]
        wait_until(lambda: load.totals()["ok"] > asked + 100, 10, "the others are served")
        self.assertTrue(self.draining(node), "all the while the old task drains")
        wait_until(lambda: "web 1.1" in load.totals()["bodies"], 60, "the new task serves")
        self.assert_none_failed(load)

    def test_a_client_with_half_a_head_delays_nobody_and_is_answered_by_the_next_task(self):
        node, load, slow = self.stop_first_under_load("1h", "1h")
        slow.sendall(b"GET / HTTP/1.1\r\nHost: half")
        asked = load.totals()["ok"]
        wait_until(lambda: load.totals()["ok"] > asked + 20, 20, "it is in the task's hands")
        updated = node.ctl("service", "update", "--image", "web:1.1", "web", "--timeout", "60s")
        self.assertEqual(updated.code, 0, str(updated))
        slow.sendall(b"\r\nConnection: close\r\n\r\n")
        slow.settimeout(20)
        answer = b"".join(iter(lambda: slow.recv(4096), b""))
        self.assertIn(b"200 OK", answer)
        self.assertIn(b"web 1.1", answer)
        self.assert_none_failed(load)


if __name__ == "__main__":
    unittest.main()
