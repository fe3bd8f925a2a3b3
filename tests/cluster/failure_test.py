#!/usr/bin/env python3
"""Lost quorum, pauses and a full disk: an answer in time, and nothing acknowledged is lost."""

import os
import signal
import subprocess
import unittest

from support import SwarmTest, wait_until


class Failures(SwarmTest):
    def test_without_quorum_every_command_answers_within_five_seconds(self):
        nodes = self.managers(3)
        self.create(nodes[0], "kept")
        nodes[1].kill()
        nodes[2].kill()
        for arguments in (("service", "ls"), ("node", "ls"),
                          ("service", "create", "-d", "--name", "lost", "web:1.0"),
                          ("service", "update", "-d", "--image", "web:1.1", "kept")):
            command = nodes[0].ctl(*arguments, check=False, limit=30)
            self.assert_fails(command, "lost its quorum: of 3 managers, these cannot be reached",
                              nodes[1].address, nodes[2].address,
                              "swarmctl swarm init --force-new-cluster")
            self.assertLess(command.seconds, 7, str(command))
        # With little patience it is the same sentence, and not that nobody answered.
        short = nodes[0].ctl("--timeout", "1s", "service", "ls", check=False)
        self.assert_fails(short, "lost its quorum", nodes[1].address)
        nodes[1].start()
        wait_until(lambda: nodes[0].ctl("service", "ls", check=False).code == 0, 20,
                   "the quorum is back")
        self.assertEqual([row["Name"] for row in nodes[0].rows("service", "ls")], ["kept"])

    def test_a_stopped_leader_is_replaced_and_steps_down_when_it_wakes(self):
        nodes = self.managers(3)
        self.create(nodes[0], "kept")
        leader = self.swarm.leader()
        others = [node for node in nodes if node is not leader]
        os.kill(leader.process.pid, signal.SIGSTOP)
        # Passed on to the silent leader at first, and carried out by the next one.
        others[0].ctl("service", "scale", "-d", "kept=2")
        others[1].ctl("service", "create", "-d", "--replicas", "0", "--name", "late", "web:1.0")
        os.kill(leader.process.pid, signal.SIGCONT)
        wait_until(lambda: leader.ctl("service", "ls", check=False).code == 0, 20,
                   "the old leader follows")
        self.assertEqual(leader.inspect("kept")["Spec"]["Mode"]["Replicated"]["Replicas"], 2)
        self.assertEqual(sorted(row["Name"] for row in leader.rows("service", "ls")),
                         ["kept", "late"])

    def test_writes_survive_leaders_killed_one_after_another(self):
        nodes = self.managers(3)
        acknowledged = []
        for turn in range(4):
            leader = self.swarm.leader()
            others = [node for node in nodes if node is not leader]
            for number in range(5):
                name = f"s{turn}-{number}"
                if others[0].ctl("service", "create", "-d", "-q", "--replicas", "0", "--name",
                                 name, "web:1.0", check=False).code == 0:
                    acknowledged.append(name)
            leader.kill()
            leader.start()
        self.swarm.leader()
        names = {row["Name"] for row in nodes[0].rows("service", "ls")}
        self.assertGreaterEqual(len(acknowledged), 15)
        self.assertLessEqual(set(acknowledged), names)

    def test_a_full_disk_loses_no_acknowledged_write(self):
        def small_file_system(folder):
            state = folder / "state"
            state.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(state)],
                           check=True)
            self.addCleanup(subprocess.run, ["umount", "-l", str(state)], capture_output=True)

        node = self.swarm.add(prepare=small_file_system)
        state = node.folder / "state"
        node.init()
        acknowledged = []

        def write(name):
            value = "x" * 30_000
            command = node.ctl("service", "create", "-d", "-q", "--replicas", "0", "--name", name,
                               "--env", f"A={value}", "web:1.0", check=False, limit=60)
            if command.code == 0:
                acknowledged.append(name)
            return command

        for number in range(5):
            self.assertEqual(write(f"before{number}").code, 0)
        with open(state / "ballast", "wb") as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 65536)
                    ballast.flush()
            except OSError:
                pass
        refused = 0
        for number in range(2000):
            if write(f"during{number}").code != 0:
                refused += 1
                break
        self.assertEqual(refused, 1, "the disk never became full")
        self.assertIn("space", node.tail(200).lower())
        os.unlink(state / "ballast")
        node.kill()
        node.start()
        wait_until(lambda: node.ctl("service", "ls", check=False).code == 0, 30,
                   "the manager is back")
        names = {row["Name"] for row in node.rows("service", "ls")}
        self.assertLessEqual(set(acknowledged), names)
        self.assertEqual(write("after").code, 0)


if __name__ == "__main__":
    unittest.main()
