"""The commands of the watch as tests use them, and programs of this host that hold connections and sleep."""
import json
import os
import pathlib
import subprocess
import tempfile

import pymysql
import pytest

from . import reaper
from .gate import program
from .node import npm_trouble
from .process import PATIENCE, wait_until
from .servers import cache_folder

PHP = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$held = [];
for ($i = 0; $i < (int)$argv[2]; $i++) {
    try { $held[] = new mysqli('127.0.0.1', 'app', 'app-secret', 'app', (int)$argv[1]); }
    catch (mysqli_sql_exception $e) { fwrite(STDERR, $e->getCode() . "\\n"); break; }
}
echo count($held), "\\n";
sleep(600);
"""

NODE = """
const mysql = require('mysql2');
const [port, count] = [Number(process.argv[2]), Number(process.argv[3])];
let up = 0;
for (let i = 0; i < count; i++) {
  const held = mysql.createConnection({ host: '127.0.0.1', port, user: 'app', password: 'app-secret', database: 'app' });
  held.connect((error) => { if (error) console.log(error.code); else if (++up === count) console.log(up); });
}
setTimeout(() => {}, 600000);
"""


class Watch:
    """Runs the program's commands against one server, with a home of its own."""

    def __init__(self, server, user="monitor", slots_folder=None):
        self.server = server
        self.folder = tempfile.mkdtemp(prefix="tidegate-watch-")
        reaper.watch_folder(self.folder)
        os.chmod(self.folder, 0o755)
        self.user = user
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        self.env |= {"HOME": self.folder, "TIDEGATE_SLOTS": slots_folder or f"{self.folder}/slots"}
        self.children = []

    def url(self, user=None):
        user = user or self.user
        return f"mysql://{user}:{user}-secret@127.0.0.1:{self.server.port}"

    def run(self, command, *arguments, user=None, env=None):
        """`tidegate COMMAND --server URL ARGUMENTS..`, to its end."""
        return subprocess.run([program(), command, "--server", self.url(user), *map(str, arguments)], cwd=self.folder,
                              env=self.env | (env or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=90 * PATIENCE)

    def json(self, command, *arguments, **keywords):
        done = self.run(command, "--json", *arguments, **keywords)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def script(self, name, text):
        path = pathlib.Path(self.folder) / name
        path.write_text(text)
        return str(path)

    def start(self, *command, **popen):
        child = subprocess.Popen(command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, start_new_session=True, **popen)
        reaper.watch_process(child.pid)
        self.children.append(child)
        return child

    def sleepers(self, count, name="worker.php"):
        """A PHP script that holds so many connections and sleeps; returns when it has all that it gets."""
        child = self.start("php", self.script(name, PHP), str(self.server.port), str(count))
        line = child.stdout.readline()
        assert line, "the script did not start"
        child.held = int(line) if line.strip().isdigit() else 0
        return child

    def node(self, count, name="import.js"):
        if trouble := npm_trouble():
            pytest.skip(f"NODE.JS IS NOT TESTED: {trouble}")
        self.env["NODE_PATH"] = str(cache_folder() / "drivers/node/node_modules")
        child = self.start("node", self.script(name, NODE), str(self.server.port), str(count))
        assert child.stdout.readline().strip() == str(count)
        return child

    def end(self, child):
        reaper.end_group(child.pid)
        child.wait()
        reaper.forget_process(child.pid)
        self.children.remove(child)

    def close(self):
        for child in list(self.children):
            self.end(child)
        reaper.remove_folder(self.folder)


def is_full(server, user="app"):
    try:
        server.connect(user).close()
        return False
    except pymysql.MySQLError as error:
        if error.args[0] not in (1040, 1203, 1226):
            raise
        return True


def fill(server, watch, name="worker.php"):
    """Every connection that an ordinary account can get is taken by sleeping PHP scripts."""
    scripts = [watch.sleepers(5, name)]
    while scripts[-1].held == 5:
        scripts.append(watch.sleepers(5, name))
    wait_until(lambda: is_full(server), 10, "the server to be full")
    return scripts
