"""A real terminal for programs that draw on one: a tmux of its own, whose screen is read as text.

    with Terminal(["tidegate", "top"], width=80, height=24) as terminal:
        terminal.wait_for("q quit")
        terminal.press("j", "Enter")
        terminal.resize(40, 10)

Keys are named as tmux names them. The program is started by a shell that stays, so that the screen after its end can
be read, too: its exit code stands there as `ended with N`.
"""
import os
import pathlib
import shlex
import subprocess
import tempfile

from . import reaper
from .process import wait_until


class Terminal:
    def __init__(self, command, width=80, height=24, env=None, term="", locale="C.UTF-8", cwd=None):
        self.folder = tempfile.mkdtemp(prefix="tidegate-terminal-")
        reaper.watch_folder(self.folder)
        self.socket = f"{self.folder}/tmux"
        pathlib.Path(self.folder, "conf").write_text("set -g escape-time 0\nset -g status off\nset -g history-limit 2000\n")
        self.env = {**(env or os.environ), "LC_ALL": locale, "HISTFILE": "/dev/null", "PS1": "$ "}
        for name in ("TMUX", "COLUMNS", "LINES", "NO_COLOR", "ESCDELAY"):
            self.env.pop(name, None)
        self.env |= {name: value for name, value in (env or {}).items() if name in ("NO_COLOR", "ESCDELAY")}
        self._tmux("-f", f"{self.folder}/conf", "new-session", "-d", "-x", str(width), "-y", str(height),
                   "-c", cwd or self.folder, "sh", "-i")
        self.server_pid = int(self._tmux("display-message", "-p", "#{pid}"))
        reaper.watch_process(self.server_pid)
        self.wait_for("$")
        said = f"TERM={term} " if term else ""
        self.type(f"clear; echo before; {said}{shlex.join(command)}; echo ended with $?")
        self.press("Enter")

    def _tmux(self, *arguments):
        run = subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], env=self.env, capture_output=True, text=True,
                             timeout=60)
        assert run.returncode == 0, f"tmux {arguments[0]}: {run.stderr}"
        return run.stdout.strip()

    def screen(self, styles=False):
        """What stands on it now, as lines; with `styles` the escape sequences of colours and attributes stay in."""
        run = subprocess.run(["tmux", "-u", "-S", self.socket, "capture-pane", "-p", *(["-e"] if styles else [])],
                             env=self.env, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        return run.stdout.split("\n")[:-1]

    def text(self):
        return "\n".join(self.screen())

    def type(self, text):
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        for key in keys:
            self._tmux("send-keys", key)

    def resize(self, width, height):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, *texts, seconds=20):
        """Until all of them stand on the screen; the screen."""
        return self.wait_until(lambda shown: all(text in shown for text in texts), f"{texts}", seconds)

    def wait_gone(self, text, seconds=20):
        return self.wait_until(lambda shown: text not in shown, f"the end of {text!r}", seconds)

    def wait_until(self, condition, what, seconds=20):
        shown = ""

        def holds():
            nonlocal shown
            shown = self.text()
            return condition(shown)
        try:
            wait_until(holds, seconds, what, pause=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; on the screen:\n{shown}") from None
        return shown

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.env, capture_output=True)
        reaper.forget_process(self.server_pid)
        reaper.remove_folder(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
