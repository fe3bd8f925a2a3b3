#!/usr/bin/env python3
"""What is wrong with a node is reported state, and converged means served."""

import json
import os
import signal
import socket
import unittest

from support import Failure, SwarmTest, wait_until

MESH_PORT = 7946


def occupy(address, port):
    """Another program that has the port."""
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.bind((address, port))
    other.listen()
    return other


def mesh_of(node):
    """The pid of a node's mesh, once it runs."""
    def find():
        for pid in node.pids():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if file.read().split(b"\0")[1:2] == [b"mesh"]:
                        return pid
            except OSError:
                pass
        return None
    return wait_until(find, 20, f"the mesh of {node.name}")


def inspect_node(node, reference="self"):
    return json.loads(node.ctl("node", "inspect", reference).out)[0]


class ClosedPorts(SwarmTest):
    def status(self, node):
        return inspect_node(node)["Status"]

    def test_a_published_port_in_use_is_shown_and_keeps_create_from_converging(self):
        nodes = self.managers(3)
        other = occupy(nodes[1].address, 9100)
        self.addCleanup(other.close)
        created = nodes[0].ctl("service", "create", "--name", "web", "--publish", "9100:80",
                               "--update-monitor", "500ms", "--update-progress-deadline", "3s",
                               "web:1.0", check=False)
        self.assert_fails(created, "port 9100/tcp is closed on node", "in use by another program")
        self.assertIn("(closed on 1 node)", nodes[0].ctl("service", "ls").out)
        listed = {row["ID"]: row["Status"] for row in nodes[0].rows("node", "ls")}
        self.assertEqual(listed[nodes[1].identity()], "Ready (ports)")
        self.assertEqual(listed[nodes[0].identity()], "Ready")
        self.assertIn("in use by another program", str(self.status(nodes[1])["ClosedPorts"]))
        self.assertIn("in use by another program",
                      nodes[1].ctl("node", "inspect", "--pretty", "self").out)
        # On every node's task that suffers from it.
        nodes[0].ctl("service", "scale", "-d", "web=3")
        wait_until(lambda: "in use by another" in nodes[0].ctl("service", "ps", "--no-trunc",
                                                                "web").out,
                   20, "service ps shows the closed port")
        # As long as it lasts, and no longer.
        other.close()
        wait_until(lambda: "closed" not in nodes[0].ctl("service", "ls").out, 20,
                   "the port is open again")
        self.assertNotIn("ClosedPorts", self.status(nodes[1]))
        self.assertEqual(nodes[0].ctl("service", "scale", "web=2").code, 0)

    def test_a_port_that_an_update_adds_must_be_open(self):
        node = self.one_node()
        node.await_ready(1)
        self.create(node)
        other = occupy(node.address, 9101)
        self.addCleanup(other.close)
        updated = node.ctl("service", "update", "--publish-add", "9101:80",
                           "--update-monitor", "0s", "--update-progress-deadline", "2s", "web",
                           check=False)
        self.assert_fails(updated, "port 9101/tcp is closed on node")
        other.close()
        self.assertEqual(node.ctl("service", "update", "--label-add", "a=b", "web").code, 0)

    def test_without_a_mesh_no_published_port_is_served_and_everybody_says_so(self):
        nodes = [self.one_node(), self.swarm.add()]
        nodes[1].join(nodes[0])
        nodes[0].await_ready(2)
        mesh = mesh_of(nodes[1])
        nodes[1].kill()
        os.kill(mesh, signal.SIGKILL)
        other = wait_until(lambda: self.try_occupy(nodes[1].address, MESH_PORT), 20, "the port")
        self.addCleanup(other.close)
        nodes[1].start()
        wait_until(lambda: "Ready (mesh)" in nodes[0].ctl("node", "ls").out, 20,
                   "the condition of the mesh")
        condition = inspect_node(nodes[0], nodes[1].identity())["Status"]["Conditions"][0]
        self.assertEqual(condition["Kind"], "mesh")
        self.assertIn(f"{nodes[1].address}:{MESH_PORT} is in use by another program",
                      condition["Reason"])
        created = nodes[0].ctl("service", "create", "--name", "web", "--publish", "9102:80",
                               "--constraint", f"node.id=={nodes[1].identity()}",
                               "--timeout", "3s", "web:1.0", check=False)
        self.assertNotEqual(created.code, 0, str(created))
        self.assertIn("the mesh does not run on 1 node", created.out + created.err)
        # A service without ports runs there, one with a port is removed, and nobody waits for a
        # mesh that is not there.
        self.create(nodes[0], "plain", 1, "web:1.0", "--constraint",
                    f"node.id=={nodes[1].identity()}")
        nodes[0].ctl("service", "rm", "plain", "web")
        wait_until(lambda: not list((nodes[1].folder / "state" / "tasks").glob("*")), 20,
                   "the end of the tasks")
        nodes[1].ctl("swarm", "leave", limit=30)
        wait_until(lambda: nodes[1].pids() == [nodes[1].process.pid], 20, "no process but swarmd")

    def test_a_mesh_that_is_stopped_is_a_condition_until_it_goes_on(self):
        node = self.one_node()
        node.await_ready(1)
        mesh = mesh_of(node)
        os.kill(mesh, signal.SIGSTOP)
        self.addCleanup(os.kill, mesh, signal.SIGCONT)
        wait_until(lambda: "Ready (mesh)" in node.ctl("node", "ls").out, 30,
                   "the condition of the mesh")
        os.kill(mesh, signal.SIGCONT)
        wait_until(lambda: "Ready (mesh)" not in node.ctl("node", "ls").out, 30,
                   "the mesh answers again")

    def try_occupy(self, address, port):
        try:
            return occupy(address, port)
        except OSError:
            return None


class Entry(SwarmTest):
    def test_init_and_join_refuse_a_mesh_port_in_use_before_anything_is_written(self):
        first, second = self.one_node(), self.swarm.add()
        other = occupy(second.address, MESH_PORT)
        self.addCleanup(other.close)
        for enter in (lambda: second.join(first, check=False),
                      lambda: second.ctl("swarm", "init", "--listen-addr", second.address,
                                         "--advertise-addr", second.address, check=False)):
            refused = enter()
            self.assert_fails(refused, f"the mesh port {second.address}:{MESH_PORT} is in use by "
                              "another program", "--mesh-port")
            self.assertFalse((second.folder / "state" / "node").exists())
        self.assertEqual(len(first.rows("node", "ls")), 1)
        other.close()
        second.join(first)
        first.await_ready(2)

    def test_ports_that_cannot_be_served_are_refused_at_create(self):
        node = self.one_node()
        node.await_ready(1)
        for published, sentence in (("2377:80", "it is the swarm port of node"),
                                    (f"{MESH_PORT}:80", "it is the mesh port of node"),
                                    ("53:53/udp", "udp ports are not supported yet: they come "
                                     "with networks")):
            refused = node.ctl("service", "create", "-d", "--publish", published, "web:1.0",
                               check=False)
            self.assert_fails(refused, sentence)
        self.assertEqual(node.rows("service", "ls"), [])

    def test_leave_ends_a_mesh_that_does_not_react(self):
        node = self.one_node()
        node.await_ready(1)
        self.create(node, "web", 2, "web:1.0", "--publish", "9103:80", "--drain-timeout", "1s")
        os.kill(mesh_of(node), signal.SIGSTOP)
        node.ctl("swarm", "leave", "--force", limit=60)
        wait_until(lambda: node.pids() == [node.process.pid], 20, "no process but swarmd")


class Runtime(SwarmTest):
    def test_what_was_decided_once_holds(self):
        self.swarm.runtime = "auto"
        self.swarm.docker_socket = self.swarm.folder / "engine.sock"
        node = self.one_node()
        node.await_ready(1)
        self.assertIn("runtime process", (node.folder / "state" / "node").read_text())
        self.assertEqual(inspect_node(node)["Description"]["Engine"]["Runtime"], "process")
        node.kill(signal.SIGTERM)
        engine = self.silent_engine()
        node.start()
        wait_until(lambda: node.ctl("node", "ls", check=False).code == 0, 20, "the manager")
        self.assertEqual(inspect_node(node)["Description"]["Engine"]["Runtime"], "process")
        node.kill(signal.SIGTERM)
        node.flags[node.flags.index("auto")] = "docker"
        with self.assertRaisesRegex(Failure, "leave the swarm and enter it again"):
            node.start()
        engine.close()

    def test_an_engine_that_does_not_answer_is_a_condition_and_hangs_no_init(self):
        self.swarm.runtime = "auto"
        self.swarm.docker_socket = self.swarm.folder / "engine.sock"
        engine = self.silent_engine()
        self.addCleanup(engine.close)
        node = self.one_node()
        wait_until(lambda: "Ready (engine)" in node.ctl("node", "ls").out, 30,
                   "the condition of the engine")
        self.assertEqual(inspect_node(node)["Description"]["Engine"]["Runtime"], "docker")
        node.ctl("service", "create", "-d", "--name", "web", "web:1.0")
        wait_until(lambda: "the engine does not answer on 1 node" in
                   node.ctl("service", "ps", "--no-trunc", "web").out, 20, "the pending reason")
        node.ctl("swarm", "leave", "--force", limit=60)
        wait_until(lambda: node.pids() == [node.process.pid], 20, "no process but swarmd")

    def silent_engine(self):
        engine = socket.socket(socket.AF_UNIX)
        engine.bind(str(self.swarm.docker_socket))
        engine.listen()
        return engine


class DaemonRestart(SwarmTest):
    def states(self, node):
        return {row["ID"]: row["Status"] for row in node.rows("node", "ls")}

    def test_a_daemon_that_restarts_keeps_its_tasks_and_a_lost_machine_does_not(self):
        manager = self.one_node()
        stopped, killed, lost = [self.swarm.add() for _ in range(3)]
        for node in (stopped, killed, lost):
            node.join(manager)
        manager.await_ready(4)
        self.create(manager, "web", 4, "web:1.0", "--publish", "9104:80")
        before = {task["Node"]: task["ID"] for task in manager.tasks("web")}
        self.assertEqual(len(before), 4)
        stopped.kill(signal.SIGTERM)
        killed.kill()
        lost_id = lost.identity()
        lost.kill_host()
        # By then the two others were silent for as long.
        wait_until(lambda: self.states(manager)[lost_id] == "Down", 20, "the lost machine is down")
        states = self.states(manager)
        self.assertEqual([states[node.identity()] for node in (stopped, killed)], ["Suspect"] * 2)
        wait_until(lambda: len(manager.tasks("web")) == 4 and
                   lost_id not in [task["Node"] for task in manager.tasks("web")], 20,
                   "the task of the lost machine runs elsewhere")
        wait_until(lambda: "the daemon does not answer, but the mesh does" ==
                   inspect_node(manager, killed.identity())["Status"].get("Message"), 20,
                   "the reason")
        self.assertEqual(inspect_node(manager, stopped.identity())["Status"]["Message"],
                         "the daemon is restarting")
        for node in (stopped, killed):
            node.start()
        wait_until(lambda: sorted(self.states(manager).values()) == ["Down"] + ["Ready"] * 3, 20,
                   "the nodes are back")
        after = {task["ID"] for task in manager.tasks("web")}
        for node in (stopped, killed, manager):
            self.assertIn(before[node.identity()], after)


if __name__ == "__main__":
    unittest.main()
