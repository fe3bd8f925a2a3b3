#!/usr/bin/env python3
"""The story of the README on one node: one replica behind one host port, never a failed request."""

import unittest

from support import SwarmTest, wait_until


class Story(SwarmTest):
    def create_sample(self, node, *flags):
        return self.create(node, "sample", 1, "web:1.0", "--publish",
                           "mode=host,target=80,published=8080", *flags)

    def load(self, node):
        load = self.swarm.load(f"{node.address}:8080")
        wait_until(lambda: load.totals()["ok"] > 20, 20, "the client gets answers")
        return load

    def test_init_prints_how_to_join(self):
        node = self.swarm.add()
        out = node.init().out
        self.assertIn("is now a manager", out)
        self.assertRegex(out, r"    swarmctl swarm join --token SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25} "
                              rf"{node.address}:2377")
        self.assertIn("swarmctl swarm join-token manager", out)

    def test_update_and_cyclical_rollback_drop_no_request(self):
        node = self.one_node()
        self.create_sample(node)
        load = self.load(node)
        node.ctl("service", "update", "--image", "web:1.1", "sample")
        self.assertEqual(node.inspect("sample")["UpdateStatus"]["State"], "completed")
        node.ctl("service", "update", "--rollback", "sample")
        self.assertEqual(node.inspect("sample")["UpdateStatus"]["State"], "rollback_completed")
        node.ctl("service", "update", "--rollback", "sample")
        totals = self.assert_none_failed(load)
        self.assertIn("web 1.0", totals["bodies"])
        self.assertIn("web 1.1", totals["bodies"])
        image = node.tasks("sample")[0]["Image"]
        self.assertEqual(image, "web:1.1")

    def test_stop_first_drops_no_request_either(self):
        node = self.one_node()
        self.create_sample(node, "--update-order", "stop-first")
        load = self.load(node)
        node.ctl("service", "update", "--image", "web:1.1", "sample")
        self.assert_none_failed(load)

    def test_killing_swarmd_leaves_tasks_serving_and_they_are_adopted(self):
        node = self.one_node()
        self.create_sample(node)
        before = node.tasks("sample")
        load = self.load(node)
        node.kill()
        asked = load.totals()["ok"]
        wait_until(lambda: load.totals()["ok"] > asked + 50, 20, "the service serves without swarmd")
        node.start()
        after = wait_until(lambda: node.tasks("sample"), 20, "the task is reported again")
        self.assertEqual([task["ID"] for task in before], [task["ID"] for task in after])
        node.ctl("service", "update", "--image", "web:1.1", "sample")
        self.assert_none_failed(load)

    def test_a_broken_update_is_rolled_back_and_says_so(self):
        node = self.one_node()
        self.create_sample(node, "--update-failure-action", "rollback")
        load = self.load(node)
        command = node.ctl("service", "update", "--image", "web:broken", "sample", check=False)
        self.assertEqual(command.code, 2, str(command))
        self.assertEqual(node.inspect("sample")["UpdateStatus"]["State"], "rollback_completed")
        self.assert_none_failed(load)

    def test_a_broken_update_pauses_by_default(self):
        node = self.one_node()
        self.create_sample(node)
        load = self.load(node)
        command = node.ctl("service", "update", "--image", "web:broken", "sample", check=False)
        self.assertEqual(command.code, 3, str(command))
        self.assertIn("paused", command.err)
        self.assert_none_failed(load)

    def test_scaling_down_drops_no_request(self):
        node = self.one_node()
        self.create(node, "sample", 4, "web:1.0", "--publish", "published=8080,target=80")
        load = self.load(node)
        node.ctl("service", "scale", "sample=1")
        wait_until(lambda: len(node.tasks("sample")) == 1, 20, "one task is left")
        self.assert_none_failed(load)

    def test_remove_stops_everything(self):
        node = self.one_node()
        self.create_sample(node)
        node.ctl("service", "rm", "sample")
        wait_until(lambda: not list((node.folder / "state" / "tasks").iterdir()), 20,
                   "no task is left on the node")
        self.assertEqual(node.ctl("service", "ls", "-q").out, "")

    def test_history_lists_revisions_and_rollback_reaches_any(self):
        node = self.one_node()
        self.create_sample(node)
        node.ctl("service", "update", "-q", "--image", "web:1.1", "sample")
        node.ctl("service", "update", "-q", "--env-add", "A=1", "sample")
        node.ctl("service", "rollback", "-q", "--to", "1", "sample")
        self.assertEqual(node.tasks("sample")[0]["Image"], "web:1.0")
        self.assertEqual(len(node.rows("service", "history", "sample")), 3)


if __name__ == "__main__":
    unittest.main()
