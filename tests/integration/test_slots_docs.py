"""The examples of docs/slots.md, as they are written there."""
import os
import pathlib
import re
import subprocess

import pytest
from harness.gate import program
from harness.process import wait_until
from harness.slots import Desk

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/slots.md").read_text()
RUN = {"python": ["python3", "-c"], "php": None, "js": ["node", "-e"], "sh": ["sh", "-c"]}


@pytest.mark.parametrize("language", RUN)
def test_the_example_takes_a_slot(language, new_gate, mariadb, tmp_path):
    code = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]
    desk = Desk(new_gate(mariadb))
    try:
        wait_until(lambda: os.path.exists(f"{desk.slots_folder}/gate.sock"), 10, "the slots' socket")
        file = tmp_path / "example.php"
        file.write_text(code)
        command = [*RUN[language], code] if RUN[language] else ["php", str(file)]
        env = desk.env | {"PATH": f"{os.path.dirname(program())}:{os.environ['PATH']}"}
        answer = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert answer.returncode == 0, answer.stderr
        assert "working with" in answer.stdout
        assert desk.pool()["granted"] == 1
        wait_until(lambda: desk.pool()["active"] == 0, 10, "the slot's return")
    finally:
        desk.close()
