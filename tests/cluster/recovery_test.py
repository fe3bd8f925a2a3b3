#!/usr/bin/env python3
"""Managers lost for good: a survivor goes on alone, and a backup brings the swarm back."""

import stat
import unittest

from support import SwarmTest, wait_until


class Recovery(SwarmTest):
    def with_worker(self, managers):
        """Managers that take no tasks, and a worker that runs three."""
        nodes = self.managers(managers)
        worker = self.swarm.add()
        worker.join(nodes[0])
        for node in nodes:
            nodes[0].ctl("node", "update", "--availability", "drain", node.identity())
        self.create(nodes[0], "web", 3)
        wait_until(lambda: len(nodes[0].tasks("web")) == 3, 30, "three tasks run")
        return nodes, worker

    def task_ids(self, node):
        return sorted(task["ID"] for task in node.tasks("web"))

    def statuses(self, node):
        return {row["ID"]: (row["Status"], row["ManagerStatus"]) for row in node.rows("node", "ls")}

    def assert_works_on(self, manager, worker, pids, ids):
        """The worker found the manager, no process of it was touched, and services can be changed."""
        wait_until(lambda: self.statuses(manager)[worker.identity()][0] == "Ready", 40,
                   "the worker found the manager")
        wait_until(lambda: self.task_ids(manager) == ids, 20, "the same tasks run")
        self.assertLessEqual(pids, set(worker.pids()))
        manager.ctl("service", "update", "-q", "--image", "web:1.1", "web")
        wait_until(lambda: len(manager.tasks("web")) == 3 and
                   not set(self.task_ids(manager)) & set(ids), 40, "the update is done")
        self.create(manager, "after")

    def test_a_survivor_goes_on_as_the_only_manager(self):
        managers, worker = self.with_worker(3)
        ids, pids = self.task_ids(managers[0]), set(worker.pids())
        self.assertGreater(len(pids), 3)
        survivor, lost = managers[2], managers[:2]
        self.assert_fails(survivor.ctl("swarm", "init", "--force-new-cluster", check=False),
                          "has a quorum", "nothing to recover")
        token = survivor.ctl("swarm", "join-token", "-q", "worker").out
        lost_ids = [node.identity() for node in lost]
        for node in lost:
            node.kill_host()
        wait_until(lambda: survivor.ctl("service", "ls", check=False).code != 0, 20,
                   "the quorum is lost")
        self.assertLessEqual(pids, set(worker.pids()))

        recovered = survivor.ctl("swarm", "init", "--force-new-cluster")
        self.assertIn("only manager", recovered.out)
        self.assertEqual(survivor.ctl("swarm", "join-token", "-q", "worker").out, token)
        self.assertEqual([status for _, status in self.statuses(survivor).values()].count("Leader"),
                         1)
        for identity in lost_ids:
            self.assertEqual(self.statuses(survivor)[identity][1], "")
        self.assert_works_on(survivor, worker, pids, ids)

        # It is a swarm like any other: it survives a restart, grows, and forgets the lost ones.
        survivor.kill()
        survivor.start()
        wait_until(lambda: survivor.ctl("service", "ls", check=False).code == 0, 20, "it leads")
        wait_until(lambda: all(self.statuses(survivor)[identity][0] == "Down"
                               for identity in lost_ids), 30, "the lost ones are down")
        for identity in lost_ids:
            survivor.ctl("node", "rm", identity)
        fresh = self.swarm.add()
        fresh.join(survivor, "manager")
        self.create(fresh, "grown")

    def test_a_lost_manager_that_comes_back_is_a_worker(self):
        managers = self.managers(3)
        for node in managers[1:]:
            node.kill()
        managers[0].ctl("swarm", "init", "--force-new-cluster")
        back = managers[1].start()
        wait_until(lambda: self.statuses(managers[0])[back.identity()] == ("Ready", ""), 40,
                   "it is a worker of the swarm that went on")
        wait_until(lambda: "not a manager" in back.ctl("service", "ls", check=False).err, 20,
                   "and knows it")
        managers[0].ctl("node", "promote", back.identity())
        wait_until(lambda: self.statuses(managers[0])[back.identity()][1] == "Reachable", 40,
                   "it can be a manager again")

    def test_a_backup_brings_the_swarm_back(self):
        managers, worker = self.with_worker(1)
        manager = managers[0]
        ids, pids = self.task_ids(manager), set(worker.pids())
        swarm = manager.ctl("swarm", "inspect", "--format", "{{.ID}}").out
        token = manager.ctl("swarm", "join-token", "-q", "worker").out
        file = self.swarm.folder / "swarm.backup"
        self.assertIn("saved to", manager.ctl("swarm", "backup", str(file)).out)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        # What is written after it does not come back.
        self.create(manager, "forgotten", 0)
        manager.kill_host()

        # A new machine at the old address: the worker finds it there.
        fresh = self.swarm.add(prepare_node=lambda node: setattr(node, "address", manager.address))
        restored = fresh.ctl("swarm", "restore", "--listen-addr", fresh.address,
                             "--advertise-addr", fresh.address, str(file))
        self.assertIn("only manager", restored.out)
        self.assertEqual(fresh.ctl("swarm", "inspect", "--format", "{{.ID}}").out, swarm)
        self.assertEqual(fresh.ctl("swarm", "join-token", "-q", "worker").out, token)
        self.assertEqual([row["Name"] for row in fresh.rows("service", "ls")], ["web"])
        self.assert_works_on(fresh, worker, pids, ids)
        fresh.kill()
        fresh.start()
        wait_until(lambda: fresh.ctl("service", "ls", check=False).code == 0, 20, "it leads again")
        self.assert_fails(fresh.ctl("swarm", "restore", str(file), check=False),
                          "already part of a swarm")

    def test_a_backup_that_cannot_be_made_or_used_says_why(self):
        manager = self.one_node()
        worker = self.swarm.add()
        file = self.swarm.folder / "swarm.backup"
        self.assert_fails(worker.ctl("swarm", "backup", str(file), check=False),
                          "not part of a swarm")
        self.assert_fails(worker.ctl("swarm", "init", "--force-new-cluster", check=False),
                          "not part of a swarm")
        worker.join(manager)
        self.assert_fails(worker.ctl("swarm", "backup", str(file), check=False), "on a manager")
        self.assert_fails(worker.ctl("swarm", "init", "--force-new-cluster", check=False),
                          "this node is a worker")
        self.assert_fails(manager.ctl("swarm", "backup", "/no/such/folder/file", check=False),
                          "could not be written", "/no/such/folder/file")
        self.assert_fails(manager.ctl("swarm", "backup", str(self.swarm.folder), check=False),
                          "is a folder, not a regular file")
        self.assertFalse(file.exists())
        manager.ctl("swarm", "backup", str(file))

        fresh = self.swarm.add()
        bad = self.swarm.folder / "bad"
        self.assert_fails(fresh.ctl("swarm", "restore", str(bad), check=False), str(bad),
                          "No such file")
        bad.write_text("#!/bin/sh\necho hello\n")
        self.assert_fails(fresh.ctl("swarm", "restore", str(bad), check=False),
                          "is no backup of a swarm")
        whole = file.read_bytes()
        for damaged in (whole[:-1], whole[:len(whole) // 2], whole + b"x",
                        whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]):
            bad.write_bytes(damaged)
            self.assert_fails(fresh.ctl("swarm", "restore", str(bad), check=False), "damaged")
        bad.write_bytes(whole[:8] + b"\x63" + whole[9:])
        self.assert_fails(fresh.ctl("swarm", "restore", str(bad), check=False), "format 99")
        # None of it left anything behind.
        fresh.join(manager)


if __name__ == "__main__":
    unittest.main()
