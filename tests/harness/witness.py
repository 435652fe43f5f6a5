"""Somebody who counts: holders of slots connect to it and stay connected while they work, as they would to a server.

    with Witness() as witness:
        subprocess.run(["tidegate", "exec", "--", *witness.holder(0.02)])
        witness.peak, witness.total

The count is the witness's own; what the slots say of themselves is not asked. Ends are looked at before beginnings, so
that a holder who was gone when the next one came is not counted beside him.
"""
import os
import selectors
import shutil
import socket
import tempfile
import threading
import time

# Connects, says its name, works for a while, and leaves. Perl, since it starts in a few milliseconds.
HOLDER = """
use Socket; my ($name, $path, $seconds) = @ARGV; $SIG{TERM} = sub { exit 143 };
socket(my $s, AF_UNIX, SOCK_STREAM, 0) or exit 90;
connect($s, pack_sockaddr_un($path)) or exit 91; syswrite($s, "$name\\n");
select(undef, undef, undef, $seconds); exit 0;
"""


class Witness:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tidegate-witness-")
        self.path = os.path.join(self.folder, "s")
        self.program = os.path.join(self.folder, "holder.pl")
        with open(self.program, "w") as file:
            file.write(HOLDER)
        self.now = self.peak = self.total = 0
        self.names = []       # what the holders called themselves, in the order in which they came
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(4096)
        self._listener.setblocking(False)
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def holder(self, seconds, name="-"):
        """A command that holds a connection to this witness for so long."""
        return ["perl", self.program, str(name), self.path, str(seconds)]

    def _run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._stop:
                ready = [key.fileobj for key, _ in selector.select(0.1)]
                for peer in ready:
                    if peer is not self._listener:
                        self._hear(selector, peer)
                if self._listener in ready:
                    self._accept(selector)
            for key in list(selector.get_map().values()):
                key.fileobj.close()

    def _hear(self, selector, peer):
        try:
            said = peer.recv(4096)
        except OSError:
            said = b""
        self.names += said.decode().split()
        if not said:
            selector.unregister(peer)
            peer.close()
            self.now -= 1

    def _accept(self, selector):
        try:
            peer, _ = self._listener.accept()  # one: between two, ends are looked at
        except BlockingIOError:
            return
        peer.setblocking(False)
        selector.register(peer, selectors.EVENT_READ)
        self.now += 1
        self.total += 1
        self.peak = max(self.peak, self.now)

    def wait_for(self, count, seconds=10):
        """Waits until so many are connected."""
        deadline = time.monotonic() + seconds
        while self.now != count:
            assert time.monotonic() < deadline, f"{self.now} are connected, not {count}"
            time.sleep(0.005)

    def close(self):
        self._stop = True
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
