"""libtidegate as somebody else's program sees it: installed into a folder of its own, and the programs of examples/ built there."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

from harness.gate import ROOT, program
from harness.library import environment
from harness.process import Process, wait_until


def build_folder():
    return pathlib.Path(program()).parents[1]


def cached(name):
    """A value of the build's CMake cache."""
    match = re.search(rf"^{name}:\w+=(.*)$", (build_folder() / "CMakeCache.txt").read_text(), re.MULTILINE)
    return match[1] if match else ""


def compiler():
    """The one that the build uses."""
    found = next((build_folder() / "CMakeFiles").glob("*/CMakeCXXCompiler.cmake")).read_text()
    return re.search(r'set\(CMAKE_CXX_COMPILER "(.*)"\)', found)[1]


def shell(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=600, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Where the library is installed; nothing there points back into the tree."""
    folder = tmp_path_factory.mktemp("prefix")
    shell("cmake", "--install", build_folder(), "--prefix", folder, "--component", "library")
    return folder


@pytest.fixture(scope="module")
def examples(prefix, tmp_path_factory):
    """The folder of the two programs of examples/, built outside the tree."""
    folder = tmp_path_factory.mktemp("examples")
    source = folder / "source"
    shell("cp", "-r", ROOT / "examples", source)
    sanitizer = cached("TIDEGATE_SANITIZE")
    shell("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
          f"-DCMAKE_CXX_COMPILER={compiler()}",
          "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror" + (f" -fsanitize={sanitizer}" if sanitizer else ""))
    shell("cmake", "--build", folder / "build")
    return folder / "build"


def test_pkg_config_finds_all_that_is_needed(prefix, tmp_path):
    if cached("TIDEGATE_SANITIZE"):
        pytest.skip("a library with a sanitizer is not one to install")
    source = tmp_path / "one.cc"
    source.write_text("#include <tidegate/pool.h>\n"
                      'int main() { return tidegate::Pool::from_url("nothing").has_value() ? 1 : 0; }\n')
    folder = next(prefix.rglob("tidegate.pc")).parent
    flags = shell("pkg-config", "--cflags", "--libs", "tidegate", env={**os.environ, "PKG_CONFIG_PATH": str(folder)})
    shell(compiler(), "-std=c++2b", source, "-o", tmp_path / "one", *flags.split())
    shell(tmp_path / "one")


def test_imports_are_done_once_by_several_processors(mariadb, new_schema, examples, tmp_path):
    schema = new_schema(mariadb)
    env = environment(mariadb, schema)
    program = examples / "import_processor"
    shell(program, "set-up", env=env)
    for number in range(40):
        shell(program, "add", f"bolt={number},nut=1", env=env)
    shell(program, "add", "bolt=5,nut=many", env=env)
    running = [Process([program, "drain"], tmp_path / "log", env=env, cwd=tmp_path) for _ in range(3)]
    killed = Process([program, "work"], tmp_path / "log", env=env, cwd=tmp_path)
    killed.kill9()  # its claim, if it had one, is gone with it
    for process in running:
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    shell(program, "drain", env=env, cwd=tmp_path)  # what the killed one had claimed
    assert shell(program, "status", env=env).split() == ["done", "40", "failed", "1"]
    assert mariadb.sql(f"SELECT * FROM {schema}.stock ORDER BY name") == [("bolt", sum(range(40))), ("nut", 40)]
    assert mariadb.value(f"SELECT error FROM {schema}.import_job WHERE state = 'failed'").endswith("nut=many")


def test_a_blast_sends_each_message_once_with_few_connections(new_server, new_schema, examples, tmp_path):
    server = new_server("mariadb", max_connections=20)
    schema = new_schema(server)
    env = environment(server, schema)
    program = examples / "email_blast"
    shell(program, "prepare", "3000", env=env)
    blast = Process([program, "run", "5"], tmp_path / "log", env=env, cwd=tmp_path)
    children = pathlib.Path(f"/proc/{blast.pid}/task/{blast.pid}/children")
    wait_until(lambda: server.value(f"SELECT COUNT(*) FROM {schema}.outbox"), what="the first message")
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
    assert blast.wait(60) == 0, (tmp_path / "log").read_text()
    sent = server.sql(f"SELECT COUNT(*), COUNT(DISTINCT message) FROM {schema}.outbox")
    assert sent == [(3000, 3000)]
    # Five workers, one that replaced the killed one, the orchestrator, and this test.
    assert server.status("Max_used_connections") <= 5 + 1 + 1 + 2
