"""The command-line clients: the program is the first argument (`mariadb`, or MySQL's `mysql`)."""
import json
import os
import subprocess
import sys

TLS = {
    # MariaDB's client checks certificates since 11.4 unless told not to; 10.11 does not know the option's new default.
    "mariadb": {"off": ["--skip-ssl"], "required": ["--ssl", "--skip-ssl-verify-server-cert"]},
    "mysql": {"off": ["--ssl-mode=DISABLED", "--get-server-public-key"], "required": ["--ssl-mode=REQUIRED"]},
}
client = sys.argv[1]
kind = "mariadb" if "mariadb" in os.path.basename(client) else "mysql"
command = [client, "--no-defaults", "--protocol=tcp", f"--host={os.environ['DRIVER_HOST']}", f"--port={os.environ['DRIVER_PORT']}",
           f"--user={os.environ['DRIVER_USER']}", "--default-character-set=utf8mb4", "--local-infile=1", "--batch",
           "--force", "--unbuffered", "--max-allowed-packet=64M", *TLS[kind][os.environ["DRIVER_TLS"]], os.environ["DRIVER_SCHEMA"]]
environment = {**os.environ, "MYSQL_PWD": os.environ["DRIVER_PASSWORD"]}


def say(step, **fields):
    print(json.dumps({"step": step, **fields}), flush=True)


def run(script, *options):
    done = subprocess.run([*command, *options], input=script.encode(), capture_output=True, env=environment)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def step(name, script, *options):
    code, out, errors = run(script, *options)
    say(name, code=code, out=out.splitlines(), errors=errors.splitlines())


code, out, errors = run("SHOW SESSION STATUS LIKE 'Ssl_cipher'", "--skip-column-names")
if code != 0:
    sys.exit((print(f"cannot log in: {errors}", file=sys.stderr), 3)[1])
say("connect", cipher=out.rstrip("\n").partition("\t")[2])
step("insert", r"""
CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
    f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB;
INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (NULL, -7, 18446744073709551615, 12345678901234.567890, 2.25e-7,
    '2024-02-29', '2024-02-29 23:59:58.123456', 'naïve 🚀 \'quoted\' \\ text', x'00ff00275c1a0a0d80'),
    (5, 2147483647, 0, -0.000001, -1e300, '1000-01-01', '9999-12-31 23:59:59.999999', '', '');
SELECT LAST_INSERT_ID(), ROW_COUNT();
""")
step("text", "SELECT id,n,i,u,d,f,day,moment,t,HEX(b) FROM kinds ORDER BY id", "--vertical")
step("table", "SELECT * FROM kinds ORDER BY id", "--table", "--column-type-info")
step("binary", "PREPARE s FROM 'SELECT ? + 1, ?'; SET @a = 1, @b = 'x'; EXECUTE s USING @a, @b; DEALLOCATE PREPARE s;")
step("transaction", """
CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB;
BEGIN; INSERT INTO money VALUES (1); COMMIT; SELECT COUNT(*) FROM money;
BEGIN; INSERT INTO money VALUES (2); ROLLBACK; SELECT COUNT(*) FROM money;
""")
step("errors", "INSERT INTO money VALUES (1); SELEKT 1; SELECT 'alive'; INSERT IGNORE INTO money VALUES (1); SHOW WARNINGS;",
     "--show-warnings")
step("multi", "delimiter //\nSELECT 1; DO 2; SELECT 3, 4//\nCREATE PROCEDURE p() BEGIN SELECT 5; SELECT 6; END//\nCALL p()//\n")
values = ",".join(f"({n}, 'row {'x' * (n % 50)}')" for n in range(10000))
step("many", f"CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)); INSERT INTO many VALUES {values};"
     " SELECT COUNT(*), SUM(a) FROM many; SELECT * FROM many ORDER BY a;", "--quick")
step("large", "CREATE TABLE large (v LONGTEXT); INSERT INTO large VALUES ('" + "0123456789abcdef" * 65536 + "');"
     " SELECT LENGTH(v), MD5(v) FROM large; SELECT v FROM large;")
step("infile", f"CREATE TABLE loaded (a INT, t TEXT); LOAD DATA LOCAL INFILE '{os.environ['DRIVER_FILE']}' INTO TABLE loaded;"
     " SELECT ROW_COUNT(); SELECT * FROM loaded ORDER BY a;")
step("database", f"SELECT DATABASE();\nuse {os.environ['DRIVER_OTHER']};\nSELECT DATABASE(); CREATE TABLE here (a INT); SHOW TABLES;")
step("session", """SET NAMES latin1; SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'; SET time_zone = '+02:00'; SET @mine = 'kept';
SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine;""")

holder = subprocess.Popen([*command, "--skip-column-names"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
holder.stdin.write(b"BEGIN; INSERT INTO money VALUES (9); SELECT 'inserted';\n")
holder.stdin.flush()
assert holder.stdout.readline() == b"inserted\n"
step("two-before", "SELECT COUNT(*) FROM money WHERE a = 9")
holder.stdin.write(b"COMMIT;\n")
holder.stdin.close()
holder.wait()
step("two-after", "SELECT COUNT(*) FROM money WHERE a = 9")
say("close")
