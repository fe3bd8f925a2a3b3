#!/usr/bin/env python3
"""Certificates renew themselves while the swarm works on."""

import re
import ssl
import subprocess
import time
import unittest

from support import SwarmTest, wait_until

EXPIRY = 8  # seconds
LONG_EXPIRY = 20  # of a swarm that has to come together first


def own_certificate(node):
    """The leaf in the node's state folder."""
    text = (node.folder / "state" / "node.pem").read_text()
    return re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)[0]


def shown_certificate(node):
    """The leaf the node's server shows to whoever connects."""
    return ssl.get_server_certificate((node.address, 2377)).strip()


def is_past(certificate):
    """Whether its time is up."""
    text = subprocess.run(["openssl", "x509", "-noout", "-checkend", "0"], input=certificate,
                          capture_output=True, text=True, check=False)
    return text.returncode == 1


class Certificates(SwarmTest):
    def test_renew_before_they_expire_without_a_restart(self):
        manager, other, worker = (self.swarm.add("--min-cert-expiry", "1s") for _ in range(3))
        manager.ctl("swarm", "init", "--listen-addr", manager.address, "--advertise-addr",
                    manager.address, "--cert-expiry", f"{EXPIRY}s")
        other.join(manager, "manager")
        worker.join(manager)
        self.create(manager, "web", 3, "web:1.0", "--publish", "published=8080,target=80")
        load = self.swarm.load(*(f"{node.address}:8080" for node in self.swarm.nodes))
        nodes = (manager, other, worker)
        for _ in range(2):
            old = [own_certificate(node) for node in nodes]
            for node, before in zip(nodes, old):
                wait_until(lambda: own_certificate(node) != before, 3 * EXPIRY,
                           f"a new certificate of {node.name}")
        for node in (manager, other):
            wait_until(lambda: shown_certificate(node) == own_certificate(node), 5,
                       f"the server of {node.name} shows its new certificate")
        # By now every certificate the swarm began with has expired.
        late = self.swarm.add()
        late.join(other)
        manager.ctl("service", "scale", "web=4")
        other.ctl("service", "update", "--image", "web:1.1", "web")
        self.assertEqual(len(worker.swarm.nodes), 4)
        self.assertEqual({row["Status"] for row in manager.rows("node", "ls")}, {"Ready"})
        for node in nodes:
            self.assertIsNone(node.process.poll())
        self.assert_none_failed(load)

    def swarm_with_a_worker_that_was_off(self, *flags):
        """Both nodes; the worker is off, and its certificate has expired."""
        manager, worker = (self.swarm.add("--min-cert-expiry", "1s") for _ in range(2))
        manager.ctl("swarm", "init", "--listen-addr", manager.address, "--advertise-addr",
                    manager.address, "--cert-expiry", f"{EXPIRY}s", *flags)
        worker.join(manager)
        manager.await_ready(2)
        worker.kill()
        wait_until(lambda: is_past(own_certificate(worker)), 3 * EXPIRY, "its end")
        return manager, worker

    def test_one_that_ran_out_while_the_node_was_off_is_renewed(self):
        manager, worker = self.swarm_with_a_worker_that_was_off()
        expired = own_certificate(worker)
        worker.start()
        manager.await_ready(2)
        self.assertNotEqual(own_certificate(worker), expired)
        self.create(manager, "web", 2, "web:1.0")

    def test_one_that_ran_out_long_ago_says_so_and_what_to_do(self):
        manager, worker = self.swarm_with_a_worker_that_was_off("--cert-renewal-grace", "1ms")
        worker.start()
        said = wait_until(lambda: next((line for line in worker.log.read_text().splitlines()
                                        if "certificate has expired" in line), None), 30, "the cause")
        for fragment in (worker.identity(), "expired at", "swarmctl swarm leave --force"):
            self.assertIn(fragment, said)
        # A handful of attempts later nothing is said again, on either side.
        start = {node: len(node.log.read_text().splitlines()) for node in (manager, worker)}
        end = time.monotonic() + 5
        wait_until(lambda: time.monotonic() > end, 10, "five seconds of attempts")
        for node, before in start.items():
            new = [line for line in node.log.read_text().splitlines()[before:]
                   if "certificate" in line.lower() or "handshake" in line.lower()
                   or "grpc" in line]
            self.assertLessEqual(len(new), 3, "\n".join(new))
        worker.ctl("swarm", "leave", "--force")
        worker.join(manager)
        wait_until(lambda: [row["Status"] for row in manager.rows("node", "ls")].count("Ready") == 2,
                   30, "it is back")

    def test_a_single_manager_that_was_off_renews_its_own(self):
        manager = self.swarm.add("--min-cert-expiry", "1s")
        manager.ctl("swarm", "init", "--listen-addr", manager.address, "--advertise-addr",
                    manager.address, "--cert-expiry", f"{EXPIRY}s")
        manager.kill()
        wait_until(lambda: is_past(own_certificate(manager)), 3 * EXPIRY, "its end")
        expired = own_certificate(manager)
        manager.start()
        wait_until(lambda: own_certificate(manager) != expired, 20, "it has renewed its own")
        manager.await_ready(1)

    def swarm_that_was_off(self, *flags):
        """Three managers and a worker, all off, and all their certificates have expired."""
        nodes = [self.swarm.add("--min-cert-expiry", "1s") for _ in range(4)]
        nodes[0].ctl("swarm", "init", "--listen-addr", nodes[0].address, "--advertise-addr",
                     nodes[0].address, "--cert-expiry", f"{LONG_EXPIRY}s", *flags)
        for node, role in zip(nodes[1:], ("manager", "manager", "worker")):
            node.join(nodes[0], role)
        nodes[0].await_ready(4)
        for node in nodes:
            node.kill()
        wait_until(lambda: all(is_past(own_certificate(node)) for node in nodes), 3 * LONG_EXPIRY,
                   "their end")
        return nodes

    def test_a_swarm_whose_certificates_all_ran_out_comes_back(self):
        nodes = self.swarm_that_was_off()
        expired = [own_certificate(node) for node in nodes]
        for node in nodes:
            node.start()
        for node, before in zip(nodes, expired):
            wait_until(lambda: own_certificate(node) != before, 60,
                       f"a new certificate of {node.name}")
        wait_until(lambda: nodes[0].ctl("node", "ls", "--format", "{{.Status}}", check=False)
                   .out.split() == ["Ready"] * 4, 60, "all are ready")
        self.create(nodes[1], "web", 3, "web:1.0")

    def test_managers_beyond_the_grace_do_not_renew_their_own(self):
        nodes = self.swarm_that_was_off("--cert-renewal-grace", "1ms")
        expired = [own_certificate(node) for node in nodes]
        for node in nodes:
            node.start()
        for node in nodes[:3]:
            wait_until(lambda: "longer ago than" in node.log.read_text(), 60,
                       f"{node.name} says why")
        self.assertEqual([own_certificate(node) for node in nodes], expired)
        # One of them alone can begin again, and the others join it.
        nodes[0].ctl("swarm", "init", "--force-new-cluster")
        wait_until(lambda: own_certificate(nodes[0]) != expired[0], 60, "it has renewed its own")
        nodes[1].ctl("swarm", "leave", "--force")
        nodes[1].join(nodes[0], "manager")

    def test_an_expiry_that_is_too_short_is_refused(self):
        node = self.swarm.add()
        refused = node.ctl("swarm", "init", "--advertise-addr", node.address, "--cert-expiry", "10m",
                           check=False)
        self.assert_fails(refused, "--cert-expiry", "1h")


if __name__ == "__main__":
    unittest.main(verbosity=2)
