"""Ends what the tests started, and removes their folders, however the test process ends.

A process of its own, detached from the test process (so that a test runner that kills all descendants
misses it), reads a pipe whose other end only the test process holds: when that closes, it cleans up.
Lines on the pipe: `+pid N`, `-pid N`, `+dir PATH`, `-dir PATH`. A pid is the leader of its process group.
"""
import atexit
import os
import shutil
import signal
import subprocess
import sys

_pipe = None
_owner = None


def _tell(line):
    """Says it to this process's reaper, which is started at the first word."""
    global _pipe, _owner
    if _pipe is None or _owner != os.getpid():
        child = subprocess.Popen(["/usr/bin/python3", os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, start_new_session=True)
        child.wait()  # it detaches itself
        _pipe, _owner = child.stdin, os.getpid()
        atexit.register(_pipe.close)
    _pipe.write(line.encode() + b"\n")
    _pipe.flush()


def watch_process(pid):
    _tell(f"+pid {pid}")


def forget_process(pid):
    _tell(f"-pid {pid}")


def watch_folder(path):
    _tell(f"+dir {path}")


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    _tell(f"-dir {path}")


def end_group(pid):
    """SIGKILL to a whole process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _main():
    if os.fork() != 0:
        os._exit(0)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    kept = {"pid": {}, "dir": {}}
    for line in sys.stdin:
        what, _, value = line.rstrip("\n").partition(" ")
        if what[:1] == "+":
            kept[what[1:]][value] = True
        else:
            kept[what[1:]].pop(value, None)
    for pid in kept["pid"]:
        end_group(int(pid))
    for path in kept["dir"]:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    _main()
