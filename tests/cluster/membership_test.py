#!/usr/bin/env python3
"""Managers come and go: join, promote, demote, leave, and a swarm of one, three and five."""

import json
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

    def test_a_removed_node_is_refused(self):
        first = self.one_node()
        second = self.swarm.add()
        second.join(first)
        identity = second.identity()
        self.assert_fails(first.ctl("node", "rm", identity, check=False), "--force")
        first.ctl("node", "rm", "--force", identity)
        self.assertEqual(len(first.rows("node", "ls")), 1)
        second.kill()
        second.start()
        # It may ask as often as it likes: nobody lists it.
        wait_until(lambda: "node refused" in second.tail(), 20, "the removed node is told so")
        self.assertEqual(len(first.rows("node", "ls")), 1)

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
