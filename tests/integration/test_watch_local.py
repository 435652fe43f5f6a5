"""Who is behind a server's connections on this host, where only the kernel can tell: over Unix sockets."""
import os
import subprocess

import pytest
from harness.gate import program
from harness.process import alive, wait_until


pytestmark = pytest.mark.mariadb11

PHP = """<?php
$held = [];
for ($i = 0; $i < (int)$argv[2]; $i++) $held[] = new mysqli('localhost', 'app', 'app-secret', 'app', 0, $argv[1]);
echo count($held), "\\n";
sleep(600);
"""
PYTHON = """import sys, time, pymysql
held = [pymysql.connect(unix_socket=sys.argv[1], user="app", password="app-secret") for _ in range(int(sys.argv[2]))]
print(len(held), flush=True)
time.sleep(600)
"""
# MariaDB tells its threads in the process list, MySQL in its performance schema.
KINDS = [("mariadb", {}), ("mariadb11", {}), ("mysql", {"performance_schema": "ON"})]


def hold(watch, count, name):
    """A script that holds so many connections over the server's Unix socket."""
    language, text = ("php", PHP) if name.endswith(".php") else ("/usr/bin/python3", PYTHON)
    child = watch.start(language, watch.script(name, text), watch.server.socket, str(count))
    assert child.stdout.readline().strip() == str(count)
    return child


def programs(watch):
    return {group["name"]: group for group in watch.json("status")["by_program"]}


@pytest.mark.skipif(os.getuid() != 0, reason="only root may look into the server's process")
@pytest.mark.parametrize("kind, options", KINDS)
def test_each_program_behind_the_unix_socket_is_named(new_server, new_watch, kind, options):
    server = new_server(kind, **options)
    watch = new_watch(server)
    queue = [hold(watch, 3, "queue.php") for _ in range(2)]
    cron = hold(watch, 2, "cron.php")
    job = hold(watch, 1, "job.py")
    seen = programs(watch)
    assert seen["php queue.php"]["total"] == 6
    assert seen["php queue.php"]["pids"] == sorted(child.pid for child in queue)
    assert (seen["php cron.php"]["total"], seen["php cron.php"]["pids"]) == (2, [cron.pid])
    assert (seen["python3 job.py"]["total"], seen["python3 job.py"]["pids"]) == (1, [job.pid])
    # Another set of connections on the same threads is somebody else's.
    watch.end(cron)
    wait_until(lambda: "php cron.php" not in programs(watch), 20, "its connections have ended")
    late = hold(watch, 2, "late.php")
    seen = programs(watch)
    assert (seen["php late.php"]["total"], seen["php late.php"]["pids"]) == (2, [late.pid])
    assert seen["php queue.php"]["total"] == 6


@pytest.mark.parametrize("kind, options", KINDS)
def test_the_zombies_of_a_full_server_are_ended_without_a_login(new_server, new_watch, kind, options):
    server = new_server(kind, max_connections=12, **options)
    watch = new_watch(server)
    zombies = [hold(watch, 3, "import.php") for _ in range(3)]
    bystander = hold(watch, 1, "cron.php")

    def kill(*arguments):
        return subprocess.run([program(), "kill", "--server", f"mysql://nobody@127.0.0.1:{server.port}", "--processes",
                               *arguments], cwd=watch.folder, env=watch.env, capture_output=True, text=True, timeout=90)

    listed = kill("--program", "import.php", "--dry-run")
    assert listed.returncode == 0, listed.stderr
    assert all(f"php import.php (pid {child.pid}, " in listed.stdout for child in zombies)
    # Nothing tells how long a Unix socket is quiet: with a time, none of them is chosen, and that is said.
    spared = kill("--program", "import.php", "--idle", "0")
    assert "Unix socket" in spared.stdout + spared.stderr
    assert len(alive([child.pid for child in zombies])) == 3
    ended = kill("--program", "import.php")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert all(child.wait(30) == -15 for child in zombies)
    assert len(alive([bystander.pid])) == 1
    wait_until(lambda: server.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app'")[0][0] == 1,
               20, "only the bystander's connection is left")
