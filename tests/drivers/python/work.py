"""The work of README.md over Python's DB-API; `open_connection(schema)` and the driver's own ways are handed in."""
import hashlib
import json
import os

KINDS = """CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),
    f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB"""
FIRST = (None, -7, 18446744073709551615, "12345678901234.567890", 2.25e-7, "2024-02-29", "2024-02-29 23:59:58.123456",
         "na\u00efve \U0001F680 'quoted' \\ text", b"\x00\xff\x00'\\\x1a\n\r\x80")
SECOND = (5, 2147483647, 0, "-0.000001", -1e300, "1000-01-01", "9999-12-31 23:59:59.999999", "", b"")


def say(step, **fields):
    print(json.dumps({"step": step, **fields}), flush=True)


def plain(value):
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else str(value)


def work(open_connection, error, ping, select_db, multi):
    connection = open_connection(os.environ["DRIVER_SCHEMA"])
    cursor = connection.cursor()

    def rows(statement, parameters=None):
        cursor.execute(statement, parameters)
        return [[plain(value) for value in row] for row in cursor.fetchall()]

    def value(statement):
        return rows(statement)[0][0]

    say("connect", cipher=rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])

    cursor.execute(KINDS)
    ids = []
    for row in (FIRST, SECOND):
        cursor.execute("INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)", row)
        ids.append(cursor.lastrowid)
    connection.commit()
    say("insert", ids=ids, last=value("SELECT LAST_INSERT_ID()"))
    say("text", rows=rows("SELECT * FROM kinds ORDER BY id"))

    cursor.execute("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB")
    cursor.execute("INSERT INTO money VALUES (1)")
    connection.commit()
    counts = [value("SELECT COUNT(*) FROM money")]
    cursor.execute("INSERT INTO money VALUES (2)")
    connection.rollback()
    say("transaction", counts=counts + [value("SELECT COUNT(*) FROM money")])

    codes = []
    for statement in ("INSERT INTO money VALUES (1)", "SELEKT 1"):
        try:
            cursor.execute(statement)
        except error as refused:
            codes.append(refused.args[0])
    say("errors", codes=codes, alive=value("SELECT 1"))
    connection.rollback()

    if multi:
        cursor.execute("SELECT 1; DO 2; SELECT 3, 4")
        sets = [[[plain(v) for v in row] for row in cursor.fetchall()]]
        while cursor.nextset():
            sets.append([[plain(v) for v in row] for row in cursor.fetchall()])
        say("multi", sets=[s for s in sets if s])

    cursor.execute("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB")
    for start in range(0, 10000, 1000):
        cursor.executemany("INSERT INTO many VALUES (%s, %s)", [(n, "row " + "x" * (n % 50)) for n in range(start, start + 1000)])
    connection.commit()
    cursor.execute("SELECT a, t FROM many ORDER BY a")
    found = cursor.fetchall()
    say("many", count=len(found), sum=sum(row[0] for row in found),
        md5=hashlib.md5("".join(row[1] for row in found).encode()).hexdigest())

    cursor.execute("CREATE TABLE large (v LONGBLOB)")
    big = bytes(range(256)) * 4096
    cursor.execute("INSERT INTO large VALUES (%s)", (big,))
    connection.commit()
    cursor.execute("SELECT v FROM large")
    back = cursor.fetchone()[0]
    say("large", length=len(back), same=back == big)

    cursor.execute("CREATE TABLE loaded (a INT, t TEXT)")
    cursor.execute("LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded" % os.environ["DRIVER_FILE"])
    loaded = cursor.rowcount
    connection.commit()
    say("infile", rows=loaded, sum=value("SELECT SUM(a) FROM loaded"))

    ping(connection)
    say("ping", ok=True)

    before = value("SELECT DATABASE()")
    select_db(connection, os.environ["DRIVER_OTHER"])
    now = value("SELECT DATABASE()")
    cursor.execute("CREATE TABLE here (a INT)")
    cursor.execute("USE " + before)
    say("database", before=before, now=now, again=value("SELECT DATABASE()"))

    for statement in ("SET NAMES latin1", "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'",
                      "SET @mine = 'kept'"):
        cursor.execute(statement)
    session = rows("SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine")
    cursor.execute("SET NAMES utf8mb4")
    cursor.execute("SET sql_mode = DEFAULT")
    say("session", values=session, after=rows("SELECT @@character_set_client, @@time_zone, @mine"))

    second = open_connection(os.environ["DRIVER_SCHEMA"])
    other = second.cursor()

    def seen():
        other.execute("SELECT COUNT(*) FROM money WHERE a = 9")
        count = other.fetchone()[0]
        second.commit()
        return count

    connection.begin()
    cursor.execute("INSERT INTO money VALUES (9)")
    counts = [seen()]
    connection.commit()
    say("two", before=counts[0], after=seen())
    second.close()
    connection.close()
    say("close")
