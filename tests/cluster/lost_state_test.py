#!/usr/bin/env python3
"""A manager whose raft state is gone, or older than what it promised, refuses to serve and says so."""

import shutil
import signal
import unittest
from pathlib import Path

from support import SwarmTest, wait_until


class LostState(SwarmTest):
    def status_of(self, asked, node):
        return {row["ID"]: row["ManagerStatus"] for row in asked.rows("node", "ls")}[node.identity()]

    def follower(self, nodes):
        leader = self.swarm.leader()
        return next(node for node in nodes if node is not leader)

    def assert_refuses(self, nodes, lost):
        """It names folder and cure; the others show it, and go on without its vote."""
        others = [node for node in nodes if node is not lost]
        self.assertIn("Refused:", lost.ctl("version").out)
        self.assert_fails(lost.ctl("service", "ls", check=False), "does not serve",
                          str(lost.folder / "state" / "raft"), "swarmctl swarm leave --force")
        self.assert_fails(lost.ctl("swarm", "init", "--force-new-cluster", check=False),
                          "does not serve")
        wait_until(lambda: self.status_of(others[0], lost) == "Refused", 30, "the others show it")
        self.assertIn("raft log",
                      others[0].ctl("node", "inspect", "--pretty", lost.identity()).out)
        self.create(others[0], "without", 0)

    def test_an_empty_folder_is_refused_and_the_cure_works(self):
        nodes = self.managers(3)
        self.create(nodes[0], "web", 3)
        lost = self.follower(nodes)
        pids = set(lost.pids())
        lost.kill()
        shutil.rmtree(lost.folder / "state" / "raft")
        lost.start()
        self.assert_refuses(nodes, lost)
        # Its tasks are not touched.
        self.assertTrue(pids & set(lost.pids()))

        # Without the vote of the lost one there is no quorum: one more manager down.
        others = [node for node in nodes if node is not lost]
        others[1].kill()
        self.assert_fails(others[0].ctl("service", "ls", check=False), "lost its quorum")
        others[1].start()
        wait_until(lambda: others[0].ctl("service", "ls", check=False).code == 0, 30, "a leader")

        lost.ctl("swarm", "leave", "--force")
        lost.join(others[0], "manager")
        wait_until(lambda: self.status_of(others[0], lost) == "Reachable", 30, "it is back")
        self.create(lost, "after", 0)

    def test_an_older_copy_is_refused_also_after_another_restart(self):
        nodes = self.managers(3)
        lost = self.follower(nodes)
        copy = lost.folder / "copy"
        lost.kill()
        shutil.copytree(lost.folder / "state" / "raft", copy)
        lost.start()
        wait_until(lambda: self.status_of(nodes[0], lost) == "Reachable", 30, "it is back")
        # Another term, in which it votes.
        leader = self.swarm.leader()
        leader.kill()
        wait_until(lambda: lost.ctl("service", "ls", check=False).code == 0, 30, "another leader")
        leader.start()
        if self.swarm.leader() is lost:
            lost.kill()
            wait_until(lambda: leader.ctl("service", "ls", check=False).code == 0, 30, "a leader")
        else:
            lost.kill()
        shutil.rmtree(lost.folder / "state" / "raft")
        shutil.copytree(copy, lost.folder / "state" / "raft")
        lost.start()
        self.assert_refuses(nodes, lost)
        lost.kill()
        lost.start()
        self.assert_fails(lost.ctl("service", "ls", check=False), "older copy")
        # Without leaving the swarm, and with its tasks as they are, by another manager.
        other = next(node for node in nodes if node is not lost)
        other.ctl("node", "demote", lost.identity())
        wait_until(lambda: "not a manager" in lost.ctl("service", "ls", check=False).err, 30,
                   "it is a worker")
        other.ctl("node", "promote", lost.identity())
        wait_until(lambda: self.status_of(other, lost) == "Reachable", 30, "it is a manager again")
        self.create(lost, "after", 0)

    def test_a_whole_machine_that_went_back_in_time_is_told_by_the_leader(self):
        nodes = self.managers(3)
        lost = self.follower(nodes)
        copy = lost.folder / "copy"
        lost.kill()
        shutil.copytree(lost.folder / "state", copy, ignore=shutil.ignore_patterns("*.sock"))
        lost.start()
        leader = self.swarm.leader()
        wait_until(lambda: self.status_of(leader, lost) == "Reachable", 30, "it is back")
        for number in range(5):
            self.create(leader, f"s{number}", 0)
        wait_until(lambda: lost.ctl("service", "ls", "-q").out.count("\n") == 5, 20, "it has them")
        lost.kill()
        for name in ("raft", "raft.promises"):
            target = lost.folder / "state" / name
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            source = copy / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        lost.start()
        wait_until(lambda: "older copy" in lost.ctl("service", "ls", check=False).err, 20,
                   "it knows")
        self.assert_refuses(nodes, lost)

    def test_something_else_in_place_of_the_log_is_refused(self):
        nodes = self.managers(3)
        lost = self.follower(nodes)
        other = next(node for node in nodes if node is not lost)
        state = lost.folder / "state"

        def a_file(path):
            path.write_text("\n")

        def a_link(path):
            path.symlink_to("/nowhere")

        for name, replace in (("raft", a_file), ("raft/log", a_link), ("raft/snapshots", a_file),
                              ("raft.promises", Path.mkdir), ("data.key", Path.mkdir)):
            with self.subTest(name):
                lost.kill(signal.SIGTERM)
                kept = (state / name).rename(lost.folder / "kept")
                replace(state / name)
                lost.start()
                self.assertIn(str(state / name.split("/")[0]), lost.ctl("version").out)
                self.assert_fails(lost.ctl("service", "ls", check=False), "does not serve",
                                  "leave")
                wait_until(lambda: self.status_of(other, lost) == "Refused", 30, "it is shown")
                lost.kill(signal.SIGTERM)
                (state / name).rmdir() if replace is Path.mkdir else (state / name).unlink()
                kept.rename(state / name)
                lost.start()
                wait_until(lambda: self.status_of(other, lost) == "Reachable", 30, "it is back")


class LostMembership(SwarmTest):
    """Without what says who the node is it does nothing, deletes nothing, and says what to do."""

    def setUp(self):
        super().setUp()
        self.first = self.one_node()
        self.lost = self.swarm.add()
        self.lost.join(self.first, "manager")
        self.first.await_ready(2)
        self.create(self.first, "web", 2)
        self.state = self.lost.folder / "state"
        self.identity = self.lost.identity()

    def lose(self, *names):
        """Takes these files of the state folder away while swarmd is down; what runs meanwhile."""
        self.lost.kill(signal.SIGTERM)
        running = sorted(self.lost.pids())
        self.assertTrue(running)
        for name in names:
            (self.state / name).rename(self.lost.folder / name)
        self.kept = sorted(path.name for path in self.state.iterdir())
        self.lost.start()
        return running

    def assert_refuses(self, running, *names):
        for command in (("service", "ls"), ("swarm", "init"), ("swarm", "leave"),
                        ("swarm", "init", "--force-new-cluster"),
                        ("swarm", "backup", str(self.lost.folder / "backup"))):
            self.assert_fails(self.lost.ctl(*command, check=False), "refuses to work",
                              str(self.state / names[0]) + " is missing",
                              "swarmctl swarm leave --force")
        self.assertIn("Refused:", self.lost.ctl("version").out)
        self.assertEqual(set(running) - set(self.lost.pids()), set(), "what ran goes on")
        left = {path.name for path in self.state.iterdir()}
        self.assertEqual(set(self.kept) - left, set(), "nothing is deleted")

    def assert_comes_back(self, *names):
        self.lost.kill(signal.SIGTERM)
        for name in names:
            (self.lost.folder / name).rename(self.state / name)
        self.lost.start()
        wait_until(lambda: self.lost.ctl("node", "ls", check=False).code == 0, 30, "it serves")
        self.first.await_ready(2)

    def assert_gives_up(self):
        self.lost.ctl("swarm", "leave", "--force")
        wait_until(lambda: self.lost.pids() == [self.lost.process.pid], 20,
                   "neither task nor mesh is left")
        for name in ("raft", "raft.promises", "agent", "node.pem", "data.key"):
            self.assertFalse((self.state / name).exists(), name)
        self.assertEqual(list((self.state / "tasks").iterdir()), [])
        self.lost.init()
        self.assertIn("Role:     manager", self.lost.ctl("version").out)

    def test_the_record(self):
        running = self.lose("node")
        self.assert_refuses(running, "node")
        self.assert_comes_back("node")
        self.lose("node")
        self.assert_gives_up()

    def test_the_certificate(self):
        running = self.lose("node.pem")
        self.assert_refuses(running, "node.pem")
        self.assert_comes_back("node.pem")
        self.lose("node.pem")
        self.assert_gives_up()

    def test_both(self):
        running = self.lose("node", "node.pem")
        self.assert_refuses(running, "node")
        self.assert_gives_up()

    def test_a_leave_that_was_cut_off_is_finished(self):
        self.lost.kill_host()
        (self.state / "node").rename(self.state / "node.unfinished")
        self.lost.start()
        self.assertNotIn("Refused", self.lost.ctl("version").out)
        self.assert_fails(self.lost.ctl("service", "ls", check=False), "not part of a swarm")
        self.assertFalse((self.state / "raft").exists())
        self.assertFalse((self.state / "node.unfinished").exists())


if __name__ == "__main__":
    unittest.main()
