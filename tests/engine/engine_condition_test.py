#!/usr/bin/env python3
"""An engine that is killed or frozen is a condition of its node, and nothing is doubled afterwards."""

import os
import signal
import unittest

from engine_support import EngineTest, wait_until


class EngineConditions(EngineTest):
    """The first node runs containers, the second one processes of the same images."""

    def setUp(self):
        super().setUp()
        self.first = self.one_node()
        self.swarm.runtime, self.swarm.docker_socket = "process", None
        self.second = self.swarm.add()
        self.second.join(self.first)
        self.first.await_ready(2)
        self.create(self.first, "web", 4, "web:1.0", "--publish", "9200:80")
        self.load = self.swarm.load(f"{self.first.address}:9200", f"{self.second.address}:9200")

    def await_status(self, status):
        identity = self.first.identity()
        wait_until(lambda: status in [row["Status"] for row in self.second_rows()
                                      if row["ID"] == identity], 60, f"status {status}")

    def second_rows(self):
        return self.first.rows("node", "ls")

    def ids(self):
        return {task["ID"] for task in self.first.tasks("web")}

    def test_a_frozen_engine_takes_no_tasks_and_costs_none_when_it_comes_back(self):
        before = self.ids()
        os.kill(self.engine.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.engine.process.pid, signal.SIGCONT)
        self.await_status("Ready (engine)")
        self.assertIn("engine", self.first.ctl("service", "ps", "--no-trunc", "web").out)
        self.create(self.first, "late", 2)
        self.assertEqual({task["Node"] for task in self.first.tasks("late")},
                         {self.second.identity()})
        os.kill(self.engine.process.pid, signal.SIGCONT)
        self.await_status("Ready")
        self.assertEqual(self.ids(), before)
        self.assert_none_failed(self.load)

    def test_after_a_restart_of_the_engine_its_services_run_again(self):
        for number in range(3):
            name = f"pinned{number}"
            self.create(self.first, name, 2, "web:1.0", "--constraint",
                        f"node.id=={self.first.identity()}")
            self.engine.restart()
            wait_until(lambda: all(f"{service} 2/2" in self.first.ctl(
                "service", "ls", "--format", "{{.Name}} {{.Replicas}}").out
                for service in (name, "pinned0")), 60, "they run again")
            self.await_status("Ready")

    def test_tasks_of_a_killed_engine_are_replaced_and_not_doubled_when_it_is_back(self):
        self.engine.kill()
        try:
            self.await_status("Ready (engine)")
            wait_until(lambda: [task["Node"] for task in self.first.tasks("web")] ==
                       [self.second.identity()] * 4, 90, "the tasks are replaced")
            # A healthy service is updated all the same.
            self.first.ctl("service", "update", "--image", "web:1.1", "web")
        finally:
            self.engine.start()
        self.await_status("Ready")
        wait_until(lambda: not self.engine.docker("ps", "-q").split(), 60,
                   "the containers that were replaced are gone")
        self.assertEqual(len(self.ids()), 4)
        self.assert_none_failed(self.load)


if __name__ == "__main__":
    unittest.main()
