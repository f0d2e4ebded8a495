"""Training, backtesting and promoting at the prompt: what is said, which exit codes, and what JSON holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.learning_world import FIELDS, build

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("learning") / "ws")
    fields = "\n".join(f'{name} = "{kind}"' for name, kind in FIELDS.items())
    (folder / "sfactl.toml").write_text(f"schema = 1\n[fields.leads]\n{fields}\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(world: Path, tmp_path: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    folder = shutil.copytree(world, tmp_path / "ws")
    monkeypatch.setenv("SFACTL_NOW", "2026-11-21T09:00")
    return lambda *args: sfactl("-w", str(folder), "score", *args)


def test_from_training_to_explanation(run: Call) -> None:
    trained = run("train", "buyer")
    assert trained.code == 0
    assert "Model 1 is champion, commit 3." in trained.out
    assert "contract_no  late" in trained.out
    assert "with model 1 of 2026-11-21" in run("run", "buyer").out
    explained = run("explain", "3", "buyer")
    assert "agrees with the stored score" in explained.out
    assert "buyer: model 1 of 2026-11-21" in explained.out
    assert "nothing is kept twice" in run("train", "buyer").out
    assert run("train", "buyer", "--fail-empty").code == 4


def test_json_of_a_backtest_is_complete(run: Call) -> None:
    answer = run("backtest", "buyer", "fit", "--against", "fit", "--format", "json")
    result = json.loads(answer.out)["result"]
    first = result["scores"][0]
    assert set(first["metrics"]) == {
        "leads", "won", "auc", "brier", "brier_base", "log_loss", "log_loss_base", "lift_10", "lift_20", "ks",
        "reliability",
    }  # fmt: skip
    assert set(first["metrics"]["reliability"][0]) == {"leads", "predicted", "observed", "low", "high"}
    assert set(first["difference"]) == {"value", "low", "high"}
    assert result["scores"][1]["difference"] is None


def test_a_backtest_says_who_was_refused_and_how_reliable_it_is(run: Call) -> None:
    out = run("backtest", "buyer").out
    assert "buyer refused" in out
    assert "predicted" in out


def test_models_and_promotion(run: Call) -> None:
    run("train", "buyer")
    run("train", "buyer", "--split", "random", "--test-share", "0.4")
    states = {row["version"]: row["state"] for row in json.loads(run("models", "--format", "json").out)["result"]}
    assert states == {1: "champion", 2: "challenger"}
    promoted = run("promote", "buyer", "2", "--force", "--reason", "a fresh look")
    assert promoted.code == 0
    assert "Model 2 of buyer is champion" in promoted.out
    assert "Model 1 is retired." in promoted.out
    assert run("promote", "buyer", "2").code == 2


WRONG = {
    "no such score": (("train", "buyr"), 2, 'Did you mean "buyer"'),
    "rules do not learn": (("train", "fit"), 2, "does not learn"),
    "no such model": (("promote", "buyer", "7"), 2, "has no model 7"),
    "share of one": (("backtest", "--test-share", "1"), 2, "test-share"),
    "an unknown split": (("train", "buyer", "--split", "magic"), 2, "magic"),
    "against nobody": (("backtest", "fit", "--against", "nobody"), 2, "no score 'nobody'"),
    "before anything was known": (("backtest", "fit", "--as-of", "1"), 2, "0 leads have an outcome"),
    "an odd time": (("train", "buyer", "--valid-at", "soon"), 2, "'soon' is not"),
}


@pytest.mark.parametrize(("args", "code", "says"), WRONG.values(), ids=WRONG.keys())
def test_mistakes_are_named(run: Call, args: tuple[str, ...], code: int, says: str) -> None:
    answer = run(*args)
    assert answer.code == code
    assert says in answer.err


def test_a_score_without_model_or_fallback_leaves_the_run_partly_done(run: Call, tmp_path: Path) -> None:
    path = tmp_path / "ws" / "scores" / "buyer.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('fallback = "fit"\n', ""), encoding="utf-8")
    answer = run("run")
    assert answer.code == 3
    assert "buyer left out: nothing is learned yet; run: sfactl score train buyer" in answer.out
