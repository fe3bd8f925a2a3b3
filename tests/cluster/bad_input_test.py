#!/usr/bin/env python3
"""Every bad input gets a sentence that names the fix and a non-zero exit, and changes nothing."""

import socket
import unittest

from support import SwarmTest


class BadInput(SwarmTest):
    def test_commands_outside_a_swarm(self):
        node = self.swarm.add()
        self.assert_fails(node.ctl("service", "ls", check=False), "not part of a swarm",
                          "swarmctl swarm init")
        self.assert_fails(node.ctl("swarm", "leave", check=False), "not part of a swarm")

    def test_a_second_init(self):
        node = self.one_node()
        self.assert_fails(node.ctl("swarm", "init", check=False), "already part of a swarm",
                          "swarm leave")

    def test_joins_that_must_fail(self):
        manager = self.one_node()
        node = self.swarm.add()
        token = manager.ctl("swarm", "join-token", "-q", "worker").out.strip()
        flags = ("--listen-addr", node.address, "--advertise-addr", node.address)
        target = f"{manager.address}:2377"

        def join(with_token, address=target):
            return node.ctl("swarm", "join", "--token", with_token, *flags, address, check=False)

        wrong_secret = token[:-25] + "0" * 25
        self.assert_fails(join(wrong_secret), "token")
        wrong_digest = token[:9] + "0" * 50 + token[59:]
        self.assert_fails(join(wrong_digest), "does not match")
        self.assert_fails(join("garbage"), "SWMTKN-1-")
        unreachable = join(token, f"{self.swarm.prefix}99:2377")
        self.assert_fails(unreachable, f"{self.swarm.prefix}99:2377")
        self.assertLess(unreachable.seconds, 20)
        manager.ctl("swarm", "join-token", "--rotate", "worker")
        self.assert_fails(join(token), "token")
        self.assertEqual(len(manager.rows("node", "ls")), 1)
        # Nothing was left behind: the right token works.
        node.join(manager)

    def test_commands_on_a_worker(self):
        manager = self.one_node()
        worker = self.swarm.add()
        worker.join(manager)
        self.assert_fails(worker.ctl("service", "ls", check=False), "not a manager", "promote")

    def test_names_values_and_forms(self):
        node = self.one_node()
        create = ("service", "create", "-d")
        cases = [
            (("--name", "Bad_Name_"), "name"),
            (("--publish", "99999:80"), "port"),
            (("--publish", "mode=sideways,target=80"), "mode"),
            (("--update-delay", "fast"), "duration"),
            (("--limit-memory", "lots"), "size"),
            (("--update-max-failure-ratio", "1.5"), "ratio"),
            (("--constraint", "node.role=manager"), "=="),
            (("--constraint", "node.colour==red"), "node.labels"),
            (("--replicas", "-1"), "replicas"),
        ]
        for flags, fragment in cases:
            with self.subTest(flags=flags):
                command = node.ctl(*create, *flags, "web:1.0", check=False)
                self.assertIn(command.code, (1, 125), str(command))
                self.assertIn(fragment, command.err.lower(), str(command))
        self.assert_fails(node.ctl(*create, "--name", "x", "UPPER/Case::bad", check=False), "image")
        self.assertEqual(node.ctl("service", "ls", "-q").out, "")

    def test_a_service_without_a_name_is_given_one(self):
        node = self.one_node()
        node.ctl("service", "create", "-q", "-d", "web:1.0")
        node.ctl("service", "create", "-q", "-d", "web:1.0")
        names = {row["Name"] for row in node.rows("service", "ls")}
        self.assertEqual(len(names), 2)
        self.assertRegex(names.pop(), "^[a-z]+-[a-z]+$")

    def test_duplicates_and_unknowns(self):
        node = self.one_node()
        self.create(node, "one", 1, "web:1.0", "--publish", "published=8080,target=80")
        self.assert_fails(node.ctl("service", "create", "-d", "--name", "one", "web:1.0",
                                   check=False), "already")
        self.assert_fails(node.ctl("service", "create", "-d", "--name", "two", "--publish",
                                   "published=8080,target=80", "web:1.0", check=False),
                          "8080", "one")
        self.assert_fails(node.ctl("service", "update", "--image", "web:1.1", "nobody",
                                   check=False), "nobody", "not found")
        self.assert_fails(node.ctl("service", "update", "--rollback", "one", check=False),
                          "previous")
        self.assertEqual(len(node.rows("service", "ls")), 1)

    def test_a_spec_of_two_megabytes(self):
        node = self.one_node()
        variables = node.folder / "variables"
        variables.write_text("".join(f"V{i}={'x' * 36_000}\n" for i in range(60)))
        command = node.ctl("service", "create", "-d", "--env-file", str(variables), "web:1.0",
                           check=False)
        self.assert_fails(command, "large")
        self.assertEqual(node.ctl("service", "ls", "-q").out, "")

    def test_the_last_manager_stays(self):
        node = self.one_node()
        worker = self.swarm.add()
        worker.join(node)
        self.assert_fails(node.ctl("node", "demote", node.identity(), check=False), "last manager")
        self.assert_fails(node.ctl("node", "rm", "--force", node.identity(), check=False),
                          "demote")
        self.assert_fails(node.ctl("swarm", "leave", check=False), "last manager", "--force")

    def test_an_image_that_no_node_has(self):
        node = self.one_node()
        command = node.ctl("service", "create", "--name", "ghost", "--timeout", "30s",
                           "--restart-delay", "100ms", "nothing:9", check=False)
        self.assert_fails(command, "nothing will change by waiting", 'no such image "nothing:9"')
        errors = [row["Error"] for row in node.rows("service", "ps", "--no-trunc", "ghost")]
        self.assertTrue(any('no such image "nothing:9"' in error for error in errors), errors)

    def test_a_port_that_another_program_holds(self):
        node = self.one_node()
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((node.address, 8080))
            other.listen()
            node.ctl("service", "create", "--name", "busy", "--timeout", "5s",
                     "--restart-delay", "100ms", "--publish",
                     "mode=host,published=8080,target=80", "web:1.0", check=False)
            text = node.ctl("service", "ps", "--no-trunc", "busy").out
            self.assertIn("8080", text)
            self.assertIn("in use", text)

    def test_the_control_socket_is_for_owner_and_group(self):
        node = self.one_node()
        self.assertEqual(node.socket.stat().st_mode & 0o777, 0o660)

    def test_a_state_folder_of_another_swarm(self):
        first = self.one_node()
        second = self.swarm.add()
        second.init()
        for node in (first, second):
            node.kill()
        stolen = (second.folder / "state" / "node.pem").read_bytes()
        (first.folder / "state" / "node.pem").write_bytes(stolen)
        first.start()
        self.assert_fails(first.ctl("service", "ls", check=False), "mixes two memberships",
                          "swarmctl swarm leave --force")


if __name__ == "__main__":
    unittest.main()
