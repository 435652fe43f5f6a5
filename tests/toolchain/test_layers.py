"""The include test: the tree keeps to the table, and layers.py sees it when a tree does not."""
import pathlib
import subprocess
import sys

import pytest

import layers

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINKS = """tidegate_layer(base LINK fmt::fmt)
tidegate_layer(sql LINK tidegate_base)
tidegate_layer(net LINK tidegate_base OpenSSL::SSL)
tidegate_layer(proxy LINK tidegate_base tidegate_sql
  tidegate_net)
"""


@pytest.fixture
def tree(tmp_path):
    """A function that writes a tree with one file besides a sound one, and gives what is wrong with it."""
    def problems(name, text, links=LINKS):
        for path, content in {"base/clock.h": "#pragma once\n", name: text, "CMakeLists.txt": links}.items():
            file = tmp_path / "src" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return list(layers.problems(tmp_path))
    return problems


def test_the_sources_keep_to_the_layers():
    run = subprocess.run([sys.executable, layers.__file__, str(ROOT)], text=True, capture_output=True)
    assert run.stdout == "" and run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name, text", [
    ("sql/scanner.cc", '#include "sql/scanner.h"\n#include <string>\n#include "base/clock.h"\n'),
    ("proxy/gate.cc", '#include "net/loop.h"\n#include "sql/scanner.h"\n#include <unistd.h>\n'),
    ("sql/lexer.cc", "// Clock::now() is for shells\nauto text = \"getenv(\";\n"),
    ("sql/lexer_test.cc", "#include <random>\n#include <fstream>\n"),
    ("net/loop.cc", "#include <sys/epoll.h>\nauto now = Clock::now();\n"),
])
def test_what_is_allowed(tree, name, text):
    assert tree(name, text) == []


@pytest.mark.parametrize("name, text, line, word", [
    ("sql/scanner.cc", '#include "net/loop.h"\n', 1, "below it"),
    ("net/loop.cc", '\n#include "proxy/gate.h"\n', 2, "below it"),
    ("sql/scanner_test.cc", '#include "net/loop.h"\n', 1, "below it"),
    ("sql/scanner.cc", '#include "scanner.h"\n', 1, "not a path from src/"),
    ("sql/scanner.cc", "#include <unistd.h>\n", 1, "pure"),
    ("sql/scanner.cc", "  #  include <sys/socket.h>\n", 1, "pure"),
    ("sql/scanner.cc", "#include <thread>\n", 1, "pure"),
    ("sql/scanner.cc", "\n\nauto now = Clock::now();\n", 3, "pure"),
    ("sql/scanner.cc", "auto now = std::chrono::system_clock::now();\n", 1, "pure"),
    ("sql/scanner.cc", "/* a\ncomment */ auto x = std::getenv(\"X\");\n", 2, "pure"),
    ("proxy/gate.cc", "#include <boost/asio/io_context.hpp>\n", 1, "belongs to api"),
    ("net/loop.cc", "#include <boost/asio/io_context.hpp>\n", 1, "belongs to api"),
    ("sql/scanner.h", "class Scanner;\n", 1, "#pragma once"),
])
def test_what_is_not(tree, name, text, line, word):
    found = tree(name, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"src/{name}:{line}:") and word in found[0]


def test_a_folder_that_nobody_planned(tree):
    assert tree("misc/util.cc", "") == ["src/misc/util.cc: misc/ is not a layer (tests/toolchain/layers.py has the table)"]


def test_an_include_without_its_link(tree):
    found = tree("sql/scanner.cc", '#include "base/clock.h"\n', LINKS.replace("sql LINK tidegate_base", "sql"))
    assert found == ["src/CMakeLists.txt: sql/ includes base/ and does not link tidegate_base"]


def test_a_link_upside_down(tree):
    found = tree("sql/scanner.cc", "", LINKS.replace("sql LINK", "sql LINK tidegate_net"))
    assert found == ["src/CMakeLists.txt: sql links tidegate_net, which is not above it"]


def test_a_folder_without_its_library(tree):
    assert tree("pool/pool.cc", "") == ["src/CMakeLists.txt: no tidegate_layer(pool)"]


@pytest.mark.parametrize("text, well", [
    ("#include <chrono>\n#include <tidegate/error.h>\n", True),
    ('#include "base/error.h"\n', False),
    ("#include <fmt/core.h>\n", False),
    ("#include <mysql.h>\n", False),
])
def test_public_headers_need_nothing_else(tree, tmp_path, text, well):
    header = tmp_path / "include" / "tidegate" / "x.h"
    header.parent.mkdir(parents=True)
    header.write_text(text)
    found = tree("sql/scanner.cc", "")
    assert (found == []) == well and all(problem.startswith("include/tidegate/x.h:1:") for problem in found)
