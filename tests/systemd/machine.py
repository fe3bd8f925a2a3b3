"""A machine in namespaces, booted by this machine's own systemd; see machine_init.sh.

For tests of the unit by the program that will read it. Needs root. Everything in it lives in one pid
namespace: `close` kills that namespace's first process and with it all others, and removes the folder
and the control groups. Should the test itself be killed, the kernel does the same to the processes, and
a janitor (leftovers.py) takes the rest away.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from leftovers import Janitor, remove_group  # noqa: E402
from swarm import Failure, Load, wait_until  # noqa: E402

# The machine boots in 3 s; a loaded one takes longer.
BOOT_LIMIT = 90
NAMESPACES = ["-m", "-p", "-u", "-i", "-n", "-C"]


def missing():
    """What keeps a machine from being booted here, or nothing."""
    if os.geteuid() != 0:
        return "not root"
    for program in ("unshare", "nsenter", "setpriv", "ip", "systemctl"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    return ""


def cgroup_mounts():
    """Where each control group hierarchy of this machine is mounted."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        head, tail = line.split(" - ", 1)
        place = head.split()[4]
        if tail.split()[0] in ("cgroup", "cgroup2") and place.startswith("/sys/fs/cgroup"):
            found.append(Path(place))
    return found


class Machine:
    """`stage(folder)` puts the files to try into `folder`, as below /."""

    def __init__(self, stage):
        self.folder = Path(tempfile.mkdtemp(prefix="swarm-systemd-"))
        self.janitor = Janitor(self.folder)
        self.groups = []
        self.unshare = None
        self.init = None
        try:
            for name in ("stage", "layers", "root"):
                (self.folder / name).mkdir()
                (self.folder / name).chmod(0o755)
            stage(self.folder / "stage")
            self._boot()
        except BaseException:
            self.close()
            raise

    def _boot(self):
        for place in cgroup_mounts():
            group = place / self.folder.name
            group.mkdir()
            self.groups.append(group)
            for name in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty until told, and then unusable
                if (group / name).exists() and not (group / "cgroup.controllers").exists():
                    (group / name).write_text((place / name).read_text())
        join = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n-1)); done; '
        command = ["sh", "-ec", join + 'exec "$@"', "sh", str(len(self.groups)), *map(str, self.groups),
                   "setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork",
                   "--kill-child=KILL", str(HERE / "machine_init.sh"), str(self.folder)]
        with open(self.folder / "boot.log", "wb") as log:
            self.unshare = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        wait_until(self._find_init, BOOT_LIMIT, "systemd is process 1 of the machine")
        self.wait_for_boot()

    def _alive(self):
        if self.unshare.poll() is not None:
            raise Failure(f"the machine ended with {self.unshare.returncode}:\n{self.boot_log()}")

    def _find_init(self):
        self._alive()
        pid = self.unshare.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                self.init = int(child)
        return self.init

    def wait_for_boot(self):
        def has_booted():
            self._alive()
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            return state in ("running", "degraded")
        try:
            wait_until(has_booted, BOOT_LIMIT, "the machine has booted", pause=0.1)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.boot_log()}") from failure

    def boot_log(self):
        text = (self.folder / "boot.log").read_text(errors="replace")
        if self.init:
            try:
                text += Path(f"/proc/{self.init}/root/dev/console").read_text(errors="replace")
            except OSError:
                pass
        return "\n".join(text.splitlines()[-60:])

    def run(self, *command, check=True, limit=60):
        """Runs a command in the machine."""
        process = subprocess.run(
            ["nsenter", "-t", str(self.init), *NAMESPACES, "-r", "-w", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False)
        if check and process.returncode != 0:
            raise Failure(f"{' '.join(command)} -> {process.returncode}\n"
                          f"{process.stdout}{process.stderr}")
        return process

    def show(self, unit, name):
        """One property of a unit."""
        return self.run("systemctl", "show", unit, "--property", name, "--value").stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "--unit", unit, "--output", "cat", "--no-pager").stdout

    def load(self, program, *targets, rate=100):
        """A client of the machine, in its network but not of its processes."""
        return Load(program, targets, rate, ["nsenter", "-t", str(self.init), "-n",
                                             "setpriv", "--pdeathsig", "KILL"])

    def processes(self, *words):
        """Pids, as seen from here, of the machine's processes whose command line has all `words`."""
        namespace = os.readlink(f"/proc/{self.init}/ns/pid")
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if os.readlink(entry / "ns/pid") == namespace and all(word in line for word in words):
                    found.append(int(entry.name))
            except OSError:
                continue
        return sorted(found)

    def main_pid(self, unit):
        """The unit's main process, as seen from here."""
        inside = self.show(unit, "MainPID")
        for pid in self.processes():
            status = Path(f"/proc/{pid}/status").read_text()
            if inside != "0" and f"NSpid:\t{pid}\t{inside}\n" in status:
                return pid
        return None

    def close(self):
        if self.init:
            os.kill(self.init, signal.SIGKILL)
        elif self.unshare:
            self.unshare.kill()
        if self.unshare:
            self.unshare.wait(30)
        for group in self.groups:
            wait_until(lambda group=group: remove_group(group), 30, f"{group} is empty", pause=0.05)
        if os.environ.get("SWARM_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)
        self.janitor.dismiss()
