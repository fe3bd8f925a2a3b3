#!/usr/bin/env python3
"""The edge of the network: floods of strangers, the death of the mesh, copied state folders."""

import os
import resource
import shutil
import signal
import socket
import ssl
import threading
import unittest
from pathlib import Path

from support import SwarmTest, wait_until

# The bounds of src/api/client/limits.h and MeshServer::kArrivals: a stranger whose first words are not
# complete costs a descriptor; TLS is under way for at most 512 and 256 of them, at some 100 and
# 130 KiB.
MAX_GROWTH_KIB = {"swarmd": 60 * 1024, "mesh": 40 * 1024}
MAX_DESCRIPTORS = {"swarmd": 2 * 512 + 1024 + 200, "mesh": 256 + 4096 + 200}
SOURCES = 60
OF_SOURCE = 70


def client_hello():
    """What a TLS client says first."""
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    connection = context.wrap_bio(ssl.MemoryBIO(), out)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("a handshake without an answer")


def memory_of(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def mesh_of(node):
    """The pid of the node's newest mesh process."""
    for pid in reversed(node.pids()):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:2] == [b"mesh"]:
            return pid
    return None


def program_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


class Flood:
    """Connections that say `words` and no more, from many addresses of the test's range."""

    def __init__(self, prefix, address, port, words):
        self.sockets = []
        for source in range(SOURCES):
            for _ in range(OF_SOURCE):
                client = socket.socket()
                self.sockets.append(client)
                client.bind((f"{prefix}{100 + source}", 0))
                try:
                    client.connect((address, port))
                    client.sendall(words)
                except OSError:
                    pass  # turned away at once

    def close(self):
        for client in self.sockets:
            client.close()


class Clients:
    """Short requests without a pause; counts those that were answered, refused and cut."""

    def __init__(self, address, port, threads=4):
        self.target, self.is_stopped = (address, port), False
        self.refused, self.answered = 0, 0
        self.failures = []  # of those that had got in, as texts
        self.threads = [threading.Thread(target=self.ask) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.is_stopped:
            try:
                with socket.create_connection(self.target, 30) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while part := client.recv(65536):
                        answer += part
                if answer.startswith(b"HTTP/1.1 200 "):
                    self.answered += 1
                else:
                    self.failures.append(f"answer {answer[:80]}")
            except ConnectionRefusedError:
                self.refused += 1
            except OSError as error:
                self.failures.append(repr(error))

    def stop(self):
        self.is_stopped = True
        for thread in self.threads:
            thread.join()


class Floods(SwarmTest):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = SOURCES * OF_SOURCE + 500
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        self.node = self.one_node()
        self.create(self.node, "web", 2, "web:1.0", "--publish", "published=8080,target=80")

    def check_flood(self, port, words, name, pid):
        before = memory_of(pid)
        load = self.swarm.load(f"{self.node.address}:8080")
        flood = Flood(self.swarm.prefix, self.node.address, port, words)
        try:
            self.assertLess(descriptors_of(pid), MAX_DESCRIPTORS[name])
            self.assertLess(memory_of(pid) - before, MAX_GROWTH_KIB[name])
            self.node.ctl("node", "ls")
            self.node.ctl("service", "scale", "web=3")
            # All are turned away in time, though none of them gives up.
            wait_until(lambda: descriptors_of(pid) < 200, 30, "the end of the strangers")
            self.assertLess(memory_of(pid) - before, MAX_GROWTH_KIB[name])
        finally:
            flood.close()
        self.node.ctl("node", "ls")
        self.node.ctl("service", "scale", "web=2")
        self.assert_none_failed(load)

    def test_of_half_a_greeting_at_the_swarm_port(self):
        self.check_flood(2377, client_hello()[:6], "swarmd", self.node.process.pid)

    def test_of_whole_greetings_at_the_swarm_port(self):
        self.check_flood(2377, client_hello(), "swarmd", self.node.process.pid)

    def test_of_half_a_greeting_at_the_mesh_port(self):
        self.check_flood(7946, client_hello()[:6], "mesh", mesh_of(self.node))

    def test_of_whole_greetings_at_the_mesh_port(self):
        self.check_flood(7946, client_hello(), "mesh", mesh_of(self.node))


class Mesh(SwarmTest):
    def test_its_death_refuses_nobody(self):
        node = self.one_node()
        self.create(node, "web", 2, "web:1.0", "--publish", "published=8080,target=80")
        clients = Clients(node.address, 8080)
        try:
            for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
                before = clients.answered
                wait_until(lambda: clients.answered > before + 50, 30, "clients are served")
                old = mesh_of(node)
                os.kill(old, number)
                wait_until(lambda: mesh_of(node) not in (None, old), 30, "another mesh")
            before = clients.answered
            wait_until(lambda: clients.answered > before + 50, 30, "clients are served")
        finally:
            clients.stop()
        self.assertEqual(clients.refused, 0)


    def test_an_upgrade_replaces_it_and_refuses_nobody(self):
        node = self.one_node()
        self.create(node, "web", 2, "web:1.0", "--publish", "published=8080,target=80")
        clients = Clients(node.address, 8080)
        kept = socket.create_connection((node.address, 8080), 30)
        try:
            wait_until(lambda: clients.answered > 50, 30, "clients are served")
            # A request that is under way while all this happens.
            kept.sendall(b"GET / HTTP/1.1\r\n")
            old = mesh_of(node)
            node.kill(signal.SIGTERM)
            upgraded = node.folder / "swarmd"
            shutil.copy(self.swarm.swarmd, upgraded)
            self.swarm.swarmd = upgraded
            node.start()
            wait_until(lambda: program_of(mesh_of(node)) == str(upgraded), 30,
                       "a mesh of the new build")
            before = clients.answered
            wait_until(lambda: clients.answered > before + 50, 30, "clients are served")
            kept.sendall(b"Host: web\r\nConnection: close\r\n\r\n")
            self.assertTrue(kept.recv(65536).startswith(b"HTTP/1.1 200"))
        finally:
            clients.stop()
            kept.close()
        self.assertEqual(clients.refused, 0)
        self.assertEqual(clients.failures, [])
        wait_until(lambda: not Path(f"/proc/{old}").exists(), 30, "the old mesh has ended")


class Copies(SwarmTest):
    def test_the_copy_of_a_worker_is_refused_while_the_first_lives(self):
        manager = self.one_node()
        worker = self.swarm.add()
        worker.join(manager)
        manager.await_ready(2)
        self.create(manager, "web", 4, "web:1.0")

        def take_state(folder):
            shutil.copytree(worker.folder / "state", folder / "state",
                            ignore=shutil.ignore_patterns("*.sock", "bundles", "tasks"))

        sessions = worker.log.read_text().count("session opened")
        copy = self.swarm.add(prepare=take_state)
        sentence = f"two machines use the identity of node {worker.identity()}"
        wait_until(lambda: sentence in manager.ctl("node", "inspect", worker.identity()).out, 30,
                   "the manager shows it")
        wait_until(lambda: sentence in copy.log.read_text(), 30, "the copy says it")
        self.assertIn(sentence, manager.log.read_text())
        self.assertEqual(worker.log.read_text().count("session opened"), sessions)
        self.assertEqual(len(manager.tasks("web")), 4)
        self.assertNotIn("session opened", copy.log.read_text())
        self.assertEqual(manager.log.read_text().count(sentence), 1, "once")
        # The first ends: whoever is left is the node.
        worker.kill()
        wait_until(lambda: "session opened" in copy.log.read_text(), 30, "the copy takes over")


if __name__ == "__main__":
    unittest.main(verbosity=2)
