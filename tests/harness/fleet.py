"""`tidegate run` as a process: what it prints, what it logs, how it ends."""
import os
import re
import subprocess

from . import reaper
from .gate import program
from .process import PATIENCE

LONG = bool(os.environ.get("TIDEGATE_LONG"))  # with the figures of the incidents


class Run:
    """One `tidegate run`, its standard output and error in files."""

    def __init__(self, folder, *arguments, command, env=None, stdin=None, server=None):
        self.out_file, self.err_file = folder / f"out{id(self)}", folder / f"err{id(self)}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
        environment.pop("XDG_RUNTIME_DIR", None)
        if server is not None:
            environment |= {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_USER": "app",
                            "DB_PASSWORD": "app-secret"}
        environment |= env or {}
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            self.child = subprocess.Popen(
                [program(), "run", *map(str, arguments), "--", *map(str, command)], cwd=folder, env=environment,
                stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        self.pid = self.child.pid
        self.folder = folder
        reaper.watch_process(self.pid)

    @property
    def out(self):
        return self.out_file.read_text(errors="replace")

    @property
    def log(self):
        return self.err_file.read_text(errors="replace")

    def lines(self, pattern):
        return re.findall(pattern, self.out, re.MULTILINE)

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=30.0):
        code = self.child.wait(seconds * PATIENCE)
        reaper.forget_process(self.pid)
        return code

    def end(self):
        """However the test ended: by SIGKILL, which the keeper answers."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
            reaper.forget_process(self.pid)


def script(folder, name, text):
    file = folder / name
    file.write_text(text)
    return file
