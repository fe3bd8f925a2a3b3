#!/usr/bin/env python3
"""Certificates renew themselves while the swarm works on."""

import re
import ssl
import unittest

from support import SwarmTest, wait_until

EXPIRY = 8  # seconds


def own_certificate(node):
    """The leaf in the node's state folder."""
    text = (node.folder / "state" / "node.pem").read_text()
    return re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)[0]


def shown_certificate(node):
    """The leaf the node's server shows to whoever connects."""
    return ssl.get_server_certificate((node.address, 2377)).strip()


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

    def test_an_expiry_that_is_too_short_is_refused(self):
        node = self.swarm.add()
        refused = node.ctl("swarm", "init", "--advertise-addr", node.address, "--cert-expiry", "10m",
                           check=False)
        self.assert_fails(refused, "--cert-expiry", "1h")


if __name__ == "__main__":
    unittest.main(verbosity=2)
