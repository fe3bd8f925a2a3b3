#!/usr/bin/env python3
"""The package on a machine: installed, installed again under load, removed, purged."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from machine import Machine, missing, wait_until

BUILD = Path(os.environ.get("SWARM_BUILD", "build/dev")).resolve()
UNIT = "swarmd.service"
PACKAGE = "/root/swarmd.deb"
PORT = 8080
BUNDLES = "/var/lib/swarmd/bundles"
SERVER = f"{BUNDLES}/web/1.0/web"


def stage_package(stage):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cpack", "-G", "DEB", "-B", folder], cwd=BUILD, check=True,
                       stdout=subprocess.DEVNULL)
        (stage / "root").mkdir()
        shutil.copy(next(Path(folder).glob("*.deb")), stage / PACKAGE[1:])
    shutil.copytree(BUILD / "bundles", stage / BUNDLES[1:])


@unittest.skipIf(missing(), f"NO SYSTEMD: {missing()}")
class Package(unittest.TestCase):
    def setUp(self):
        self.machine = Machine(stage_package)
        self.addCleanup(self.machine.close)

    def left(self):
        """All processes that the package's programs started."""
        return [pid for word in ("/usr/bin/swarmd", SERVER) for pid in self.machine.processes(word)]

    def start_service(self):
        run = self.machine.run
        run("swarmctl", "swarm", "init", "--listen-addr", "127.0.0.1", "--advertise-addr", "127.0.0.1")
        run("swarmctl", "service", "create", "-q", "--name", "sample", "--publish",
            f"mode=host,target=80,published={PORT}", "web:1.0")
        load = self.machine.load(BUILD / "tests/load/swarm_load", f"127.0.0.1:{PORT}")
        for cleanup in (load.output.close, load.process.wait, load.process.kill):
            self.addCleanup(cleanup)
        wait_until(lambda: load.totals()["ok"] >= 20, 30, "the published port answers")
        return load

    def is_adopted(self):
        listing = self.machine.run("swarmctl", "service", "ps", "sample", "--format", "json",
                                   check=False)
        rows = [json.loads(line) for line in listing.stdout.splitlines()]
        return len(rows) == 1 and rows[0]["CurrentState"].startswith("Running")

    def test_comes_up_on_installation_serves_through_an_upgrade_and_leaves_nothing_behind(self):
        run = self.machine.run
        depends = run("dpkg-deb", "--field", PACKAGE, "Depends").stdout
        self.assertIn("libssl3", depends)
        self.assertIn("libssl", depends)

        run("dpkg", "--install", PACKAGE)
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), "active")
        self.assertEqual(self.machine.show(UNIT, "UnitFileState"), "enabled")
        run("bash", "-n", "/usr/share/bash-completion/completions/swarmctl")

        load = self.start_service()
        daemon, (server,) = self.machine.main_pid(UNIT), self.machine.processes(SERVER)
        run("dpkg", "--install", PACKAGE)
        wait_until(self.is_adopted, 30, "the task is adopted")
        self.assertNotEqual(self.machine.main_pid(UNIT), daemon)
        self.assertEqual(self.machine.processes(SERVER), [server])
        totals = load.stop()
        self.assertEqual(totals["failed"], 0, totals)

        run("dpkg", "--remove", "swarmd")
        self.assertEqual(self.left(), [])
        run("test", "-e", "/var/lib/swarmd/node")

        run("dpkg", "--purge", "swarmd")
        run("sh", "-c", "! test -e /var/lib/swarmd")
        self.assertEqual(self.machine.show(UNIT, "LoadState"), "not-found")


if __name__ == "__main__":
    unittest.main()
