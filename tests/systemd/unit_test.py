#!/usr/bin/env python3
"""The installed unit under a real systemd: ready, killed, stopped, restarted; tasks and mesh go on."""

import json
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from machine import Failure, Machine, missing, wait_until

BUILD = Path(os.environ.get("SWARM_BUILD", "build/dev")).resolve()
UNIT = "swarmd.service"
PORT = 8080
BUNDLES = "/var/lib/swarmd/bundles"
SERVER = f"{BUNDLES}/web/1.0/web"
# Numbers of linux/capability.h.
CAP_SYS_RESOURCE = 24
WITHHELD = {"SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_BOOT": 22}
GRANTED = {"CHOWN": 0, "SETUID": 7, "NET_BIND_SERVICE": 10}


def install(stage):
    """What `cmake --install` puts on a machine, as it is, and the sample bundles where the unit's
    swarmd looks for them. No engine answers in the machine, so it takes the process runtime."""
    subprocess.run(["cmake", "--install", str(BUILD), "--prefix", "/usr", "--strip"], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": str(stage)})
    shutil.copytree(BUILD / "bundles", stage / BUNDLES[1:])
    (stage / "etc/default").mkdir(parents=True)
    (stage / "etc/default/swarmd").write_text('SWARMD_OPTIONS="--log-level info"\n')


@unittest.skipIf(missing(), f"NO SYSTEMD: {missing()}")
class Unit(unittest.TestCase):
    """One machine for all: each test finds the unit active and the task serving, and leaves it so."""

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(install)
        cls.addClassCleanup(cls.machine.close)
        try:
            cls.machine.run("systemctl", "enable", "--now", UNIT)
            cls.first_answer = cls.ctl("version", check=False)
            cls.ctl("swarm", "init", "--listen-addr", "127.0.0.1", "--advertise-addr", "127.0.0.1")
            cls.ctl("service", "create", "-q", "--name", "sample", "--publish",
                    f"mode=host,target=80,published={PORT}", "--limit-memory", "256M", "--limit-cpu",
                    "1", "web:1.0")
        except BaseException:
            cls.show_journal()
            raise

    def setUp(self):
        self.addCleanup(self.report)
        self.daemon = self.machine.main_pid(UNIT)
        self.server = self.the_one(SERVER)
        self.mesh = self.the_one("mesh")
        self.task = self.running_task()
        self.load = self.machine.load(BUILD / "tests/load/swarm_load", f"127.0.0.1:{PORT}")
        for cleanup in (self.load.output.close, self.load.process.wait, self.load.process.kill):
            self.addCleanup(cleanup)
        self.await_requests(20)

    def report(self):
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            self.show_journal()

    @classmethod
    def show_journal(cls):
        print(f"---- journal of {UNIT}\n{cls.machine.journal(UNIT)}\n"
              f"---- {cls.machine.run('systemctl', 'status', UNIT, check=False).stdout}", flush=True)

    @classmethod
    def ctl(cls, *arguments, check=True):
        return cls.machine.run("swarmctl", *arguments, check=check)

    def the_one(self, word):
        found = self.machine.processes(word)
        self.assertEqual(len(found), 1, f"processes of {word}")
        return found[0]

    def running_task(self):
        """The id of the service's one running task, once the node says so."""
        def find():
            listing = self.ctl("service", "ps", "sample", "--no-trunc", "--format", "json", check=False)
            rows = [json.loads(line) for line in listing.stdout.splitlines()]
            running = [row["ID"] for row in rows if row["CurrentState"].startswith("Running")]
            return running[0] if listing.returncode == 0 and len(rows) == len(running) == 1 else None
        return wait_until(find, 30, "one task, and it runs", pause=0.1)

    def status(self, pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def capabilities(self, pid):
        """Those that the process or what it executes can ever have."""
        return int(self.status(pid)["CapBnd"], 16)

    def await_requests(self, count):
        """So many more answers, all of them right."""
        goal = self.load.totals()["ok"] + count
        totals = wait_until(lambda: (t := self.load.totals())["ok"] >= goal and t, 30,
                            "the published port answers")
        self.assertEqual(totals["failed"], 0, totals)

    def await_active(self, restarts=None):
        def is_active():
            if restarts is not None and self.machine.show(UNIT, "NRestarts") != str(restarts):
                return False
            return self.machine.run("systemctl", "is-active", UNIT, check=False).returncode == 0
        wait_until(is_active, 60, "the unit is active", pause=0.1)

    def assert_untouched(self):
        """Mesh and task are the processes they were, the node has taken the task over, and no
        request failed in all this time."""
        self.assertEqual(self.running_task(), self.task)
        self.assertEqual(self.the_one(SERVER), self.server)
        self.assertEqual(self.the_one("mesh"), self.mesh)
        self.await_requests(20)
        totals = self.load.stop()
        self.assertEqual(totals["failed"], 0, totals)

    def assert_new_daemon(self):
        self.assertNotIn(self.machine.main_pid(UNIT), (None, self.daemon))

    def test_start_returns_when_the_daemon_is_ready(self):
        self.assertEqual(self.first_answer.returncode, 0, self.first_answer)
        self.assertEqual(self.machine.show(UNIT, "Type"), "notify")
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), "active")
        self.assertRegex(self.machine.show(UNIT, "StatusText"), "swarm")
        self.assertEqual(self.machine.show(UNIT, "SubState"), "running")
        self.assertIn("enabled", self.machine.show(UNIT, "UnitFileState"))

    def test_a_killed_daemon_is_restarted_and_adopts_its_task(self):
        before = int(self.machine.show(UNIT, "NRestarts"))
        os.kill(self.daemon, signal.SIGKILL)
        self.await_active(restarts=before + 1)
        self.assert_new_daemon()
        self.assert_untouched()
        self.assertIn("status=9/KILL", self.machine.journal(UNIT))

    def test_a_stopped_daemon_leaves_its_task_and_mesh_serving(self):
        self.machine.run("systemctl", "stop", UNIT)
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), "inactive")
        self.assertEqual(self.machine.show(UNIT, "Result"), "success")
        self.await_requests(50)
        self.machine.run("systemctl", "start", UNIT)
        self.assert_new_daemon()
        self.assert_untouched()

    def test_a_restart_leaves_task_and_mesh_serving(self):
        self.machine.run("systemctl", "restart", UNIT)
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), "active")
        self.assert_new_daemon()
        self.assert_untouched()

    def test_systemd_leaves_the_limits_of_a_task_alone(self):
        def groups():
            return Path(f"/proc/{self.server}/cgroup").read_text()
        before = groups()
        self.assertIn(f"/swarmd/{self.task}", before)
        self.machine.run("systemctl", "set-property", "--runtime", UNIT, "CPUWeight=200")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", UNIT)
        self.assert_untouched()
        self.assertEqual(groups(), before)

    def test_a_daemon_that_hangs_is_replaced(self):
        """With a watchdog of 2 s in place of the unit's 30."""
        show, run = self.machine.show, self.machine.run
        self.assertEqual(show(UNIT, "WatchdogUSec"), "30s")
        drop_in = f"/run/systemd/system/{UNIT}.d"
        run("mkdir", "-p", drop_in)
        run("sh", "-c", f"printf '[Service]\nWatchdogSec=2\n' >{drop_in}/watchdog.conf")
        self.addCleanup(run, "systemctl", "restart", UNIT)
        self.addCleanup(run, "systemctl", "daemon-reload")
        self.addCleanup(run, "rm", "-r", drop_in)
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", UNIT)
        self.daemon = self.machine.main_pid(UNIT)
        restarts = int(show(UNIT, "NRestarts"))
        os.kill(self.daemon, signal.SIGSTOP)
        self.await_active(restarts + 1)
        self.assert_new_daemon()
        self.assert_untouched()

    def test_settings_of_the_machine_are_read(self):
        line = Path(f"/proc/{self.daemon}/cmdline").read_bytes().decode().split("\0")
        self.assertIn("--log-level", line)

    def test_the_unit_says_where_to_read_on(self):
        documentation = self.machine.show(UNIT, "Documentation")
        self.assertTrue(documentation.startswith("file:///usr/share/doc/swarmd/"), documentation)
        self.machine.run("test", "-f", documentation.removeprefix("file://"))

    def test_a_hangup_is_not_the_end(self):
        os.kill(self.daemon, signal.SIGHUP)
        wait_until(lambda: "hangup ignored" in self.machine.journal(UNIT), 30, "the journal has it")
        self.assertEqual(self.machine.main_pid(UNIT), self.daemon)
        self.assert_untouched()

    def test_the_journal_has_the_log(self):
        journal = self.machine.journal(UNIT)
        for line in ("Started swarmd.service", "info swarmd started", "info agent started"):
            self.assertIn(line, journal)

    def test_a_task_gets_no_more_than_a_container_would(self):
        bounding = self.capabilities(self.server)
        for name, number in WITHHELD.items():
            self.assertFalse(bounding >> number & 1, name)
        for name, number in GRANTED.items():
            self.assertTrue(bounding >> number & 1, name)
        status = self.status(self.server)
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(status["NoNewPrivs"], "0")
        self.assertEqual(status["Umask"], "0022")

    def test_the_kernel_spares_the_daemon_and_the_mesh_before_a_task(self):
        def score(pid):
            return int(Path(f"/proc/{pid}/oom_score_adj").read_text())
        # systemd leaves scores alone in a container that may not lower them.
        if self.capabilities(self.machine.init) >> CAP_SYS_RESOURCE & 1:
            scores = [score(pid) for pid in (self.daemon, self.mesh, self.server)]
            self.assertEqual(scores, [-900, -900, 0])
        else:
            self.assertGreaterEqual(score(self.server), score(self.daemon))


if __name__ == "__main__":
    unittest.main()
