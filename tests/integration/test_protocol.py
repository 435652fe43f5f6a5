"""The protocol, packet by packet: straight at the servers, so that the raw client can be trusted, and through the gate,
which must not look different."""
import datetime

import pytest

from harness.gate import Gate

from harness.raw import Capability, Client, Command, Err, LocalInfile, LoginRefused, Ok, ResultSet, Status

EOFS = [pytest.param(0, id="deprecate-eof"), pytest.param(Capability.DEPRECATE_EOF, id="eof")]




@pytest.fixture(scope="module")
def gates():
    """One gate a server, for all tests of this file."""
    started = {}

    def gate_of(server):
        if server not in started:
            tls = {"tls_cert": f"{server.folder}/tls/cert.pem", "tls_key": f"{server.folder}/tls/key.pem"}
            started[server] = Gate(server, listen=tls)
        return started[server]

    yield gate_of
    for gate in started.values():
        gate.close()


@pytest.fixture(params=["direct", "gate"])
def way(request):
    return request.param


@pytest.fixture
def connect(way, gates):
    """A function that opens a raw client to a server, straight or through its gate."""
    clients = []

    def make(server, *arguments, **more):
        clients.append(Client(server.port if way == "direct" else gates(server).port, *arguments, **more))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect, any_server, schema):
    return connect(any_server, schema=schema)


@pytest.mark.mariadb11
@pytest.mark.parametrize("without", EOFS)
def test_text_results(connect, any_server, without):
    client = connect(any_server, without=without)
    reply = client.query("SELECT 1 AS a, NULL, 'x' UNION ALL SELECT 2, 'y', 'z'")
    assert reply.rows == [(b"1", None, b"x"), (b"2", b"y", b"z")]
    assert [column.name for column in reply.columns][0] == "a"
    assert reply.status & Status.AUTOCOMMIT
    assert client.query("DO 1") == Ok(status=reply.status & Status.AUTOCOMMIT)
    error = client.query("SELEKT")
    assert (error.code, error.state) == (1064, "42000")
    assert client.ping().affected == 0
    assert len(client.rows("SELECT 1 " + "UNION ALL SELECT 1 " * 299)) == 300  # sequence numbers wrap
    assert client.idle()
    client.quit()


@pytest.mark.parametrize("without", EOFS)
def test_binary_results(connect, any_server, schema, without):
    client = connect(any_server, schema=schema, without=without)
    statement = client.prepare("SELECT ?, ?, ?, ?, CAST(? AS DATETIME(6)), CAST('-26:00:01' AS TIME)")
    moment = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)
    reply = client.execute(statement, (1, None, 2.5, "h\u00e9", moment))
    assert reply.rows == [(1, None, 2.5, "h\u00e9".encode(), "2024-02-29 23:59:58.123456", "-26:00:01")]
    again = client.execute(statement, (1, None, 2.5, "h\u00e9", moment), types=False)
    assert again.rows == reply.rows
    assert isinstance(client.reset_statement(statement), Ok)
    client.close_statement(statement)
    assert client.execute(statement, (1, 2, 3, 4, 5)).code == 1243
    assert client.prepare("SELEKT").code == 1064


@pytest.mark.parametrize("without", EOFS)
def test_cursors(connect, any_server, without):
    client = connect(any_server, without=without)
    statement = client.prepare("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3")
    opened = client.execute(statement, cursor=1)
    assert opened.rows == [] and opened.status & Status.CURSOR_EXISTS
    first = client.fetch(statement, opened.columns, 2)
    assert first.rows == [(1,), (2,)] and not first.status & Status.LAST_ROW_SENT
    rest = client.fetch(statement, opened.columns, 2)
    assert rest.rows == [(3,)] and rest.status & Status.LAST_ROW_SENT
    assert client.idle()


def test_multi_results(client):
    first, second, third = client.results("SELECT 1; DO 1; SELECT 2, 3")
    assert first.rows == [(b"1",)] and isinstance(second, Ok) and third.rows == [(b"2", b"3")]
    results = client.results("SELECT 1; SELEKT; SELECT 2")
    assert isinstance(results[0], ResultSet) and results[1].code == 1064 and len(results) == 2
    client.query("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END")
    assert [type(result) for result in client.results("CALL p()")] == [ResultSet, ResultSet, Ok]
    assert isinstance(client.ask(Command.SET_OPTION, b"\x01\0"), Ok)
    assert client.query("SELECT 1; SELECT 2").code == 1064


def test_local_infile(client):
    client.query("CREATE TABLE t (a INT, b TEXT)")
    assert client.query("LOAD DATA LOCAL INFILE '/nowhere' INTO TABLE t").code in (1148, 3948, 4166)


def test_local_infile_where_allowed(connect, any_server, schema):
    client = connect(any_server, schema=schema, adding=Capability.LOCAL_FILES)
    client.query("CREATE TABLE t (a INT, b TEXT)")
    assert client.query("LOAD DATA LOCAL INFILE '/some/where' INTO TABLE t") == LocalInfile("/some/where")
    loaded = client.send_local([b"1\tone\n2\tt", b"wo\n"])
    assert loaded.affected == 2 and loaded.info.startswith("Records: 2")
    assert client.rows("SELECT * FROM t ORDER BY a") == [(b"1", b"one"), (b"2", b"two")]


def test_packets_over_16_megabytes(connect, any_server):
    client = connect(any_server)
    for size in (0xFFFFFF - 20, 0xFFFFFF, 0xFFFFFF + 1, 2 * 0xFFFFFF):
        # The reply's packet holds the value and its length in 4 or 9 bytes: one of these sizes ends on the edge.
        assert client.value("SELECT LENGTH('" + "x" * size + "')") == b"%d" % size
        assert len(client.value(f"SELECT REPEAT('y', {size - 4})")) == size - 4
    assert client.ping()


def test_session_trackers(connect, any_server, schema):
    client = connect(any_server)
    assert ("schema", schema) in client.query(f"USE {schema}").trackers
    assert ("variable", ("time_zone", "+02:00")) in client.query("SET time_zone='+02:00'").trackers
    client.query("BEGIN")
    assert client.ping().status & Status.IN_TRANS


def test_trackers_that_a_client_asks_for(request, way, connect, any_server):
    if way == "gate":
        request.applymarker(pytest.mark.xfail(strict=True, reason="the gate sends only the trackers on by default"))
    client = connect(any_server)
    client.query("SET session_track_state_change=1, session_track_transaction_info='CHARACTERISTICS',"
                 "session_track_system_variables='sql_mode'")
    assert client.query("SET sql_mode='ANSI'").trackers[0][1][0] == "sql_mode"
    assert ("state", "1") in client.query("SET @x = 1").trackers
    kinds = dict(client.query("BEGIN").trackers)
    assert kinds["transaction"].startswith("T") and kinds["characteristics"].startswith("START TRANSACTION")


def test_long_data(client):
    client.query("CREATE TABLE t (a INT, b LONGBLOB)")
    statement = client.prepare("INSERT INTO t VALUES (?, ?)")
    client.send_long_data(statement, 1, b"begin\0")
    client.send_long_data(statement, 1, b"end")
    assert client.execute(statement, (1, None), long_data=(1,)).affected == 1
    assert client.value("SELECT b FROM t") == b"begin\0end"


def test_changing_user_and_resetting(any_server, client):
    client.query("SET @x = 1")
    assert client.ask(Command.RESET_CONNECTION).affected == 0
    assert client.value("SELECT @x") is None
    client.query("SET @x = 1")
    client.change_user("monitor", "monitor-secret", "mysql")
    assert client.rows("SELECT CURRENT_USER(), DATABASE(), @x") == [(b"monitor@%", b"mysql", None)]
    with pytest.raises(LoginRefused) as refused:
        client.change_user("app", "wrong")
    assert refused.value.error.code == 1045


def test_old_commands(way, connect, any_server, client):
    client.query("CREATE TABLE t (a INT DEFAULT 5, b TEXT)")
    columns = client.field_list("t")
    if not isinstance(columns, Err):  # MySQL 9 has it no more
        assert [(column.name, column.default) for column in columns] == [("a", b"5"), ("b", None)]
    else:
        assert any_server.family == "mysql" and columns.code == 1047
    assert "Uptime" in client.statistics()
    other = connect(any_server)
    reply = client.ask(Command.PROCESS_KILL, other.greeting.thread_id.to_bytes(4, "little"))
    if any_server.family == "mariadb" or way == "gate":  # MySQL 9 has it no more; the gate's ids are its own
        assert isinstance(reply, Ok)
        with pytest.raises((EOFError, ConnectionError)):
            other.ping()
    else:
        assert reply.code == 1047
    assert client.ask(0xFA).code == 1047 or any_server.family == "mariadb"  # COM_STMT_BULK_EXECUTE there


def test_login_errors_and_methods(way, connect, any_server):
    with pytest.raises(LoginRefused) as refused:
        connect(any_server, password="wrong")
    assert refused.value.error.code == 1045
    with pytest.raises(LoginRefused) as refused:
        connect(any_server, schema="app_missing")
    assert refused.value.error.code == 1049
    # A plug-in that is not the account's: the server switches.
    other = {"mariadb": "caching_sha2_password", "mysql": "mysql_native_password"}[any_server.family]
    client = connect(any_server, plugin=other)
    assert client.value("SELECT 1") == b"1"
    if way == "direct":
        assert client.steps[0] == {"mariadb": "mysql_native_password", "mysql": "caching_sha2_password"}[any_server.family]
    secure = connect(any_server, ca=any_server.ca)
    version = secure.rows("SHOW SESSION STATUS LIKE 'Ssl_version'")[0][1]
    assert version.startswith(b"TLS") if way == "direct" else version == b""  # the gate needs none to its own host


def test_full_and_fast_sha2(way, connect, mysql, gates):
    for tls in (False, True):
        if way == "direct":
            mysql.sql("FLUSH PRIVILEGES")  # forgets the passwords that it has seen
        else:
            gates(mysql).restart()
        assert connect(mysql, "sha", "sha-secret", tls=tls).steps[-1] == "full"
        assert connect(mysql, "sha", "sha-secret", tls=tls).steps[-1] == "fast"


@pytest.mark.parametrize("without", EOFS)
def test_more_columns_than_a_table_has(connect, any_server, without):
    client = connect(any_server, without=without)
    reply = client.query("SELECT " + ",".join(["'b'"] * 68001))
    assert len(reply.columns) == 68001 and reply.rows == [(b"b",) * 68001]
    assert client.value("SELECT 1") == b"1"


def test_ignore_space_is_a_setting_from_the_login_on(connect, any_server):
    client, other = connect(any_server, adding=Capability.IGNORE_SPACE), connect(any_server)
    for _ in range(3):
        assert client.value("SELECT COUNT (*)") == b"1" and b"IGNORE_SPACE" in client.value("SELECT @@sql_mode")
        assert other.query("SELECT COUNT (*)").code in (1064, 1630) and b"IGNORE_SPACE" not in other.value("SELECT @@sql_mode")
    client.query("SET sql_mode = ''")
    assert client.value("SELECT @@sql_mode") == b""
    client.ask(Command.RESET_CONNECTION)
    assert (b"IGNORE_SPACE" in client.value("SELECT @@sql_mode")) == (any_server.family == "mysql")


def test_query_attributes_and_optional_metadata(way, connect, mysql):
    client = connect(mysql, adding=Capability.QUERY_ATTRIBUTES | Capability.OPTIONAL_METADATA)
    if not client.has(Capability.OPTIONAL_METADATA) or not client.has(Capability.QUERY_ATTRIBUTES):
        assert way == "gate"
        pytest.skip("the gate does not offer them")
    assert client.query("SELECT 1", [("tag", "blue"), ("n", None)]).rows == [(b"1",)]
    client.query("SET resultset_metadata = NONE")
    bare = client.query("SELECT 1, 2")
    assert bare.columns == [None, None] and bare.rows == [(b"1", b"2")]
    statement = client.prepare("SELECT ? + 1")
    client.query("SET resultset_metadata = FULL")
    assert client.execute(statement, (5,)).rows in ([(6,)], [(6.0,)], [(b"6",)])


def test_mariadbs_cached_metadata(way, connect, mariadb):
    client = connect(mariadb, without=Capability.MYSQL, adding=Capability.EXTENDED_METADATA | Capability.CACHE_METADATA)
    assert client.has(Capability.EXTENDED_METADATA)
    if not client.has(Capability.CACHE_METADATA):
        assert way == "gate"
        pytest.skip("the gate does not offer it")
    assert client.rows("SELECT 1") == [(b"1",)]
    statement = client.prepare("SELECT ?")
    first = client.execute(statement, (5,))
    again = client.execute(statement, (5,))
    assert first.rows == again.rows == [(5,)]
    assert again.columns is first.columns  # they were not sent again
