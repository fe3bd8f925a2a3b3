#!/usr/bin/env python3
"""A target port that an update adds is served by the containers that run, without a restart."""

import unittest
import urllib.request

from engine_support import EngineTest, wait_until

WEB = ("--publish", "9300:80", "--update-monitor", "0s")


class TargetPorts(EngineTest):
    def setUp(self):
        super().setUp()
        self.node = self.one_node()
        self.node.await_ready(1)
        self.create(self.node, "web", 2, "web:1.0", *WEB)
        self.before = self.containers()

    def containers(self):
        return sorted(self.engine.docker("ps", "-aq").split())

    def listen_in_all(self, port):
        """In each container a second program that listens there."""
        for container in self.before:
            self.engine.docker("exec", "-d", "-e", f"PORT={port}", container, "/web")

    def answers(self, port):
        url = f"http://{self.node.address}:{port}/"
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def test_a_target_port_is_added_without_a_restart_and_survives_the_daemon(self):
        load = self.swarm.load(f"{self.node.address}:9300")
        self.node.ctl("service", "update", "-d", "--publish-add", "9301:81", "web")
        wait_until(lambda: "port 81: connection refused" in
                   self.node.ctl("service", "ps", "--no-trunc", "web").out, 20, "the reason")
        self.assertIn("0/2", self.node.ctl("service", "ls").out)
        self.listen_in_all(81)
        self.assertEqual(self.node.ctl("service", "update", "web").code, 0)
        self.assertIn("2/2", self.node.ctl("service", "ls").out)
        self.assertEqual(self.containers(), self.before)
        self.assertTrue(self.answers(9301))
        self.node.kill()
        self.node.start()
        self.node.await_ready(1)
        self.assertTrue(self.answers(9301))
        self.node.ctl("service", "update", "--publish-rm", "9301:81", "web")
        self.assertEqual(self.containers(), self.before)
        self.assert_none_failed(load)

    def test_a_published_port_that_gets_another_target_is_served_all_the_time(self):
        load = self.swarm.load(f"{self.node.address}:9300")
        self.node.ctl("service", "update", "-d", "--publish-rm", "9300:80", "--publish-add",
                      "9300:82", "web")
        wait_until(lambda: "port 82: connection refused" in
                   self.node.ctl("service", "ps", "--no-trunc", "web").out, 20, "the reason")
        self.listen_in_all(82)
        self.assertEqual(self.node.ctl("service", "update", "web").code, 0)
        self.assertEqual(self.containers(), self.before)
        self.assert_none_failed(load)

    def test_a_target_port_that_nobody_serves_fails_the_update_and_costs_nothing(self):
        load = self.swarm.load(f"{self.node.address}:9300")
        updated = self.node.ctl("service", "update", "--publish-add", "9302:83",
                                "--update-progress-deadline", "2s", "web", check=False)
        self.assert_fails(updated, "web.", "port 83: connection refused", code=3)
        self.assertEqual(self.node.ctl("service", "rollback", "web").code, 0)
        self.assertEqual(self.containers(), self.before)
        self.assertIn("2/2", self.node.ctl("service", "ls").out)
        self.assert_none_failed(load)


if __name__ == "__main__":
    unittest.main()
