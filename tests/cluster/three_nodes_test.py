#!/usr/bin/env python3
"""Three nodes: spread, the ingress port on every address, and what becomes of lost nodes."""

import collections
import http.client
import unittest

from support import SwarmTest, wait_until


def get(node, port):
    connection = http.client.HTTPConnection(node.address, port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode().strip()
    finally:
        connection.close()


class ThreeNodes(SwarmTest):
    def wide(self, node, *flags):
        self.create(node, "wide", 6, "web:1.0", "--publish", "published=8081,target=80", *flags)

    def load(self, *nodes):
        load = self.swarm.load(*(f"{node.address}:8081" for node in nodes))
        wait_until(lambda: load.totals()["ok"] > 20, 20, "the client gets answers")
        return load

    def test_replicas_spread_evenly_and_every_address_answers(self):
        nodes = self.managers()
        self.wide(nodes[0])
        spread = collections.Counter(task["Node"] for task in nodes[0].tasks("wide"))
        self.assertEqual(sorted(spread.values()), [2, 2, 2])
        for node in nodes:
            self.assertIn("web 1.0", get(node, 8081))

    def test_update_in_pairs_and_rollback_drop_no_request(self):
        nodes = self.managers()
        self.wide(nodes[0], "--update-parallelism", "2", "--update-delay", "1s",
                  "--rollback-parallelism", "3")
        load = self.load(*nodes)
        nodes[1].ctl("service", "update", "--image", "web:1.1", "wide")
        nodes[2].ctl("service", "update", "--rollback", "wide")
        self.assert_none_failed(load)

    def test_a_lost_worker_is_replaced_elsewhere(self):
        manager = self.one_node()
        workers = [self.swarm.add(), self.swarm.add()]
        for worker in workers:
            worker.join(manager)
        self.wide(manager)
        lost = workers[0].identity()
        workers[0].kill_host()
        wait_until(lambda: len([task for task in manager.tasks("wide")
                                if task["Node"] != lost]) == 6, 30, "six tasks elsewhere")
        states = {row["ID"]: row["Status"] for row in manager.rows("node", "ls")}
        self.assertEqual(states[lost], "Down")

    def test_a_killed_leader_is_replaced_and_its_update_goes_on(self):
        nodes = self.managers()
        self.wide(nodes[0], "--update-parallelism", "1", "--update-delay", "500ms")
        leader = self.swarm.leader()
        others = [node for node in nodes if node is not leader]
        load = self.load(*others)
        others[0].ctl("service", "update", "-d", "--image", "web:1.1", "wide")
        leader.kill()
        wait_until(lambda: others[1].ctl("service", "ls", check=False).code == 0, 10,
                   "another manager answers")
        wait_until(lambda: others[1].inspect("wide")["UpdateStatus"]["State"] == "completed", 90,
                   "the update completes under the new leader")
        self.assert_none_failed(load)
        leader.start()
        wait_until(lambda: len(others[0].tasks("wide")) == 6, 30, "six tasks")

    def test_killed_daemons_leave_their_tasks_and_find_them_again(self):
        nodes = self.managers()
        self.wide(nodes[0])
        before = sorted(task["ID"] for task in nodes[0].tasks("wide"))
        load = self.load(*nodes)
        for node in nodes[1:]:
            node.kill()
            node.start()
        wait_until(lambda: sorted(task["ID"] for task in nodes[0].tasks("wide")) == before, 30,
                   "the same tasks run")
        self.assert_none_failed(load)

    def test_drain_moves_tasks_without_a_failed_request(self):
        nodes = self.managers()
        self.wide(nodes[0])
        load = self.load(*nodes)
        drained = nodes[2].identity()
        nodes[0].ctl("node", "update", "--availability", "drain", drained)
        wait_until(lambda: len(nodes[0].tasks("wide")) == 6 and not [
            task for task in nodes[0].tasks("wide") if task["Node"] == drained], 60,
            "the drained node is empty")
        self.assert_none_failed(load)


if __name__ == "__main__":
    unittest.main()
