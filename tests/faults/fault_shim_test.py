#!/usr/bin/env python3
"""The preloaded disk: what it loses, what it keeps, how it fails."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SHIM = os.environ["SWARM_FAULT_SHIM"]


class FaultShim(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.control = self.folder / "control"
        self.file = self.folder / "disk" / "file"
        self.file.parent.mkdir()

    def run_program(self, body, code=0, **settings):
        """Runs Python under the shim; `fd` is the file, opened for reading and writing."""
        program = ("import os, signal, time\n"
                   f"fd = os.open({str(self.file)!r}, os.O_RDWR | os.O_CREAT, 0o600)\n"
                   "def die(): os.kill(os.getpid(), signal.SIGKILL)\n" + body)
        environment = dict(os.environ, LD_PRELOAD=SHIM,
                           SWARM_FAULT_FOLDER=str(self.file.parent),
                           SWARM_FAULT_CONTROL=str(self.control), **settings)
        process = subprocess.run([sys.executable, "-c", program], env=environment, timeout=30,
                                 capture_output=True, text=True)
        self.assertEqual(process.returncode, code, process.stderr)
        return process.stdout

    def test_a_kill_loses_what_was_not_synced_and_nothing_else(self):
        self.run_program("os.pwrite(fd, b'a' * 10000, 0); os.fdatasync(fd)\n"
                         "os.pwrite(fd, b'b' * 100, 50); os.pwrite(fd, b'c' * 5000, 10000); die()",
                         -signal.SIGKILL, SWARM_FAULT_LOSE="1")
        self.assertEqual(self.file.read_bytes(), b"a" * 10000 + b"\0" * 5000)

    def test_the_process_itself_sees_what_it_wrote(self):
        self.run_program("os.pwrite(fd, b'a' * 9000, 0); os.fsync(fd)\n"
                         "os.pwrite(fd, b'b' * 10, 4090); os.pwrite(fd, b'c' * 10, 9005)\n"
                         "again = os.open(f'/proc/self/fd/{fd}', os.O_RDONLY)\n"
                         "for f in (fd, again):\n"
                         "  assert os.fstat(f).st_size == 9015\n"
                         "  assert os.pread(f, 20, 4085) == b'aaaaa' + b'b' * 10 + b'aaaaa'\n"
                         "  assert os.pread(f, 100, 8999) == b'a' + b'\\0' * 5 + b'c' * 10\n"
                         "os.ftruncate(fd, 4095)\n"
                         "assert os.pread(again, 10, 4089) == b'abbbbb'\n", SWARM_FAULT_LOSE="1")

    def test_what_is_not_synced_outlives_the_descriptor(self):
        self.run_program("os.pwrite(fd, b'abc', 0); os.close(fd)\n"
                         f"fd = os.open({str(self.file)!r}, os.O_RDWR)\n"
                         "assert os.pread(fd, 9, 0) == b'abc'\nos.fdatasync(fd); die()",
                         -signal.SIGKILL, SWARM_FAULT_LOSE="1")
        self.assertEqual(self.file.read_bytes(), b"abc")

    def test_some_sectors_reach_the_disk_by_themselves(self):
        self.run_program("os.pwrite(fd, b'a' * 512 * 400, 0); os.fdatasync(fd)\n"
                         "os.pwrite(fd, b'b' * 512 * 400, 0); die()",
                         -signal.SIGKILL, SWARM_FAULT_LOSE="1", SWARM_FAULT_KEEP="50")
        found = self.file.read_bytes()
        sectors = [found[at:at + 512] for at in range(0, len(found), 512)]
        self.assertLessEqual(set(sectors), {b"a" * 512, b"b" * 512})
        self.assertGreater(sectors.count(b"a" * 512), 50)
        self.assertGreater(sectors.count(b"b" * 512), 50)

    def test_syncs_fail_and_wait_as_the_control_file_says(self):
        self.run_program("os.pwrite(fd, b'a', 0); os.fdatasync(fd)\n"
                         f"open({str(self.control)!r}, 'w').write('delay=50 eio')\n"
                         "start = time.monotonic()\n"
                         "for sync in (os.fdatasync, os.fsync):\n"
                         "  try: sync(fd); raise SystemExit('it did not fail')\n"
                         "  except OSError as error: assert error.errno == 5, error\n"
                         "assert time.monotonic() - start >= 0.1\n"
                         f"os.unlink({str(self.control)!r}); os.fdatasync(fd)\n")

    def test_a_sync_that_lies_saves_nothing(self):
        self.control.write_text("lie")
        self.run_program("os.pwrite(fd, b'abc', 0); os.fdatasync(fd); die()", -signal.SIGKILL,
                         SWARM_FAULT_LOSE="1")
        self.assertEqual(self.file.read_bytes(), b"\0" * 3)

    def test_other_folders_are_left_alone(self):
        self.control.write_text("eio")
        other = self.folder / "other"
        self.run_program(f"fd = os.open({str(other)!r}, os.O_RDWR | os.O_CREAT, 0o600)\n"
                         "os.pwrite(fd, b'abc', 0); os.fsync(fd); os.pwrite(fd, b'd', 3); die()",
                         -signal.SIGKILL, SWARM_FAULT_LOSE="1")
        self.assertEqual(other.read_bytes(), b"abcd")


if __name__ == "__main__":
    unittest.main()
