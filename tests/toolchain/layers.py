#!/usr/bin/env python3
"""Holds the sources against the architecture: who may include whom, what pure folders keep out of, what is linked.

    layers.py [ROOT]      prints what is wrong, a line each, and ends with 1; says nothing else

The tables below are the architecture (docs/internals/architecture.md explains it); a new folder or a new library
begins with a line here.
"""
import pathlib
import re
import sys

# A folder of src/ includes itself and folders above it.
LAYERS = ["base", "config", "protocol", "sql", "budget", "session", "pool", "net", "proxy", "slots", "fleet", "client", "watch", "api", "cli"]

# No I/O, no clock, no randomness, no threads: events and times come in, the next action goes out.
PURE = {"config", "protocol", "sql", "budget", "session", "pool"}
# Headers that a pure folder does without. <arpa/inet.h> and <netinet/in.h> are allowed: addresses, as bytes and as text.
IMPURE_HEADERS = re.compile(
    r"^(sys/.*|netinet/tcp\.h|unistd\.h|fcntl\.h|poll\.h|netdb\.h|pwd\.h|dirent\.h|dlfcn\.h|pthread\.h|c?signal(\.h)?|c?time(\.h)?"
    r"|thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|coroutine"
    r"|fstream|filesystem|iostream|random)$")
IMPURE_CALLS = re.compile(
    r"\b\w*[Cc]lock::now\s*\(|\b(secure_)?getenv\s*\(|\b(std::)?s?rand\s*\(|\brandom_device\b|\bRAND_(priv_)?bytes\b"
    r"|\brandombytes_\w+|\bgetrandom\s*\(|\bsleep_(for|until)\b|\blog::(debug|info|warn|error)\s*\(")

# Which folders name which libraries of others. What is not listed here (the standard library, fmt, gtest in tests) is free.
LIBRARIES = {
    "boost/": {"api"},  # the loop of the data plane is our own: decisions/0001-event-loop.md
    "openssl/": {"protocol", "net", "proxy"},
    "sodium": {"protocol"},
    "toml++/": {"config"},
    "spdlog/": {"base"},
    "nlohmann/": {"api", "cli"},
    "prometheus/": {"api"},
    "CLI/": {"cli"},
    "mysql.h": {"cli", "client"},
    "curses": {"cli"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
LAYER = re.compile(r"^tidegate_layer\((\w+)([^)]*)\)", re.MULTILINE)


def includes(text):
    """(line, bracket, header) of every #include."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1], match[2]


def without_comments(text):
    """The code alone: comments and strings blank, lines where they were."""
    return COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def problems_of_file(name, folder, text):
    above = LAYERS[:LAYERS.index(folder) + 1]
    is_test = re.search(r"_test\.cc$|test\w*\.h$", name)
    for line, bracket, header in includes(text):
        place = f"{name}:{line}"
        target = header.split("/")[0]
        if bracket == '"':
            if "/" not in header or target not in LAYERS:
                yield f'{place}: "{header}" is not a path from src/ (write "folder/file.h")'
            elif target not in above:
                yield f"{place}: {folder}/ includes {target}/, which is below it (allowed: {', '.join(above)})"
            continue
        for library, users in LIBRARIES.items():
            if header.startswith(library) and folder not in users:
                yield f"{place}: <{header}> belongs to {', '.join(sorted(users))}, not to {folder}/"
        if folder in PURE and not is_test and IMPURE_HEADERS.match(header):
            yield f"{place}: {folder}/ is pure and has no use for <{header}>"
    if folder in PURE and not is_test:
        for line, code in enumerate(without_comments(text).splitlines(), 1):
            if match := IMPURE_CALLS.search(code):
                yield f"{name}:{line}: {folder}/ is pure: {match[0].strip()} belongs into a shell"


def used_folders(sources):
    """What each folder includes of the others."""
    used = {}
    for _, folder, text in sources:
        found = {header.split("/")[0] for _, bracket, header in includes(text) if bracket == '"'}
        used.setdefault(folder, set()).update(found & set(LAYERS) - {folder})
    return used


def problems_of_links(cmake, used):
    linked = {name: set(re.findall(r"\btidegate_(\w+)", rest)) for name, rest in LAYER.findall(cmake)}
    for folder in LAYERS:
        if folder == "cli":
            continue  # the program; nothing is below it
        if folder not in linked:
            if folder in used:
                yield f"src/CMakeLists.txt: no tidegate_layer({folder})"
            continue
        for other in sorted(linked[folder] & set(LAYERS)):
            if LAYERS.index(other) >= LAYERS.index(folder):
                yield f"src/CMakeLists.txt: {folder} links tidegate_{other}, which is not above it"
        above = set(LAYERS[:LAYERS.index(folder)])
        for other in sorted(used.get(folder, set()) & above - linked[folder]):
            yield f"src/CMakeLists.txt: {folder}/ includes {other}/ and does not link tidegate_{other}"


def problems_of_public(name, text):
    """The library's headers are for programs that have neither src/ nor what it is built with."""
    for line, bracket, header in includes(text):
        if bracket == '"' or ("/" in header and not header.startswith("tidegate/")) or header.endswith(".h") \
                and not header.startswith("tidegate/"):
            yield f"{name}:{line}: a public header includes the standard library and <tidegate/..> only, not {header}"


def problems(root):
    source = pathlib.Path(root) / "src"
    for path in sorted((pathlib.Path(root) / "include").rglob("*.h")):
        yield from problems_of_public(str(path.relative_to(root)), path.read_text())
    sources = []
    for path in sorted([*source.rglob("*.h"), *source.rglob("*.cc")]):
        name, folder = str(path.relative_to(root)), path.relative_to(source).parts[0]
        if folder not in LAYERS:
            yield f"{name}: {folder}/ is not a layer (tests/toolchain/layers.py has the table)"
            continue
        sources.append((name, folder, path.read_text()))
    if not sources:
        yield f"{source}: no sources"
    for name, folder, text in sources:
        if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{name}:1: a header without #pragma once"
        yield from problems_of_file(name, folder, text)
    yield from problems_of_links((source / "CMakeLists.txt").read_text(), used_folders(sources))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = list(problems(root))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
