#!/usr/bin/env python3
"""Managers come and go: join, promote, demote, leave, and a swarm of one, three and five."""

import json
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

        threads = [threading.Thread(target=demote, args=pair)
                   for pair in ((demoted[0], demoted[1]), (demoted[1], demoted[0]))]
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
        wait_until(lambda: "node refused" in dead.tail(), 20, "the removed node is told so")

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
