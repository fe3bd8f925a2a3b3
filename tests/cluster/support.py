"""What the cluster tests share."""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from swarm import Failure, Swarm, wait_until  # noqa: E402,F401

BUILD = Path(os.environ.get("SWARM_BUILD", "build/dev"))


class SwarmTest(unittest.TestCase):
    """A fresh swarm for each test."""

    maxDiff = None

    def setUp(self):
        self.swarm = Swarm(BUILD)
        self.addCleanup(self.swarm.close)
        self.addCleanup(self.show_logs)

    def show_logs(self):
        """After a failure, the end of every node's log."""
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            for node in self.swarm.nodes:
                print(f"---- log of {node.name} ({node.address})\n{node.tail(60)}", flush=True)

    def one_node(self):
        node = self.swarm.add()
        node.init()
        return node

    def managers(self, count=3):
        first = self.one_node()
        others = [self.swarm.add() for _ in range(count - 1)]
        for node in others:
            node.join(first, "manager")
        first.await_ready(count)
        return [first, *others]

    def create(self, node, name="web", replicas=1, image="web:1.0", *flags):
        return node.ctl("service", "create", "-q", "--name", name, "--replicas", str(replicas),
                        "--update-monitor", "500ms", "--rollback-monitor", "500ms",
                        "--restart-delay", "100ms", *flags, image)

    def assert_fails(self, command, *fragments, code=1):
        """A clear error: the exit code, and a sentence with what matters."""
        self.assertEqual(command.code, code, str(command))
        for fragment in fragments:
            self.assertIn(fragment, command.err, str(command))

    def assert_none_failed(self, load):
        totals = load.stop()
        self.assertGreater(totals["sent"], 50, totals)
        self.assertEqual(totals["failed"], 0, totals)
        return totals
