#!/usr/bin/env python3
"""Nothing of a test stays behind, however the test is ended: its helpers clear up or have it done."""

import signal
import subprocess
import sys
import unittest
from pathlib import Path

from support import BUILD, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import engine  # noqa: E402
from leftovers import groups_of, mounts_below, processes_of  # noqa: E402

# What a test does that is then interrupted: a swarm with a service whose task has a daemon of its own,
# a client, and a shim that was killed before, so that nobody cares for its task any more.
SWARM = """
import json, os, signal, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from swarm import Swarm, wait_until
swarm = Swarm(sys.argv[2])
def prepare(folder):
    (folder / "state").mkdir()
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder / "state")], check=True)
    bundle = folder / "state/bundles/app/1.0"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text(json.dumps({"command": [
        "/bin/sh", "-c", "(setsid sleep 1000 &) ; echo started > started; exec sleep 1000"]}))
node = swarm.add(prepare=prepare)
node.init()
node.ctl("service", "create", "-d", "--name", "app", "app:1.0")
wait_until((node.folder / "state/bundles/app/1.0/started").exists, 20, "the task runs")
swarm.load(f"{node.address}:8080")
print(swarm.folder, flush=True)
signal.pause()
"""

ENGINE = """
import sys, signal
sys.path.insert(0, sys.argv[1])
from engine import Engine
from pathlib import Path
private = Engine()
private.import_bundles(Path(sys.argv[2]) / "bundles")
private.docker("run", "-d", "web:1.0")
print(private.folder, flush=True)
signal.pause()
"""


class Leftovers(unittest.TestCase):
    def interrupt(self, script, number):
        """Starts the script, ends it with the signal once it has all it wants; its folder."""
        support = Path(__file__).resolve().parents[1] / "support"
        test = subprocess.Popen([sys.executable, "-c", script, str(support), str(BUILD)],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(test.stdout.close)
        self.addCleanup(test.kill)
        folder = Path(test.stdout.readline().strip())
        self.assertTrue(folder.is_dir(), "the helper did not come up")
        self.assertTrue(processes_of(folder))
        self.groups = groups_of(folder)
        test.send_signal(number)
        test.wait(30)
        return folder

    def assert_cleared(self, folder):
        wait_until(lambda: not folder.exists(), 60, f"{folder} is gone")
        self.assertEqual(processes_of(folder), [])
        self.assertEqual(mounts_below(folder), [])
        self.assertEqual([group for group in self.groups if group.is_dir()], [])

    def test_ctrl_c_leaves_nothing_of_a_swarm(self):
        self.assert_cleared(self.interrupt(SWARM, signal.SIGINT))

    def test_sigterm_leaves_nothing_of_a_swarm(self):
        self.assert_cleared(self.interrupt(SWARM, signal.SIGTERM))

    def test_sigkill_leaves_nothing_of_a_swarm(self):
        self.assert_cleared(self.interrupt(SWARM, signal.SIGKILL))

    @unittest.skipUnless(engine.can_have_one(), "no Docker Engine can be had")
    def test_sigterm_leaves_nothing_of_an_engine(self):
        self.assert_cleared(self.interrupt(ENGINE, signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
