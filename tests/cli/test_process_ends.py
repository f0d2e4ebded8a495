"""What only a real process shows: a closed pipe, Ctrl-C, a full disk, bytes in any locale."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SFACTL = [sys.executable, "-m", "sfactl"]
PRESET = Path(__file__).parents[2] / "configs" / "b2b"


def _environ(**more: str) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("SFACTL_")}, **more}


@pytest.fixture
def workspace(acme: Path) -> Path:
    name = "台灣精密機械"
    text = (acme / "sfactl.toml").read_text(encoding="utf-8")
    (acme / "sfactl.toml").write_text(text.replace('name = "acme"', f'name = "{name}"'), encoding="utf-8")
    return acme


def test_a_closed_pipe_ends_silently(workspace: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*SFACTL, "config", "list"], cwd=workspace, env=_environ(), stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_full_disk_is_told(workspace: Path, form: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*SFACTL, "config", "list", "--format", form],
            cwd=workspace,
            env=_environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode().startswith("error [storage] the disk is full")
    assert b"Traceback" not in done.stderr


WAITS = """
import os, sys
from sfactl.cli.main import run
class Stdin:
    def read(self):
        os.write(2, b"waiting\\n")
        while True:
            os.read(0, 1)
sys.stdin = Stdin()
sys.argv = ["sfactl", "sql", "-"]
run()
"""


def test_ctrl_c_ends_with_130_and_one_line(workspace: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=workspace,
        env=_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err.decode() == "Interrupted. What was committed before stays.\n"


@pytest.mark.parametrize("encoding", ["ascii", "big5", "utf-8"])
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_data_is_utf_8_in_any_locale(workspace: Path, form: str, encoding: str) -> None:
    done = subprocess.run(
        [*SFACTL, "config", "list", "workspace", "--format", form],
        cwd=workspace,
        env=_environ(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=True,
    )
    assert "台灣精密機械" in done.stdout.decode("utf-8")


def test_an_error_with_strange_characters_reaches_any_terminal(workspace: Path) -> None:
    done = subprocess.run(
        [*SFACTL, "config", "get", "電話"],
        cwd=workspace,
        env=_environ(PYTHONIOENCODING="ascii:strict"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error [config]")


def test_stdout_is_empty_when_the_answer_goes_to_a_file(workspace: Path) -> None:
    done = subprocess.run(
        [*SFACTL, "config", "list", "--output", "settings.csv"],
        cwd=workspace,
        env=_environ(),
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert (workspace / "settings.csv").read_text(encoding="utf-8").startswith("key,value,layer,where\n")


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        pytest.param("sfactl config ex", ["explain"], id="command"),
        pytest.param("sfactl segment members h", ["hot-b2b"], id="segment"),
        pytest.param("sfactl score run in", ["intent"], id="score"),
        pytest.param("sfactl data files suppr", ["suppressions"], id="dataset"),
        pytest.param("sfactl lead import x.csv --mapping hub", ["hubspot"], id="option"),
        pytest.param("sfactl segment members zz", [], id="nothing"),
    ],
)
def test_completion_knows_commands_and_names(workspace: Path, words: str, answers: list[str]) -> None:
    for folder in ("segments", "scores", "mappings"):
        shutil.copytree(PRESET / folder, workspace / folder, dirs_exist_ok=True)
    done = subprocess.run(
        SFACTL,
        cwd=workspace,
        env=_environ(_SFACTL_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1)),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split() == [f"plain,{answer}" for answer in answers]
