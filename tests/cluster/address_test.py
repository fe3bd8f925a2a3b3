#!/usr/bin/env python3
"""Where a node says it is: interfaces, names, IPv6, and addresses that nobody reaches."""

import random
import socket
import unittest
import urllib.request

from support import SwarmTest, wait_until


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def free_port():
    """A port that nothing listens on, on any address."""
    while True:
        port = random.randint(20_000, 29_999)
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::", port))
            return port
        except OSError:
            continue


def page(address, port):
    return urllib.request.urlopen(f"http://{address}:{port}/", timeout=10).read()


def await_page(address, port):
    """A mesh opens its ports a moment after its table has come."""
    def answers():
        try:
            return b"1.0" in page(address, port)
        except OSError:
            return False
    wait_until(answers, 20, f"port {port} is served on {address}")


class Addresses(SwarmTest):
    def test_what_cannot_be_reached_is_refused_with_the_right_form(self):
        node = self.swarm.add()
        cases = [
            ("::1:2377", ("[::1]:2377",)),
            ("fe80::1%eth0", ("zone",)),
            ("192.0.2.77", ("192.0.2.77", "--force")),
            ("no-such-host.invalid", ("no-such-host.invalid", "lo")),
            ("0.0.0.0", ("other nodes can reach",)),
        ]
        for address, fragments in cases:
            with self.subTest(address=address):
                self.assert_fails(node.ctl("swarm", "init", "--advertise-addr", address,
                                           check=False), *fragments)
        # None of it left anything behind.
        node.init()

    def test_an_interface_and_a_name_stand_for_their_address(self):
        port = free_port()
        for given in ("lo", "localhost"):
            with self.subTest(given=given):
                node = self.swarm.add("--mesh-port", str(free_port()))
                made = node.ctl("swarm", "init", "--listen-addr", f"127.0.0.1:{port}",
                                "--advertise-addr", given)
                self.assertRegex(made.out, rf"swarm join --token \S+ 127\.0\.0\.1:{port}")
                node.ctl("swarm", "leave", "--force")

    def test_behind_a_translator_a_foreign_address_is_advertised_by_force(self):
        node = self.swarm.add()
        made = node.ctl("swarm", "init", "--force", "--listen-addr", node.address,
                        "--advertise-addr", "192.0.2.77")
        self.assertIn(" 192.0.2.77:2377", made.out)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_a_swarm_on_ipv6(self):
        port, mesh, published = free_port(), free_port(), free_port()
        node = self.swarm.add("--mesh-port", str(mesh))
        made = node.ctl("swarm", "init", "--listen-addr", f"[::1]:{port}", "--advertise-addr",
                        "[::1]")
        join = next(line.split() for line in made.out.splitlines() if "swarm join" in line)
        self.assertEqual(join[-1], f"[::1]:{port}")
        node.await_ready(1)
        self.create(node, "web", 1, "web:1.0", "--publish", f"published={published},target=80")
        await_page("[::1]", published)

        # The printed command, as it is.
        worker = self.swarm.add()
        worker.ctl("swarm", *join[2:], "--listen-addr", worker.address, "--advertise-addr",
                   worker.address)
        node.await_ready(2)
        await_page(worker.address, published)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_both_families_are_listened_on(self):
        port, mesh, published = free_port(), free_port(), free_port()
        node = self.swarm.add("--mesh-port", str(mesh))
        node.ctl("swarm", "init", "--listen-addr", f"[::]:{port}", "--advertise-addr",
                 f"{node.address}:{port}")
        node.await_ready(1)
        self.create(node, "web", 1, "web:1.0", "--publish", f"published={published},target=80")
        for address in ("127.0.0.1", node.address, "[::1]"):
            await_page(address, published)
        for family, address in ((socket.AF_INET, node.address), (socket.AF_INET6, "::1")):
            with socket.socket(family) as visitor:
                visitor.connect((address, port))

    def test_a_manager_that_nobody_reaches_is_not_let_in(self):
        first = self.one_node()
        node = self.swarm.add()
        token = first.ctl("swarm", "join-token", "-q", "manager").out.strip()
        away = f"{self.swarm.prefix}99:2377"
        refused = node.ctl("swarm", "join", "--token", token, "--listen-addr", node.address,
                           "--advertise-addr", away, f"{first.address}:2377", check=False)
        self.assert_fails(refused, away, "--advertise-addr")
        self.assertLess(refused.seconds, 30)
        self.assertEqual(len(first.rows("node", "ls")), 1)
        self.create(first, "after", 0)
        # Somebody else's address is no better.
        refused = node.ctl("swarm", "join", "--token", token, "--listen-addr", node.address,
                           "--advertise-addr", first.address, f"{first.address}:2377", check=False)
        self.assert_fails(refused, first.address, "answers there")
        self.assertEqual(len(first.rows("node", "ls")), 1)
        node.join(first, "manager")

    def test_a_worker_that_nobody_reaches_is_not_promoted(self):
        first = self.one_node()
        worker = self.swarm.add()
        away = f"{self.swarm.prefix}99:2377"
        token = first.ctl("swarm", "join-token", "-q", "worker").out.strip()
        worker.ctl("swarm", "join", "--token", token, "--listen-addr", worker.address,
                   "--advertise-addr", away, f"{first.address}:2377")
        first.await_ready(2)
        self.assert_fails(first.ctl("node", "promote", worker.identity(), check=False), away)
        row = next(row for row in first.rows("node", "ls") if row["ID"] == worker.identity())
        self.assertEqual(row["ManagerStatus"], "")
        self.create(first, "after", 0)
        wait_until(lambda: "not a manager" in worker.ctl("service", "ls", check=False).err, 20,
                   "it is a worker")


if __name__ == "__main__":
    unittest.main()
