"""mysqldump and mariadb-dump through the gate: the same bytes as straight from the server, with others at work on the same
connections; and what was dumped is restored through the gate to the same again.
"""
import re
import subprocess
import threading

import pytest

from harness.raw import Client, Err
from harness.servers import unpacked

SCHEMA = r"""
CREATE TABLE parents (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_german1_ci,
    note TEXT CHARACTER SET utf8mb4, made TIMESTAMP NULL, price DECIMAL(12,4), share DOUBLE, data LONGBLOB, flags SET('a','b','c'),
    KEY (name)) ENGINE=InnoDB COMMENT='of ''quotes'' and \\ more';
CREATE TABLE children (id INT PRIMARY KEY, parent INT, word VARCHAR(30) CHARACTER SET ucs2, bits BIT(12), shape GEOMETRY,
    day DATE, moment DATETIME(6), twice INT GENERATED ALWAYS AS (id * 2) STORED, FOREIGN KEY (parent) REFERENCES parents (id)
    ON DELETE CASCADE) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE old_engine (a INT, b TEXT CHARACTER SET sjis, FULLTEXT KEY (b)) ENGINE=MyISAM;
CREATE TABLE `odd``name "here"` (`the ``column` INT);
CREATE TABLE log (what VARCHAR(60));
INSERT INTO parents VALUES (1, _latin1 x'4DFC6C6C6572', 'naïve 🚀 ''quoted'' \\ text', '2024-02-29 12:00:00', 12345.6789, 2.25e-7, x'00ff00275c1a0a0d80', 'a,c'),
    (2, NULL, '', NULL, -0.0001, -1e300, '', ''), (5, 'plain', REPEAT('long ', 12000), '2001-01-01 01:00:00', 0, 0, REPEAT(x'00010203', 50000), 'b');
INSERT INTO children (id, parent, word, bits, shape, day, moment) VALUES (1, 1, 'wörd', b'101010101010', ST_GeomFromText('POINT(1 2)'), '1000-01-01',
    '9999-12-31 23:59:59.999999'), (2, 5, NULL, b'0', NULL, NULL, NULL);
INSERT INTO old_engine VALUES (1, _utf8mb4 '表示 テスト'), (2, NULL);
INSERT INTO `odd``name "here"` VALUES (1);
CREATE VIEW names AS SELECT p.name, c.word FROM parents p LEFT JOIN children c ON c.parent = p.id;
CREATE VIEW of_names AS SELECT COUNT(*) AS n FROM names;
CREATE TRIGGER logged AFTER INSERT ON parents FOR EACH ROW INSERT INTO log VALUES (CONCAT('new: ', NEW.id, ' "', IFNULL(NEW.name, '-'), '"'));
CREATE PROCEDURE twice(IN n INT, OUT r INT) COMMENT 'doubles' BEGIN DECLARE s VARCHAR(9) DEFAULT 'ü;//'; SET r = n * 2; END;
CREATE FUNCTION plus(a INT, b INT) RETURNS INT DETERMINISTIC RETURN a + b;
CREATE EVENT later ON SCHEDULE AT '2037-01-01 00:00:00' DISABLE DO INSERT INTO log VALUES ('event')
"""
COMMON = ["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=app", "--single-transaction", "--routines", "--triggers", "--events",
          "--skip-dump-date", "--no-tablespaces", "--hex-blob", "--add-drop-table"]


def programs(server, port):
    """The dump program and the client of the server's own family, as far as to the schema's name."""
    place = [f"--port={port}"]
    if server.family == "mysql":
        folder, tls = unpacked("mysql") / "bin", ["--ssl-mode=DISABLED", "--get-server-public-key"]
        return ([folder / "mysqldump", *COMMON, *place, *tls, "--set-gtid-purged=OFF", "--column-statistics=0"],
                [folder / "mysql", *COMMON[:4], *place, *tls])
    return ["mariadb-dump", *COMMON, *place, "--skip-ssl"], ["mariadb", *COMMON[:4], *place, "--skip-ssl"]


def run(command, **arguments):
    done = subprocess.run(list(map(str, command)), capture_output=True, env={"MYSQL_PWD": "app-secret", "PATH": "/usr/bin:/bin"}, timeout=120, **arguments)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')[-3000:]}"
    return done.stdout


def dump(server, port, schema, *options):
    """The dump without its line about the host and the schema."""
    text = run([*programs(server, port)[0], *options, schema])
    return re.sub(rb"^-- Host: .*$", b"-- Host", text, flags=re.M).replace(schema.encode(), b"SCHEMA")


@pytest.fixture
def filled(any_server, new_schema):
    """A schema with a bit of everything, which the account may dump."""
    schema = new_schema(any_server)
    any_server.sql("GRANT TRIGGER, EVENT, LOCK TABLES ON *.* TO app@'%'", "GRANT SELECT ON mysql.* TO app@'%'")
    if any_server.family == "mysql":
        any_server.sql("GRANT SHOW_ROUTINE, SYSTEM_USER, SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON *.* TO app@'%'",
                       "SET GLOBAL log_bin_trust_function_creators = 1")
    client = Client(any_server.port, schema=schema)
    for statement in re.split(r";\n(?=[A-Z])", SCHEMA.strip()):
        reply = client.query(statement)
        assert not isinstance(reply, Err), (statement[:100], reply)
    client.quit()
    return schema


class Others:
    """Clients with settings of their own who read and write another schema until they are told to stop."""

    def __init__(self, port, schema, clients=3):
        self.stop, self.wrong = threading.Event(), []
        self.threads = [threading.Thread(target=self.work, args=(port, schema, number)) for number in range(clients)]

    def work(self, port, schema, number):
        try:
            client = Client(port, schema=schema, timeout=60)
            client.query(f"SET time_zone = '+0{number}:30', sql_mode = 'ANSI', NAMES latin1")
            while not self.stop.is_set():
                client.query("BEGIN")
                client.query(f"INSERT INTO busy (v) VALUES ({number})")
                client.query("COMMIT")
                seen = client.rows("SELECT @@time_zone, DATABASE(), COUNT(*) > 0 FROM busy")
                if seen != [(f"+0{number}:30".encode(), schema.encode(), b"1")]:
                    self.wrong.append(seen)
            client.quit()
        except Exception as error:  # a test's thread must not end in silence
            self.wrong.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


OPTIONS = {"by default": [], "every row": ["--skip-extended-insert", "--complete-insert", "--order-by-primary"], "quick": ["--quick", "--compact"],
           "in latin1": ["--default-character-set=latin1"], "no comments": ["--skip-comments", "--skip-opt", "--create-options"]}


@pytest.mark.parametrize("options", OPTIONS)
def test_the_dump_is_the_same(any_server, new_gate, new_schema, filled, options):
    expected = dump(any_server, any_server.port, filled, *OPTIONS[options])
    assert b"CREATE TABLE" in expected and len(expected) > 200_000
    other = new_schema(any_server)
    any_server.sql(f"CREATE TABLE {other}.busy (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB")
    gate = new_gate(any_server, budget={"max_connections": 2, "reserve": 0}, pool={"wait_timeout": "60s"})
    with Others(gate.port, other) as others:
        seen = dump(any_server, gate.port, filled, *OPTIONS[options])
    assert seen == expected
    assert others.wrong == []
    assert gate.api()["peak"] <= 2


def test_what_was_dumped_is_restored(any_server, new_gate, new_schema, filled):
    """Through the gate there and back, twice, others at work meanwhile: the second dump is the first."""
    gate = new_gate(any_server, budget={"max_connections": 2, "reserve": 0}, pool={"wait_timeout": "60s"})
    first = dump(any_server, gate.port, filled)
    other, copy = new_schema(any_server), new_schema(any_server)
    any_server.sql(f"CREATE TABLE {other}.busy (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB")
    with Others(gate.port, other) as others:
        run([*programs(any_server, gate.port)[1], "--default-character-set=utf8mb4", copy], input=first.replace(b"SCHEMA", copy.encode()))
    assert dump(any_server, any_server.port, copy) == first
    assert others.wrong == []
    tables = ["parents", "children", "old_engine", "log", "`odd``name \"here\"`"]
    sums = [any_server.sql(f"CHECKSUM TABLE {', '.join(f'{schema}.{table}' for table in tables)}") for schema in (filled, copy)]
    assert [row[1] for row in sums[0]] == [row[1] for row in sums[1]]
    assert any_server.value(f"SELECT {copy}.plus(2, 3)") == 5
