#!/usr/bin/env python3
"""The two programs as a shell sees them: signals, folders, users, output that cannot be written."""

import os
import shutil
import signal
import stat
import subprocess
import unittest
from pathlib import Path

from support import SwarmTest, wait_until

NOBODY = 65534


class Daemon(SwarmTest):
    def run_to_its_end(self, *arguments, **options):
        return subprocess.run([str(self.swarm.swarmd), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, **options)

    def test_makes_the_folder_of_its_socket_for_everybody_to_look_into(self):
        def elsewhere(node):
            node.socket = node.folder / "run" / "swarmd" / "swarmd.sock"

        mask = os.umask(0o077)
        try:
            node = self.swarm.add(prepare_node=elsewhere)
        finally:
            os.umask(mask)
        for folder in (node.socket.parent, node.socket.parent.parent):
            self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o755, folder)
        self.assertEqual(stat.S_IMODE(node.socket.stat().st_mode), 0o660)

    def test_a_hangup_is_noted_and_ignored(self):
        node = self.swarm.add()
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "hangup ignored" in node.tail(), 20, "the log has the hangup")
        node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: node.tail().count("hangup ignored") == 2, 20, "and the second one")
        self.assertEqual(node.ctl("version").code, 0)

    def test_a_state_folder_in_use(self):
        node = self.swarm.add()
        second = self.run_to_its_end("--state-dir", str(node.folder / "state"), "--socket",
                                     str(node.folder / "second.sock"))
        self.assertEqual(second.returncode, 1, second)
        self.assertIn("another swarmd uses the state folder", second.stderr + second.stdout)

    @unittest.skipIf(os.geteuid() != 0, "NOT ROOT: cannot become somebody who may do less")
    def test_a_user_who_may_not_is_told_so(self):
        folder = self.swarm.folder / "private"
        folder.mkdir(mode=0o700)
        os.chmod(self.swarm.folder, 0o755)
        program = self.swarm.folder / "swarmd"
        shutil.copy(self.swarm.swarmd, program)
        program.chmod(0o755)
        run = subprocess.run([str(program), "--state-dir", str(folder / "state"), "--socket",
                              str(folder / "swarmd.sock")], stdin=subprocess.DEVNULL, text=True,
                             capture_output=True, timeout=60, user=NOBODY, group=NOBODY,
                             extra_groups=[], cwd="/")
        said = run.stdout + run.stderr
        self.assertEqual(run.returncode, 1, said)
        self.assertIn("Permission denied", said)
        self.assertIn("run swarmd as root, or choose another folder with --state-dir", said)
        self.assertNotIn("another swarmd", said)


class Output(SwarmTest):
    COMMANDS = [("version",), ("--help",), ("node", "ls"), ("service", "ls"), ("swarm", "inspect"),
                ("swarm", "join-token", "-q", "worker"), ("completion", "bash"),
                ("service", "ps", "web"), ("service", "inspect", "web"),
                ("service", "update", "--label-add", "a=b", "web")]

    def shell(self, node, redirection, arguments):
        command = [str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", *arguments]
        return subprocess.run(["sh", "-c", f'"$@" {redirection}', "sh", *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def test_that_cannot_be_written_fails_every_command(self):
        node = self.one_node()
        self.create(node)
        for arguments in self.COMMANDS:
            for redirection, why in ((">/dev/full", "No space left on device"),
                                     (">&-", "Bad file descriptor")):
                run = self.shell(node, redirection, arguments)
                self.assertEqual(run.returncode, 1, (arguments, redirection, run))
                self.assertIn(f"Error: cannot write the output: {why}", run.stderr, arguments)
                self.assertEqual(run.stdout, "")

    def test_that_cannot_be_written_fails_swarmd_too(self):
        node = self.one_node()
        for arguments in (("--help",), ("--version",), ("raft", "--help"),
                          ("raft", "inspect", str(node.folder / "state"))):
            run = subprocess.run(["sh", "-c", '"$@" >/dev/full', "sh", str(self.swarm.swarmd),
                                  *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 1, (arguments, run))
            self.assertIn("cannot write the output: No space left on device", run.stderr)

    def test_a_path_that_is_none_is_a_sentence(self):
        node = self.one_node()
        for command in ("backup", "restore"):
            for path in ("", "-"):
                self.assert_fails(node.ctl("swarm", command, path, check=False), "is not a path")
        for flag in ("--state-dir", "--socket", "--bundles"):
            run = subprocess.run([str(self.swarm.swarmd), flag, ""], capture_output=True, text=True,
                                 timeout=60)
            self.assertEqual(run.returncode, 125, (flag, run))
            self.assertIn(f"{flag}: is empty: give a path", run.stderr)

    def test_that_nobody_reads_any_more_is_no_complaint(self):
        node = self.one_node()
        reader, writer = os.pipe()
        os.close(reader)
        run = subprocess.run([str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", "node", "ls"],
                             stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                             text=True, timeout=60)
        os.close(writer)
        self.assertNotEqual(run.returncode, 0)
        self.assertEqual(run.stderr, "")


class Wait(SwarmTest):
    def test_an_interrupt_leaves_the_operation_to_the_swarm_and_says_so(self):
        node = self.one_node()
        process = subprocess.Popen(
            [str(self.swarm.swarmctl), "--host", f"unix:{node.socket}", "service", "create", "--name",
             "web", "--constraint", "node.role==worker", "web:1.0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        wait_until(lambda: node.rows("service", "ls"), 30, "the service is there")
        self.assertIn("overall progress", process.stdout.readline() + process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, (out, err))
        self.assertIn("Operation continuing in background", err)
        self.assertNotIn("background", out)
        self.assertEqual(len(node.rows("service", "ls")), 1)


class Spec(SwarmTest):
    def test_what_is_asked_for_at_join_and_in_a_spec_has_its_effect(self):
        manager = self.one_node()
        worker = self.swarm.add()
        token = manager.ctl("swarm", "join-token", "-q", "worker").out.strip()
        worker.ctl("swarm", "join", "--token", token, "--availability", "drain", "--listen-addr",
                   worker.address, "--advertise-addr", worker.address, f"{manager.address}:2377")
        manager.await_ready(2)
        availability = {row["ID"]: row["Availability"] for row in manager.rows("node", "ls")}
        self.assertEqual(availability[worker.identity()], "Drain")
        manager.ctl("node", "update", "--availability", "active", "--label-add", "city=Zürich, a=b",
                    worker.identity())

        def node_of(name, constraint):
            self.create(manager, name, 1, "web:1.0", "--constraint", constraint)
            (task,) = manager.tasks(name)
            return task["Node"]

        self.assertEqual(node_of("range", f"node.ip=={worker.address}/32"), worker.identity())
        self.assertEqual(node_of("label", "node.labels.city==Zürich, a=b"), worker.identity())
        self.assertEqual(node_of("prefix", f"node.id=={worker.identity()[:10]}"), worker.identity())
        self.assertIn(node_of("arch", "node.platform.arch!=sparc"), availability)
        refused = manager.ctl("service", "create", "-d", "--constraint", "node.id==nobody", "web:1.0",
                              check=False)
        self.assert_fails(refused, "names no node", "swarmctl node ls")

    def test_placeholders_reach_a_task_with_their_values(self):
        node = self.one_node()
        self.create(node, "web", 2, "web:1.0", "--env",
                    "WHO={{.Service.Name}}.{{.Task.Slot}} on {{.Node.ID}}")
        environments = [Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                        for pid in node.pids()]
        # A task and its shim have the same environment.
        said = sorted({line for lines in environments for line in lines if line.startswith("WHO=")})
        self.assertEqual(said, [f"WHO=web.{slot} on {node.identity()}" for slot in (1, 2)])
        refused = node.ctl("service", "update", "-d", "--env-add", "WHO={{.Task.Name2}}", "web",
                           check=False)
        self.assert_fails(refused, "unknown placeholder", ".Task.Slot")


class Backup(SwarmTest):
    def test_replaces_nothing_but_a_regular_file(self):
        node = self.one_node()
        folder = self.swarm.folder / "backups"
        folder.mkdir()
        real = folder / "real"
        self.assertEqual(node.ctl("swarm", "backup", str(real)).code, 0)
        self.assertEqual(node.ctl("swarm", "backup", str(real)).code, 0)
        before = real.read_bytes()
        (folder / "link").symlink_to(real)
        (folder / "dangling").symlink_to(folder / "nothing")
        os.mkfifo(folder / "pipe")
        (folder / "folder").mkdir()
        targets = [("link", "a symbolic link"), ("dangling", "a symbolic link"), ("pipe", "a pipe"),
                   ("folder", "a folder")]
        if os.geteuid() == 0:
            os.mknod(folder / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
            targets.append(("device", "a device"))
        for name, kind in targets:
            path = folder / name
            mode = path.lstat().st_mode
            self.assert_fails(node.ctl("swarm", "backup", str(path), check=False), str(path), kind)
            self.assertEqual(path.lstat().st_mode, mode, name)
        self.assertEqual(real.read_bytes(), before)
        self.assertEqual(sorted(Path(folder).iterdir()),
                         sorted([real, *(folder / name for name, _ in targets)]))


if __name__ == "__main__":
    unittest.main()
