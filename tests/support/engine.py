"""A private Docker Engine for tests and the demo: started from Debian's package, ended by pid."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from leftovers import Janitor, clear


def can_have_one():
    return os.geteuid() == 0 and shutil.which("dockerd") is not None


def answers(socket):
    return Path(socket).exists() and subprocess.run(
        ["docker", "-H", f"unix://{socket}", "version"], capture_output=True).returncode == 0


class Engine:
    """`socket` answers when the constructor returns."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="swarm-engine-"))
        self.janitor = Janitor(self.folder)
        self.socket = self.folder / "docker.sock"
        self.log = open(self.folder / "log", "wb")
        self.start()

    def start(self):
        """Starts it, again after `kill` with the same containers; it answers then."""
        self.process = subprocess.Popen(
            ["dockerd", "--data-root", str(self.folder / "data"), "--exec-root",
             str(self.folder / "exec"), "-H", f"unix://{self.socket}", "--pidfile",
             str(self.folder / "pid"), "--bip", "172.31.255.1/24"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + 60
        while not answers(self.socket):
            if self.process.poll() is not None or time.monotonic() > end:
                text = (self.folder / "log").read_text(errors="replace")[-3000:]
                self.close()
                raise RuntimeError(f"dockerd did not start:\n{text}")
            time.sleep(0.05)

    def kill(self):
        """Ends the engine alone; its containers go on."""
        self.process.kill()
        self.process.wait(10)

    def restart(self):
        """As `systemctl restart docker` does: its containers end with it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.start()

    def docker(self, *arguments, stdin=None):
        return subprocess.run(["docker", "-H", f"unix://{self.socket}", *arguments], check=True,
                              stdin=stdin, capture_output=True, text=True).stdout

    def import_image(self, folder, name, command):
        """An image of the files in `folder`."""
        tar = subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE)
        self.docker("import", "--change", f"CMD {command}", "-", name, stdin=tar.stdout)
        tar.wait()

    def import_bundles(self, bundles):
        """Each bundle folder name/tag as image name:tag; its command comes from the manifest."""
        import json
        for manifest in sorted(Path(bundles).glob("*/*/manifest.json")):
            content = json.loads(manifest.read_text())
            command = ["/" + content["command"][0].removeprefix("./"), *content["command"][1:]]
            folder = manifest.parent
            changes = [f"CMD {json.dumps(command)}"]
            changes += [f"ENV {key}={value}" for key, value in content.get("env", {}).items()]
            arguments = [word for change in changes for word in ("--change", change)]
            tar = subprocess.Popen(["tar", "-C", str(folder), "-ch", "."], stdout=subprocess.PIPE)
            self.docker("import", *arguments, "-", f"{folder.parent.name}:{folder.name}",
                        stdin=tar.stdout)
            tar.stdout.close()
            tar.wait()

    def close(self):
        if self.process.poll() is None:
            left = self.docker("ps", "-aq").split()
            if left:
                subprocess.run(["docker", "-H", f"unix://{self.socket}", "rm", "-f", *left],
                               capture_output=True, check=False)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.log.close()
        clear(self.folder)
        self.janitor.dismiss()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
