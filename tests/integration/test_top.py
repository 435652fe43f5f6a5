"""`tidegate top` in a real terminal: keys, sizes, colours, kills, a server that goes and comes back, and its end."""
import os
import pathlib
import re
import signal
import threading

import pymysql
import pytest
from harness.fleets import fleet
from harness.gate import program
from harness.process import alive, wait_until
from harness.terminal import Terminal
from harness.watch import fill

BOTTOM = "q quit  ? help"


@pytest.fixture
def new_top():
    made = []

    def make(watch, *arguments, user=None, env=None, **terminal):
        command = [program(), "top", "--server", watch.url(user), "--every", "500ms", *arguments]
        made.append(Terminal(command, env={**watch.env, **(env or {})}, **terminal))
        made[-1].wait_for("Connections")
        return made[-1]

    yield make
    for terminal in made:
        terminal.close()


def small(new_server, kind="mariadb", **options):
    return new_server(kind, **{"max_connections": 30, **options})


def rows(screen):
    """The table's rows: what begins with a connection's number, as lists of words."""
    return [line.split() for line in screen.splitlines() if re.match(r" *\d+ \w", line) and " active  " not in line]


def column(screen, place):
    return [row[place] for row in rows(screen)]


def process_of(terminal):
    """The pid of `tidegate top` in it."""
    shell = terminal._tmux("display-message", "-p", "#{pane_pid}")
    children = pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


# --- what is shown

def test_a_full_server_is_shown_with_who_holds_it(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    scripts = fill(server, watch)
    top = new_top(watch, user="admin")
    screen = top.wait_for("php worker.php", "PROGRAM", BOTTOM)
    used, limit, percent = re.search(r"usage (\d+) / (\d+) \((\d+\.\d)%\) \[\|+", screen).groups()
    assert int(limit) == 30 and int(used) >= 30 and float(percent) >= 99
    assert "MariaDB" in screen and f"127.0.0.1:{server.port}" in screen
    assert re.search(r"\d+ active  \d+ sleeping  \d+ over 5m  \d+ running  \d+ refused  [\d.]+ questions/s", screen)
    top.wait_until(lambda shown: re.search(r"connections 3\d in \d+s [▁█▂▃▄▅▆▇]{4}", shown), "the sparkline")
    assert str(scripts[0].pid) in top.text()
    assert "secret" not in "\n".join(top.screen())


@pytest.mark.parametrize("width, height", [(80, 24), (200, 50), (40, 10)])
def test_it_fits_the_terminal(new_server, new_watch, new_top, width, height):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(20)
    top = new_top(watch, width=width, height=height)
    screen = top.wait_for("php worker", "TIMEv")
    lines = top.screen()
    assert len(lines) == height and max(map(len, lines)) <= width
    shown = len(rows(screen))
    assert shown == min(20 + 1, height - (7 if height >= 14 else 5)), screen  # all but head, titles and the last line
    top.press("?")
    top.wait_for("tidegate top: who holds")
    assert max(map(len, top.screen())) <= width


def test_it_follows_a_terminal_that_changes_its_size(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(20)
    top = new_top(watch)
    top.wait_for("HOST", BOTTOM)
    top.resize(40, 10)
    top.wait_until(lambda screen: "HOST" not in screen and "TIMEv" in screen, "the narrow table")
    top.resize(30, 6)
    top.wait_for("too small")
    top.resize(200, 50)
    screen = top.wait_for("STATEMENT", "HOST", BOTTOM)
    assert len(rows(screen)) == 21
    assert max(map(len, top.screen())) > 100


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])(?:;\d+)*m")  # 39 and 49 take it back


@pytest.mark.parametrize("how", [{"term": "vt100"}, {"term": "vt100", "locale": "C"}, {"env": {"NO_COLOR": "1"}}])
def test_it_works_without_colour(new_server, new_watch, new_top, how):
    server = small(new_server)
    watch = new_watch(server)
    fill(server, watch)
    top = new_top(watch, user="admin", **how)
    top.wait_for("php worker.php", BOTTOM)
    styled = "\n".join(top.screen(styles=True))
    assert not COLOUR.search(styled)
    assert "\x1b[7m" in styled or ";7m" in styled  # the bars are still told apart
    if how.get("locale") == "C":
        top.wait_until(lambda screen: re.search(r"connections \d+ in \d+s [0-7]{3}", screen), "a sparkline of digits")
        assert top.text().isascii()
    top.press("q")
    top.wait_for("ended with 0")


def test_a_full_server_is_red_where_there_are_colours(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    fill(server, watch)
    top = new_top(watch, user="admin", term="xterm-256color")
    top.wait_for("php worker.php")
    usage = next(line for line in top.screen(styles=True) if "usage " in line)
    assert re.search(r"\x1b\[(?:\d+;)*31m", usage)


def test_an_unknown_terminal_is_told_what_to_do(mariadb, new_watch):
    watch = new_watch(mariadb)
    with Terminal([program(), "top", "--server", watch.url()], env=watch.env, term="none-such") as terminal:
        screen = terminal.wait_for("ended with 64")
        assert "TERM" in screen and "--once" in screen


# --- keys

def test_sorting(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(2, "first.php")
    watch.sleepers(2, "second.php")
    top = new_top(watch, width=100)
    top.wait_for("first.php", "second.php", "TIMEv")
    for title in ("COMMAND^", "SCHEMA^", "PIDv", "PROGRAM^", "HOST^", "ACCOUNT^", "IDv"):
        top.press("<")
        screen = top.wait_for(title)
    ids = [int(number) for number in column(screen, 0)]
    assert len(ids) == 5 and ids == sorted(ids, reverse=True)
    top.press("r")
    screen = top.wait_for("ID^")
    assert [int(number) for number in column(screen, 0)] == sorted(ids)
    top.press("s", "s", "s")
    screen = top.wait_for("PROGRAM^")
    names = [row[3:5] for row in rows(screen)]
    assert [name[1] for name in names if name[0] == "php"] == ["first.php"] * 2 + ["second.php"] * 2


def test_filter_and_hiding(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(3, "worker.php")
    watch.sleepers(2, "import.php")
    top = new_top(watch)
    top.wait_for("worker.php", "import.php")
    top.type("/IMPORT")
    top.wait_for("filter: IMPORT_", "[1 Connections 2 of 6]")
    top.press("Enter")
    screen = top.wait_gone("IMPORT_")
    assert len(rows(screen)) == 2 and "worker.php" not in screen and "filter: IMPORT" in screen
    top.press("Escape")
    top.wait_for("worker.php", "import.php")
    top.press("i")
    screen = top.wait_gone("worker.php")
    assert "(own)" in screen and "import.php" not in screen
    top.press("i")
    top.wait_for("worker.php")


def test_moving_and_the_whole_row(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    script = watch.sleepers(20)
    top = new_top(watch, height=14)
    top.wait_for("php worker.php", BOTTOM)
    top.press("<", "<", "<", "<", "<", "<", "<", "r")
    first = column(top.wait_for("ID^"), 0)
    top.press("End")
    last = column(top.wait_until(lambda screen: column(screen, 0) != first, "the end of the list"), 0)
    assert int(last[0]) > int(first[0]) and len(last) == len(first)
    top.press("Home")
    top.wait_until(lambda screen: column(screen, 0) == first, "the beginning of the list")
    top.press("Down", "Enter")
    screen = top.wait_for("Connection", "Command line", "php")
    assert re.search(rf"Connection +{first[1]}\b", screen) and re.search(rf"Process +{script.pid}\b", screen)
    top.press("NPage")
    top.wait_for("Folder", watch.folder)
    top.press("Escape")
    top.wait_for(BOTTOM)


def test_help_pages_pause_and_interval(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    top = new_top(watch, height=40)
    for key in ("?", "h", "F1"):
        top.press(key)
        top.wait_for("choose the column to sort by", "Ctrl-L")
        top.press("Escape")
        top.wait_for(BOTTOM)
    top.press("Tab")
    top.wait_for("no gate of this host stands before this server")
    top.press("3")
    top.wait_for("no slot is taken")
    top.press("Tab")
    top.wait_for("no fleets")
    top.press("1")
    top.wait_for("PROGRAM")
    top.press("+")
    top.wait_for("every 1s")
    top.type("d7")
    top.wait_for("seconds between two looks: 7_")
    top.press("Enter")
    top.wait_for("every 7s")
    top.type("-" * 20)
    top.wait_for("every 0.2s")
    top.press("Space")
    paused = top.wait_for("PAUSED")
    with server.connect() as connection:
        # Nothing may come while it is paused. A key that is answered shows that it had the time for it.
        for _ in range(5):
            top.press("?")
            top.wait_for("Ctrl-L")
            top.press("Escape")
            screen = top.wait_for(BOTTOM)
        assert column(screen, 0) == column(paused, 0)
        top.press("Space")
        top.wait_until(lambda shown: str(connection.thread_id()) in column(shown, 0), "the new connection")


# --- ending connections

def place_on(top, connection):
    """Filters so that it is the only one that is shown; the cursor stands on it."""
    top.type("/" + connection)
    top.press("Enter")
    return top.wait_for(f"filter: {connection}", "[1 Connections 1 of")


@pytest.mark.parametrize("kind", ["mariadb", "mariadb11", "mysql"])
def test_a_kill_asks_first(new_server, new_watch, new_top, kind):
    server = small(new_server, kind)
    watch = new_watch(server)
    watch.sleepers(5)
    watch.sleepers(1, "victim.php")
    before = {row["ID"] for row in server.connections("app")}
    top = new_top(watch, user="admin")
    top.wait_for("victim.php")
    victim = int(column(place_on(top, "victim.php"), 0)[0])
    for no in ("n", "Escape", "q", "Enter"):
        top.press("K")
        top.wait_for(f"End connection {victim}, app at 127.0.0.1:", "victim.php", "y/N")
        top.press(no)
        top.wait_for("nothing was ended")
        assert {row["ID"] for row in server.connections("app")} == before, no
    top.press("F9")
    top.wait_for("y/N")
    top.press("y")
    top.wait_for(f"ended connection {victim}")
    wait_until(lambda: {row["ID"] for row in server.connections("app")} == before - {victim}, 10, "the end of one")
    top.wait_for("nothing fits")
    log = pathlib.Path(watch.folder, ".local/state/tidegate/kills.log").read_text().splitlines()
    assert len(log) == 1 and re.search(rf"ended by \S+ at .*: connection {victim}, app .*; filter: chosen in tidegate top",
                                       log[0])


def test_only_the_statement(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    connection = server.connect()
    ended = []

    def sleep():
        try:
            connection.cursor().execute("SELECT SLEEP(100)")
        except pymysql.MySQLError as error:
            ended.append(error.args[0])

    thread = threading.Thread(target=sleep)
    thread.start()
    top = new_top(watch, user="admin")
    place_on(top, "SLEEP(100)")
    top.press("X")
    top.wait_for(f"Stop the statement of connection {connection.thread_id()}", "y/N")
    top.press("y")
    top.wait_for("stopped the statement of connection")
    thread.join(20)
    assert ended == [1317]
    connection.cursor().execute("SELECT 1")  # it lives
    top.press("Escape")
    place_on(top, "app")
    top.wait_until(lambda shown: "Sleep" in rows(shown)[0], "the look that sees it sleep")
    top.press("X")
    top.wait_for("sleeps and runs no statement")
    connection.close()


def test_one_that_has_woken_is_left_alone(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    connection = server.connect()
    top = new_top(watch, user="admin")
    place_on(top, "app")
    top.press("K")
    top.wait_for(f"End connection {connection.thread_id()}")
    connection.cursor().execute("SELECT 1")  # sleeps again, but for less long
    top.press("y")
    top.wait_for(f"left connection {connection.thread_id()} alone")
    connection.cursor().execute("SELECT 1")
    connection.close()


def test_protected_ones_say_why(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    top = new_top(watch, user="admin")
    place_on(top, "(own)")
    top.press("K")
    screen = top.wait_for("is never ended: it is Tidegate's own")
    assert "y/N" not in screen


def test_a_kill_without_the_right_says_so(new_server, new_watch, new_top):
    server = small(new_server)
    server.sql("CREATE USER looker@'%' IDENTIFIED BY 'looker-secret'", "GRANT PROCESS ON *.* TO looker@'%'")
    watch = new_watch(server)
    watch.sleepers(1)
    top = new_top(watch, user="looker")
    place_on(top, "worker.php")
    top.press("K", "y")
    top.wait_for("was not ended: You are not owner of thread")
    assert len(server.connections("app")) == 1


# --- a server that does not answer

def test_a_server_that_is_stopped_and_started(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(3)
    top = new_top(watch)
    top.wait_for("php worker.php")
    server.stop()
    screen = top.wait_for("no answer since")
    assert "php worker.php" in screen  # the last picture stays
    top.press("?")
    top.wait_for("Ctrl-L")
    top.press("Escape")
    top.wait_for(BOTTOM)
    server.start()
    top.wait_gone("no answer since", seconds=30)
    screen = top.wait_gone("worker.php")  # the terminal may have got the first lines of the new picture only
    assert "(own)" in screen
    watch.sleepers(1, "again.php")
    top.wait_for("again.php")


def test_a_server_that_hangs_holds_up_no_key(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    watch.sleepers(3)
    top = new_top(watch)
    top.wait_for("php worker.php")
    pid = process_of(top)
    server.sigstop()
    try:
        top.wait_for("no answer since", "the server takes its time")
        top.press("?")
        top.wait_for("Ctrl-L")
        top.press("Escape", "q")
        top.wait_for("ended with 0")
        assert not alive([pid])
    finally:
        server.sigcont()


def test_its_connection_is_ended_by_another(new_server, new_watch, new_top):
    server = small(new_server)
    watch = new_watch(server)
    top = new_top(watch)
    own = wait_until(lambda: server.connections("monitor"), 10, "its connection")[0]["ID"]
    server.sql(f"KILL {own}")
    wait_until(lambda: [row for row in server.connections("monitor") if row["ID"] != own], 20, "another connection")
    screen = top.wait_until(lambda shown: column(shown, 0) and int(column(shown, 0)[0]) > own, "the new picture")
    assert "no answer" not in screen


# --- the gate

def test_the_gates_pages(new_server, new_watch, new_top, new_gate, tmp_path):
    server = small(new_server)
    folder = tmp_path / "slots"
    folder.mkdir()
    gate = new_gate(server, slots={"path": str(folder)}, fleet=[fleet(workers=3)])
    watch = new_watch(server, slots_folder=str(folder))
    holder = gate.connect(program_name="importer")
    with holder.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('top', 1)")
    slot = watch.start(program(), "exec", "--name", "imports", "--", "sleep", "600")
    top = new_top(watch, user="admin", width=120)
    # One connection is leased, and the holder of the slot has a place in the same budget.
    top.wait_for("gate: 2 active", "[2 Gate 1]", "[4 Fleet 3]", "(gate)")
    top.type("/(gate)")
    top.press("Enter", "K")
    top.wait_for("is never ended: it is of a gate's pool")
    top.press("Escape", "2")
    screen = top.wait_for("pool: 2 active", "HELD BY")
    client = rows(screen)[0]
    assert client[1] == "app" and "importer" in client and int(client[0]) >= 0x40000000
    top.press("3")
    screen = top.wait_until(lambda shown: re.search(r"imports: 1 of \d+ taken", shown), "the slots' page")
    assert re.search(rf"imports +\d+ +{slot.pid} .* sleep 600", screen)
    top.press("4")
    screen = top.wait_for("mail: running, 3 of 3 running")
    assert len(re.findall(r"^mail +\d+ +\d+ running ", screen, re.MULTILINE)) == 3
    gate.close()
    top.press("1")
    top.wait_gone("gate: ")
    top.press("2")
    top.wait_for("no gate of this host stands before this server")
    holder.close()


# --- its end

@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)])
def test_the_terminal_is_given_back(new_server, new_watch, new_top, number, code):
    server = small(new_server)
    watch = new_watch(server)
    top = new_top(watch)
    top.wait_for(BOTTOM)
    os.kill(process_of(top), number)
    screen = top.wait_for(f"ended with {code}")
    assert "before" in screen and BOTTOM not in screen
    top.type("stty -a | tr -s ' ;' '\\n' | grep -c -x -e echo -e icanon")
    top.press("Enter")
    top.wait_until(lambda shown: shown.rstrip("$ \n").endswith("\n2"), "echo and line editing to be on")
    wait_until(lambda: not server.connections("monitor"), 10, "its connection to end")


def test_quitting_gives_the_screen_back(new_server, new_watch, new_top):
    server = small(new_server)
    top = new_top(new_watch(server))
    top.wait_for(BOTTOM)
    top.press("q")
    screen = top.wait_for("ended with 0")
    assert "before" in screen and BOTTOM not in screen and "MariaDB" not in screen


def test_it_ends_with_its_terminal(new_server, new_watch, new_top):
    server = small(new_server)
    top = new_top(new_watch(server))
    top.wait_for(BOTTOM)
    pid = process_of(top)
    top.close()
    wait_until(lambda: not alive([pid]), 10, "its end")


# --- without a terminal

def test_once(new_server, new_watch):
    server = small(new_server)
    watch = new_watch(server)
    script = watch.sleepers(25)
    done = watch.run("top", "--once")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert sum("php worker.php" in line and str(script.pid) in line for line in lines) == 25
    assert max(map(len, lines)) <= 80 and re.search(r"usage 26 / 30 \(86\.7%\)", done.stdout)
    wide = watch.run("top", "--once", "--filter", "worker.php", env={"COLUMNS": "150"})
    assert "Connections 25 of 26" in wide.stdout and max(map(len, wide.stdout.splitlines())) > 80
    assert "no slot is taken" in watch.run("top", "--once", "--page", "3").stdout


def test_without_a_terminal_it_says_so(mariadb, new_watch):
    done = new_watch(mariadb).run("top")
    assert done.returncode == 64 and "tidegate top --once" in done.stderr and not done.stdout


def test_wrong_flags_are_named(mariadb, new_watch):
    watch = new_watch(mariadb)
    for flag, value in (("--every", "soon"), ("--every", "1ms"), ("--max-idle", "x"), ("--page", "5")):
        done = watch.run("top", "--once", flag, value)
        assert done.returncode == 64 and flag in done.stderr
