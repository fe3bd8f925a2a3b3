#!/usr/bin/env python3
"""What a bad version can take along, and where a rollout ends: three nodes, real processes."""

import subprocess
import unittest

from support import SwarmTest, wait_until

DIES = "/bin/sh -c 'sleep 0.5; echo no config >&2; exit 7'"


class Rollouts(SwarmTest):
    def ids(self, node):
        return {row["ID"] for row in node.tasks("web")}

    def update(self, node, *flags):
        return node.ctl("service", "update", *flags, "web", check=False)

    def watch_for_lost_tasks(self, node, before, command):
        """Runs `command`; the tasks of `before` that did not run at some moment of it."""
        lost = set()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None:
            lost |= before - self.ids(node)
        return process.returncode, process.stderr.read(), lost

    def swarmctl(self, node, *arguments):
        return [str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", *arguments]

    def test_a_version_that_dies_at_once_takes_no_old_task_along(self):
        nodes = self.managers()
        nodes[0].ctl("service", "create", "-q", "--name", "web", "--replicas", "4", "web:1.0")
        before = self.ids(nodes[0])
        code, error, lost = self.watch_for_lost_tasks(
            nodes[0], before,
            self.swarmctl(nodes[0], "service", "update", "-q", "--entrypoint", DIES, "web"))
        self.assertEqual(code, 3, error)
        self.assertEqual(lost, set())
        self.assertEqual(self.ids(nodes[0]), before)
        # The cause stands where it is read: name, node, exit code, and what to type next.
        self.assertRegex(error, r"web\.1 on node \S+: task: non-zero exit \(7\)")
        self.assertIn("`swarmctl service update web` tries again", error)
        self.assertIn("non-zero exit (7)", nodes[0].inspect("web")["UpdateStatus"]["Message"])

    def test_with_stop_first_at_most_one_slot_leaves_the_old_version(self):
        nodes = self.managers()
        nodes[0].ctl("service", "create", "-q", "--name", "web", "--replicas", "4",
                     "--update-order", "stop-first", "web:1.0")
        before = self.ids(nodes[0])
        code, error, lost = self.watch_for_lost_tasks(
            nodes[0], before,
            self.swarmctl(nodes[0], "service", "update", "-q", "--entrypoint", DIES, "web"))
        self.assertEqual(code, 3, error)
        self.assertLessEqual(len(lost), 1)

    def test_rollbacks_go_to_what_converged_and_tell_why(self):
        node = self.one_node()
        self.create(node, "web", 2)
        self.assertEqual(self.update(node, "--image", "web:broken").code, 3)
        command = self.update(node, "--entrypoint", DIES, "--update-failure-action", "rollback",
                              "--image", "web:1.1")
        self.assertEqual(command.code, 2, str(command))
        self.assertRegex(command.err, r"revision 3 failed: web\.\d on node \S+: .*exit \(7\)")
        self.assertEqual({row["Image"] for row in node.tasks("web")}, {"web:1.0"})
        self.assertEqual(len(node.tasks("web")), 2)
        self.assertEqual(node.inspect("web")["UpdateStatus"]["State"], "rollback_completed")

    def test_a_paused_rollout_is_resumed_by_any_update_and_not_by_scaling(self):
        node = self.one_node()
        self.create(node, "web", 1)
        self.assertEqual(self.update(node, "--entrypoint", "/bin/sh -c 'test -e /nope'").code, 3)
        scaled = node.ctl("service", "scale", "web=2", check=False, limit=30)
        self.assertEqual(scaled.code, 3, str(scaled))
        self.assertIn("scaling does not resume it", scaled.err)
        wait_until(lambda: len(node.tasks("web")) == 2, 20, "the new slot runs what converged")
        for flags in ([], ["--label-add", "a=b"], ["--update-failure-action", "pause"]):
            command = node.ctl("service", "update", *flags, "web", check=False, limit=60)
            self.assertEqual(command.code, 3, str(command))
        self.assertEqual(self.update(node, "--entrypoint", "").code, 0)

    def test_a_version_that_dies_stays_bad_however_the_rollout_is_resumed(self):
        node = self.one_node()
        self.create(node, "web", 3, "web:1.0", "--update-order", "stop-first")
        self.assertEqual(self.update(node, "--update-monitor", "2s", "--entrypoint", DIES).code, 3)
        old = [row["ID"] for row in node.tasks("web") if row["CurrentState"].startswith("Running")]
        for flags in ((), ("--label-add", "a=b"), ("--constraint-add", "node.role==manager")):
            resumed = self.update(node, "--timeout", "60s", *flags)
            self.assertEqual(resumed.code, 3, f"{flags}: {resumed}")
            self.assertIn("non-zero exit (7)", resumed.err)
            self.assertLessEqual(set(old[:2]), self.ids(node), "no other slot is touched")
        failed = self.update(node, "--image", "web:broken", "--update-failure-action", "rollback")
        self.assertEqual(failed.code, 2, str(failed))
        self.assertEqual({row["Image"] for row in node.tasks("web")
                          if row["CurrentState"].startswith("Running")}, {"web:1.0"})

    def test_an_update_that_is_superseded_says_so(self):
        node = self.one_node()
        self.create(node, "web", 4)
        first = subprocess.Popen(
            self.swarmctl(node, "service", "update", "--image", "web:1.1", "web"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: node.inspect("web").get("UpdateStatus", {}).get("State") == "updating",
                   20, "the first update is on")
        second = self.update(node, "--image", "web:1.0", "--env-add", "A=1")
        self.assertEqual(second.code, 0, str(second))
        _, error = first.communicate(timeout=30)
        self.assertEqual(first.returncode, 5, error)
        self.assertIn("superseded", error)

    def test_a_change_of_placement_or_port_restarts_nothing_that_fits(self):
        nodes = self.managers()
        self.create(nodes[0], "web", 3, "web:1.0", "--publish", "8080:80")
        before = self.ids(nodes[0])
        for flags in (["--constraint-add", "node.role==manager"],
                      ["--constraint-rm", "node.role==manager"],
                      ["--placement-pref-add", "spread=node.labels.zone"],
                      ["--replicas-max-per-node", "2"],
                      ["--publish-rm", "80", "--publish-add", "8081:80"]):
            command = self.update(nodes[0], *flags)
            self.assertEqual(command.code, 0, str(command))
            self.assertEqual(self.ids(nodes[0]), before, flags)
        load = self.swarm.load(f"{nodes[1].address}:8081")
        wait_until(lambda: load.totals()["ok"] > 50, 20, "the new port answers")
        self.assert_none_failed(load)

    def test_waits_that_nothing_would_end_are_ended(self):
        node = self.one_node()
        done = node.ctl("service", "create", "--restart-condition", "none", "--entrypoint",
                        "/bin/true", "web:1.0", check=False, limit=60)
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("have finished", done.out)
        gave_up = node.ctl("service", "create", "--restart-max-attempts", "2", "--restart-delay",
                           "100ms", "--entrypoint", "/nope", "web:1.0", check=False, limit=60)
        self.assertEqual(gave_up.code, 1, str(gave_up))
        self.assertIn("nothing will change by waiting", gave_up.err)

    def test_scaling_down_returns_when_the_tasks_are_gone(self):
        node = self.one_node()
        self.create(node, "web", 3)
        node.ctl("service", "scale", "web=1")
        self.assertEqual(len(list((node.folder / "state" / "tasks").iterdir())), 1)


if __name__ == "__main__":
    unittest.main()
