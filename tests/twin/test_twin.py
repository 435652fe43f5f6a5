"""The twin test: random interleavings of clients' statements, directly and through the gate with one and with two server
connections. Each reply (rows, columns, counts, ids, warnings, flags, errors) must be the same."""
import os
import pathlib
import subprocess
import time

import pytest
from harness.gate import program
from harness.process import PATIENCE

# Of each server: as many interleavings as that, through each of two gates; and again with the next seed until the time is over.
INTERLEAVINGS = int(os.environ.get("TIDEGATE_TWINS") or 2500)
SEED = int(os.environ.get("TIDEGATE_SEED") or 20261121)
SECONDS = float(os.environ.get("TIDEGATE_TWIN_SECONDS") or 0)

ROUTINES = [
    "CREATE PROCEDURE sets_variables(n INT) BEGIN SET @from_procedure = n; SET SESSION sql_select_limit = n; END",
    "CREATE PROCEDURE two_results(n INT) BEGIN SELECT n; SELECT n + 1, 'two'; END",
    "CREATE FUNCTION plain_function(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE makes_table(n INT) BEGIN CREATE TEMPORARY TABLE IF NOT EXISTS made SELECT n AS a; END",
    "CREATE PROCEDURE fails_in_transaction() BEGIN START TRANSACTION; SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END",
    # What leaves nothing behind, but for what statements leave.
    "CREATE PROCEDURE inserts(t INT, n INT) BEGIN IF t = 0 THEN INSERT INTO t0 (v) VALUES (n); ELSEIF t = 1 THEN INSERT INTO t1 (v) "
    "VALUES (n); ELSE INSERT INTO t2 (v) VALUES (n); END IF; END",
    "CREATE PROCEDURE changes(t INT, n INT) BEGIN SELECT id FROM fixed WHERE id < n; IF t = 0 THEN UPDATE t0 SET v = n; ELSEIF t = 1 THEN "
    "UPDATE t1 SET v = n; ELSE UPDATE t2 SET v = n; END IF; END",
    "CREATE PROCEDURE counts() BEGIN DECLARE x INT; SELECT COUNT(*) INTO x FROM fixed; SELECT x, twice(x); END",
    "CREATE PROCEDURE nothing() BEGIN DECLARE x INT DEFAULT 1; SET x = x + 1; END",
    "CREATE PROCEDURE warns() BEGIN SELECT 1 / 0; END",
    "CREATE PROCEDURE begins() BEGIN START TRANSACTION; SELECT COUNT(*) FROM fixed; END",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE FUNCTION asks() RETURNS BIGINT DETERMINISTIC RETURN LAST_INSERT_ID()",
    "CREATE FUNCTION looks_up(n INT) RETURNS INT READS SQL DATA BEGIN DECLARE x INT; SELECT COUNT(*) INTO x FROM fixed WHERE id < n; RETURN x; END",
    "CREATE FUNCTION inserts_own(n INT) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log (v) VALUES (n); RETURN n; END",
    # What leaves something that no server reports.
    "CREATE FUNCTION into_variable(n INT) RETURNS INT READS SQL DATA BEGIN SELECT n INTO @from_function; RETURN n; END",
    "CREATE PROCEDURE makes_by_select(n INT) CREATE TEMPORARY TABLE IF NOT EXISTS made2 SELECT n AS a",
    "CREATE PROCEDURE deep(n INT) BEGIN CALL makes_by_select(twice(n)); END",
]


@pytest.fixture
def twins(any_server):
    any_server.sql("DROP DATABASE IF EXISTS app_twin", "DROP DATABASE IF EXISTS app_twin2",
                   "CREATE DATABASE app_twin CHARACTER SET utf8mb4", "CREATE DATABASE app_twin2 CHARACTER SET utf8mb4",
                   "CREATE TABLE app_twin.fixed (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=InnoDB",
                   "INSERT INTO app_twin.fixed VALUES (1, 'eins'), (2, 'zwei'), (3, 'drei'), (4, 'vier'), (5, 'fünf')",
                   "CREATE TABLE app_twin.here (name VARCHAR(20))", "INSERT INTO app_twin.here VALUES ('first'), ('one')",
                   "CREATE TABLE app_twin.log (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB",
                   "CREATE TABLE app_twin2.here (name VARCHAR(20))", "INSERT INTO app_twin2.here VALUES ('second')",
                   *(f"CREATE TABLE app_twin.t{n} (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40)) ENGINE=InnoDB" for n in range(3)),
                   *(f"INSERT INTO app_twin.t{n} VALUES (1, 'one'), (2, 'two'), (3, 'three')" for n in range(3)),
                   "USE app_twin", *ROUTINES, "DROP ROLE IF EXISTS twin_role", "CREATE ROLE twin_role", "GRANT twin_role TO app",
                   "CREATE DATABASE IF NOT EXISTS twin_roles", "CREATE TABLE IF NOT EXISTS twin_roles.t AS SELECT 1 AS a",
                   "GRANT SELECT ON twin_roles.* TO twin_role",
                   *(f"CREATE SEQUENCE s{n}" for n in range(3) if any_server.family == "mariadb"))
    yield any_server
    any_server.sql("DROP ROLE twin_role", "SET lock_wait_timeout = 20", "DROP DATABASE app_twin", "DROP DATABASE app_twin2",
                   "DROP DATABASE twin_roles")


def test_nobody_can_tell(twins, new_gate):
    gates = [new_gate(twins, budget={"max_connections": size}, pool={"wait_timeout": "10m"}, log={"level": "warn"}) for size in (1, 2)]
    began, seed = time.monotonic(), SEED
    while True:
        command = [pathlib.Path(program()).with_name("twin"), twins.port, twins.family, INTERLEAVINGS, seed, *(gate.port for gate in gates)]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=1200 * PATIENCE)
        print(done.stdout[-6000:], done.stderr[-6000:])
        assert done.returncode == 0, done.stderr[-6000:] or done.stdout[-6000:]
        if time.monotonic() - began >= SECONDS:
            break
        seed += 1
