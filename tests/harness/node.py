"""What the tests build once and keep in the cache, Node.js's driver first of all."""
import fcntl
import functools
import pathlib
import re
import shutil
import subprocess

from .servers import Unavailable, cache_folder

DRIVER = pathlib.Path(__file__).resolve().parents[1] / "drivers/node"


def built(name, sources, build):
    """A folder with what `build(folder)` makes of the sources, kept in the cache until these change."""
    stamp = "".join(source.read_text() for source in sources)
    folder = cache_folder() / "drivers" / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "stamp").exists() or (folder / "stamp").read_text() != stamp:
            build(folder)
            (folder / "stamp").write_text(stamp)
    return folder


NO_REGISTRY = re.compile(r"npm (?:ERR!|error) code (E(AI_AGAIN|NOTFOUND|CONN\w+|TIMEDOUT|NETUNREACH|HOSTUNREACH)|\w*CERT\w*)")


def npm_folder(sources=DRIVER):
    """Where the packages of that folder's package-lock.json are installed."""
    return cache_folder() / "drivers" / ("node" if sources == DRIVER else f"node-{sources.name}")


@functools.cache
def npm_trouble(sources=DRIVER):
    """Installs what that folder's package-lock.json names; what is in the way of reaching npm's registry, or nothing."""
    def install(folder):
        for file in ("package.json", "package-lock.json"):
            shutil.copy(sources / file, folder)
        command = ["npm", "ci", "--omit=peer", "--no-audit", "--no-fund", "--fetch-retries=1"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if no_registry := NO_REGISTRY.search(done.stderr):
            raise Unavailable(f"npm's registry cannot be reached ({no_registry[1]}); npm_config_registry, "
                              "npm_config_cafile or https_proxy may help")
        assert done.returncode == 0, done.stderr

    try:
        built(npm_folder(sources).name, [sources / "package.json", sources / "package-lock.json"], install)
    except Unavailable as trouble:
        return str(trouble)
    return None
