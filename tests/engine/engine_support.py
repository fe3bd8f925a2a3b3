"""What the tests against a real engine share."""

import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("cluster", "support")]
from engine import Engine, can_have_one  # noqa: E402
from support import BUILD, SwarmTest, wait_until  # noqa: E402,F401


class EngineTest(SwarmTest):
    """A fresh swarm for each test, whose nodes run containers on the one engine of the class."""

    @classmethod
    def setUpClass(cls):
        if not can_have_one():
            raise unittest.SkipTest("NO DOCKER ENGINE: needs root and the package docker.io")
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.import_bundles(BUILD / "bundles")

    def setUp(self):
        self.addCleanup(self.remove_containers)  # after the end of the daemons, which make others
        super().setUp()
        self.swarm.runtime, self.swarm.docker_socket = "docker", self.engine.socket

    def remove_containers(self):
        left = self.engine.docker("ps", "-aq").split()
        if left:
            self.engine.docker("rm", "-f", *left)
