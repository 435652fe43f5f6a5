"""Operators' tools through the gate: the command-line clients' own commands, and Percona's toolkit. What they print and what
they do to the tables is what they print and do straight at the server.
"""
import os
import re
import shutil
import subprocess

import pytest

from harness.raw import Client
from harness.servers import unpacked

NOT_COMPARED = re.compile(r"^(Connection id|TCP port|Uptime|Threads|Connection|Insert id|SSL|Unix socket|Protocol|Time)\b.*$", re.M)
SESSION = r"""
status
SET time_zone = '+05:00'; SET @mine = 'kept';
\u {other}
SELECT DATABASE(), @@time_zone, @mine;
SHOW TABLES;
use {schema}
\W
SELECT CAST('x' AS SIGNED), 1 / 0;
INSERT IGNORE INTO t VALUES (1);
\w
SELECT CAST('y' AS SIGNED);
SHOW WARNINGS;
delimiter //
CREATE PROCEDURE p(n INT)
BEGIN
  SELECT n, 'in;side' AS s;
  SELECT n + 1;
END//
CALL p(4)//
SELECT 1; SELECT 2//
delimiter ;
source {file}
SELECT * FROM sourced ORDER BY a\G
BEGIN; INSERT INTO sourced VALUES (9); ROLLBACK;
SELECT COUNT(*), @mine FROM sourced; \p
SELECT 'ego', CONNECTION_ID() > 0\G
SELEKT 1;
\. {file}
\C latin1
SELECT @@character_set_client, @@character_set_results;
resetconnection
SELECT @@time_zone, @mine, @@character_set_client;
\s
"""


def client_of(server):
    return [unpacked("mysql") / "bin/mysql", "--ssl-mode=DISABLED", "--get-server-public-key", "--commands"] if server.family == "mysql" else ["mariadb", "--skip-ssl"]


def talk(server, port, schema, other, file, *options):
    program, *own = client_of(server)
    command = [program, "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={port}", "--user=app", *own, "--force",
               "--default-character-set=utf8mb4", *options, schema]
    done = subprocess.run(list(map(str, command)), input=SESSION.format(schema=schema, other=other, file=file).encode(), capture_output=True,
                          env={"MYSQL_PWD": "app-secret", "PATH": "/usr/bin:/bin"}, timeout=60)
    said = done.stdout.decode() + "\n---\n" + done.stderr.decode()
    for name, shown in ((other, "OTHER"), (schema, "SCHEMA")):
        said = said.replace(name, shown)
    return done.returncode, re.sub(r"\+[-+]+\+", "+--+", NOT_COMPARED.sub(r"\1", said))


@pytest.mark.parametrize("options", [["--table"], ["--show-warnings", "--vertical"], ["--quick", "--unbuffered", "--batch"]],
                         ids=["table", "warnings", "quick"])
def test_the_command_line_clients_own_commands(any_server, new_gate, new_schema, tmp_path, options):
    file = tmp_path / "some.sql"
    file.write_text("CREATE TABLE IF NOT EXISTS sourced (a INT);\nINSERT INTO sourced VALUES (1), (2);\nSELECT 'sourced', @mine;\n")
    gate = new_gate(any_server, budget={"max_connections": 1, "reserve": 0}, pool={"wait_timeout": "20s"})
    seen = []
    for port in (any_server.port, gate.port):
        schema, other = new_schema(any_server), new_schema(any_server)
        any_server.sql(f"CREATE TABLE {schema}.t (a INT PRIMARY KEY)", f"INSERT INTO {schema}.t VALUES (1)", f"CREATE TABLE {other}.there (a INT)")
        seen.append(talk(any_server, port, schema, other, file, *options))
    assert "in;side" in seen[0][1] and "Server version" in seen[0][1]
    assert seen[1] == seen[0]
    assert gate.api()["peak"] == 1


TOOLS = {
    "pt-table-checksum": ["--no-check-binlog-format", "--no-check-replication-filters", "--recursion-method=none", "--databases={s}",
                          "--replicate={s}.checksums", "--chunk-size=300", "--no-version-check", "{dsn}"],
    "pt-online-schema-change": ["--alter=ADD COLUMN extra INT NULL DEFAULT 7, ADD KEY (word)", "--execute", "--recursion-method=none", "--chunk-size=300",
                                "--no-check-replication-filters", "--no-version-check", "{dsn},D={s},t=work"],
    "pt-archiver": ["--source={dsn},D={s},t=work", "--dest={dsn},D={s},t=old", "--where=id <= 500", "--limit=100", "--txn-size=50", "--no-check-charset",
                    "--no-version-check", "--statistics"],
    "pt-duplicate-key-checker": ["--databases={s}", "--no-version-check", "{dsn}"],
    "pt-show-grants": ["--only=app", "--no-timestamp", "{dsn}"],
    "pt-find": ["--no-version-check", "--host=127.0.0.1", "--port={port}", "--user=app", "--password=app-secret", "{s}"],
    "pt-kill": ["--busy-time=1d", "--run-time=1", "--interval=1", "--print", "--no-version-check", "{dsn}"],
}


def toolkit(tool, port, schema, folder):
    dsn = f"h=127.0.0.1,P={port},u=app,p=app-secret"
    command = [tool, *(part.format(s=schema, dsn=dsn, port=port) for part in TOOLS[tool])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(folder), "PERCONA_TOOLKIT_SANDBOX": ""})
    # Times, speeds, process ids, and what the server estimates.
    said = re.sub(r"approximately \d+", "approximately N", done.stdout + "\n---\n" + done.stderr)
    said = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+|\d\d-\d\dT[\d:]+|\d+\.\d+|\b(\d\d:\d\d:\d\d)\b|0x[0-9A-F]+", "T", said)
    said = re.sub(r"T +(?=\d+|[A-Z])", "T ", said)
    said = re.sub(r"(?m)^(Started|Source|Dest|Action|select|inserting|deleting|commit|other|sleep|print_\w+) .*\n", "", said)
    return done.returncode, said.replace(schema, "SCHEMA").replace(str(port), "PORT")


def work_table(server, new_schema):
    schema = new_schema(server)
    client = Client(server.port, schema=schema)
    columns = "(id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(40), v INT, KEY (v), KEY v_again (v)) ENGINE=InnoDB"
    for text in (f"CREATE TABLE work {columns}", f"CREATE TABLE old {columns}",
                 "INSERT INTO work (word, v) VALUES " + ",".join(f"('word {n}', {n % 17})" for n in range(1500))):
        client.query(text)
    client.quit()
    return schema


@pytest.mark.skipif(not shutil.which("pt-archiver"), reason="NO PERCONA TOOLKIT (package percona-toolkit)")
@pytest.mark.parametrize("tool", TOOLS)
def test_perconas_toolkit(any_server, new_gate, new_schema, tmp_path, tool):
    """With two connections: some of these tools want to be two clients at once."""
    any_server.sql("GRANT SELECT ON mysql.* TO app@'%'", "GRANT TRIGGER, PROCESS, RELOAD ON *.* TO app@'%'",
                   "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO app@'%'",
                   f"GRANT {'SYSTEM_VARIABLES_ADMIN' if any_server.family == 'mysql' else 'BINLOG ADMIN'} ON *.* TO app@'%'")
    gate = new_gate(any_server, budget={"max_connections": 2, "reserve": 0}, pool={"wait_timeout": "20s"})
    seen = []
    for port in (any_server.port, gate.port):
        schema = work_table(any_server, new_schema)
        code, said = toolkit(tool, port, schema, tmp_path)
        tables = [table for (table,) in any_server.sql(f"SHOW TABLES FROM {schema}") if table != "checksums"]
        sums = [any_server.sql(f"CHECKSUM TABLE {schema}.{table}")[0][1] for table in sorted(tables)]
        seen.append((code, said, sorted(tables), sums))
    if seen[0][0] not in (0, 16):
        pytest.skip(f"{tool} does not work with {any_server.name} itself: {seen[0][1][-300:]}")
    assert seen[1] == seen[0]
    assert gate.api()["peak"] <= 2
