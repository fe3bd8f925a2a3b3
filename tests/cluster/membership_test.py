#!/usr/bin/env python3
"""Managers come and go: join, promote, demote, leave, and a swarm of one, three and five."""

import json
import socket
import threading
import unittest

from support import SwarmTest, wait_until


class Membership(SwarmTest):
    def statuses(self, node):
        return {row["ID"]: row["ManagerStatus"] for row in node.rows("node", "ls")}

    def test_five_managers_agree_on_one_leader(self):
        nodes = self.managers(5)
        for node in nodes:
            statuses = list(self.statuses(node).values())
            self.assertEqual(statuses.count("Leader"), 1)
        wait_until(lambda: list(self.statuses(nodes[0]).values()).count("Reachable") == 4, 20,
                   "four managers are reachable")

    def test_a_worker_is_promoted_and_demoted_again(self):
        first = self.one_node()
        second = self.swarm.add()
        second.join(first)
        identity = second.identity()
        first.ctl("node", "promote", identity)
        wait_until(lambda: self.statuses(first)[identity] == "Reachable", 30, "promoted")
        wait_until(lambda: second.ctl("service", "ls", check=False).code == 0, 20,
                   "the new manager answers")
        first.ctl("node", "demote", identity)
        wait_until(lambda: self.statuses(first)[identity] == "", 30, "demoted")
        wait_until(lambda: "not a manager" in second.ctl("service", "ls", check=False).err, 20,
                   "the worker says so")

    def test_the_leader_can_be_demoted(self):
        nodes = self.managers(3)
        leader = self.swarm.leader()
        others = [node for node in nodes if node is not leader]
        others[0].ctl("node", "demote", leader.identity())
        wait_until(lambda: self.statuses(others[0])[leader.identity()] == "", 30, "demoted")
        self.create(others[1], "after")

    def test_of_two_demotions_at_once_that_would_lose_the_quorum_one_is_refused(self):
        nodes = self.managers(4)
        leader = self.swarm.leader()
        dead, *demoted = [node for node in nodes if node is not leader]
        dead.kill()
        wait_until(lambda: self.statuses(leader)[dead.identity()] == "Unreachable", 20, "it is dead")
        outcomes = []

        def demote(asked, node):
            outcomes.append(asked.ctl("node", "demote", node.identity(), check=False))

        # Neither is asked of the node that the other one demotes: that one could say no more than
        # that it is not a manager.
        threads = [threading.Thread(target=demote, args=pair)
                   for pair in ((leader, demoted[0]), (demoted[1], demoted[1]))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcome.code for outcome in outcomes), [0, 1],
                         "\n".join(map(str, outcomes)))
        self.assert_fails(next(outcome for outcome in outcomes if outcome.code),
                          "would lose quorum", "unreachable")
        wait_until(lambda: sum(status != "" for status in self.statuses(leader).values()) == 3, 30,
                   "one is demoted")
        self.create(leader, "after")

    def test_a_dead_manager_is_removed_by_force(self):
        nodes = self.managers(3)
        leader = self.swarm.leader()
        dead = next(node for node in nodes if node is not leader)
        self.assert_fails(leader.ctl("node", "rm", "--force", dead.identity(), check=False),
                          "demote it first")
        dead.kill()
        wait_until(lambda: self.statuses(leader)[dead.identity()] == "Unreachable", 20, "it is dead")
        self.assert_fails(leader.ctl("node", "rm", dead.identity(), check=False), "--force")
        leader.ctl("node", "rm", "--force", dead.identity())
        self.assertEqual(len(leader.rows("node", "ls")), 2)
        # The group counts two: it needs both, and has them.
        self.create(leader, "after")
        dead.start()
        wait_until(lambda: "this node was removed from the swarm" in dead.tail(), 20, "the removed node is told so")

    def test_leaving_claims_a_loss_of_quorum_only_when_it_is_true(self):
        nodes = self.managers(3)
        for node in nodes:
            refused = node.ctl("swarm", "leave", check=False)
            self.assert_fails(refused, "demote it first", "--force")
            self.assertNotIn("quorum", refused.err)
        nodes[2].kill()
        wait_until(lambda: self.statuses(nodes[0])[nodes[2].identity()] == "Unreachable", 20,
                   "one is dead")
        for node in nodes[:2]:
            self.assert_fails(node.ctl("swarm", "leave", check=False), "would lose quorum",
                              "of the 2 resulting managers", "--force")

    def test_a_manager_leaves_and_the_rest_keeps_its_quorum(self):
        nodes = self.managers(3)
        nodes[2].ctl("swarm", "leave", "--force")
        self.create(nodes[0], "one")
        nodes[1].ctl("swarm", "leave", "--force")
        self.create(nodes[0], "two")

    def test_a_node_that_left_can_join_again(self):
        first = self.one_node()
        second = self.swarm.add()
        second.join(first, "manager")
        second.ctl("swarm", "leave", "--force")
        second.join(first, "worker")
        self.assertFalse(json.loads(second.ctl("swarm", "inspect", check=False).out or "[]"))
        wait_until(lambda: [row["Status"] for row in first.rows("node", "ls")].count("Ready") == 2,
                   20, "two nodes are ready")

    def worker_with_a_task(self):
        """A manager that runs nothing, a worker that does, and the worker's port."""
        first = self.one_node()
        first.ctl("node", "update", "--availability", "drain", first.identity())
        second = self.swarm.add()
        second.join(first)
        wait_until(lambda: [row["Status"] for row in first.rows("node", "ls")] == ["Ready"] * 2,
                   20, "two nodes are ready")
        self.create(first, "web", 2, "web:1.0", "--publish", "8080:80")
        self.assertTrue(self.is_open(second, 8080))
        return first, second

    def swarm_of(self, node):
        text = (node.folder / "state" / "node").read_text()
        return dict(line.split(" ", 1) for line in text.splitlines())["swarm"]

    def is_open(self, node, port):
        with socket.socket() as client:
            client.settimeout(5)
            return client.connect_ex((node.address, port)) == 0

    def has_left(self, node, swarm):
        """Whether the node runs nothing but swarmd, and says why."""
        told = node.ctl("version", check=False).out
        return f"removed from swarm {swarm}" in told and node.pids() == [node.process.pid]

    def await_left(self, node, swarm):
        wait_until(lambda: self.has_left(node, swarm), 30, "the removed node has left")
        self.assertFalse(self.is_open(node, 8080))
        self.assertIn("removed from the swarm", node.log.read_text())
        self.assert_fails(node.ctl("service", "ls", check=False), "not part of a swarm",
                          f"removed from swarm {swarm}")

    def test_a_removed_node_stops_its_tasks_and_leaves(self):
        first, second = self.worker_with_a_task()
        swarm, identity = self.swarm_of(second), second.identity()
        self.assert_fails(first.ctl("node", "rm", identity, check=False), "--force")
        first.ctl("node", "rm", "--force", identity)
        self.assertEqual(len(first.rows("node", "ls")), 1)
        self.await_left(second, swarm)
        second.kill()
        second.start()
        self.assertTrue(self.has_left(second, swarm), "it remembers why it is in no swarm")
        second.join(first)
        self.assertNotIn("removed", second.ctl("version").out)
        wait_until(lambda: len(first.tasks("web")) == 2, 30, "its tasks run again")

    def test_a_node_that_comes_back_after_its_removal_stops_its_tasks_and_leaves(self):
        first, second = self.worker_with_a_task()
        swarm, identity = self.swarm_of(second), second.identity()
        second.kill()
        self.assertTrue(self.is_open(second, 8080), "mesh and tasks outlive swarmd")
        first.ctl("node", "rm", "--force", identity)
        second.start()
        self.await_left(second, swarm)

    def test_a_node_that_reaches_no_manager_keeps_its_tasks(self):
        first, second = self.worker_with_a_task()
        before, swarmd = set(second.pids()), second.process.pid
        first.kill()
        wait_until(lambda: "session closed" in second.log.read_text(), 20, "the manager is gone")
        second.kill()
        second.start()
        wait_until(lambda: "task adopted" in second.log.read_text(), 20, "its tasks are adopted")
        self.assertLessEqual(before - {swarmd}, set(second.pids()), "mesh, shims and tasks")
        self.assertTrue(self.is_open(second, 8080))
        first.start()
        wait_until(lambda: len(first.tasks("web")) == 2, 30, "the tasks are known")

    def test_all_managers_restart_and_remember(self):
        nodes = self.managers(3)
        self.create(nodes[0], "kept", 3)
        before = sorted(task["ID"] for task in nodes[0].tasks("kept"))
        for node in nodes:
            node.kill()
        for node in nodes:
            node.start()
        wait_until(lambda: nodes[0].ctl("service", "ls", check=False).code == 0, 20, "a leader")
        wait_until(lambda: sorted(task["ID"] for task in nodes[0].tasks("kept")) == before, 30,
                   "the same tasks run")


if __name__ == "__main__":
    unittest.main()
