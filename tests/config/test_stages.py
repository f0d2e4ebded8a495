"""Pipelines from TOML: what is read, what is refused, and which moves are allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError, NotFound, PolicyError
from sfactl.config.stages import STANDARD, Pipeline, pipeline_of, read_pipelines

TOML = """
schema = 1
loss_reasons = ["price", "competitor"]
[[stages]]
name = "first"
probability = 0.1
leave = ["next_step"]
[[stages]]
name = "offer"
probability = 0.5
enter = ["amount"]
moves = ["first", "won", "lost"]
[[stages]]
name = "talk"
probability = 0.7
[[stages]]
name = "won"
probability = 1
category = "won"
[[stages]]
name = "lost"
probability = 0
category = "lost"
enter = ["lost_reason"]
moves = ["first"]
"""


def write(folder: Path, text: str, name: str = "opportunity") -> Path:
    (folder / "stages").mkdir(exist_ok=True)
    (folder / "stages" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return read_pipelines(write(tmp_path, TOML))["opportunity"]


def test_order_and_first_come_from_the_file(pipeline: Pipeline) -> None:
    assert [s.name for s in pipeline.stages] == ["first", "offer", "talk", "won", "lost"]
    assert pipeline.first.name == "first"
    assert [s.name for s in pipeline.of("won")] == ["won"]
    assert pipeline.order("talk") == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("probability = 0.5", "probability = 1.5", "stage 'offer': probability 1.5", id="above 1"),
        pytest.param("probability = 1\n", "probability = 0.9\n", "a won stage has probability 1", id="won below 1"),
        pytest.param('name = "talk"', 'name = "offer"', "stage 'offer' is there twice", id="twice"),
        pytest.param('category = "won"', 'category = "open"', "no stage has category 'won'", id="no won stage"),
        pytest.param('"won", "lost"]', '"wonn", "lost"]', "Did you mean 'won'?", id="unknown target"),
        pytest.param('enter = ["amount"]', 'entr = ["amount"]', "Did you mean 'enter'?", id="unknown key"),
        pytest.param('category = "lost"', 'category = "lots"', "Did you mean 'lost'?", id="unknown category"),
        pytest.param("schema = 1", "schema = 2", "schema: is 2", id="other schema"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TOML
    with pytest.raises(ConfigError) as caught:
        read_pipelines(write(tmp_path, TOML.replace(old, new, 1)))
    assert message in caught.value.message
    assert "opportunity.toml" in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "row", "message"),
    [
        pytest.param("first", "offer", {"amount": 5}, "to leave first, next_step must be filled", id="exit criterion"),
        pytest.param("first", "offer", {"next_step": "x"}, "to enter offer, amount must be filled", id="entry"),
        pytest.param("first", "offer", {"next_step": " ", "amount": 5}, "next_step", id="blanks are empty"),
        pytest.param("first", "won", {}, "to leave first, next_step", id="exit criterion holds for won"),
        pytest.param("offer", "talk", {"amount": 5}, "no move from offer to talk", id="not in moves"),
        pytest.param("won", "first", {}, "a deal in won is closed (won)", id="closed"),
        pytest.param("first", "first", {}, "in stage first already", id="same"),
        pytest.param("first", "lost", {}, "to enter lost, lost_reason", id="loss reason"),
    ],
)
def test_a_forbidden_move_names_its_rule(
    pipeline: Pipeline, old: str, new: str, row: dict[str, object], message: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        pipeline.check_move(old, new, row)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        pytest.param("first", "offer", {"next_step": "call", "amount": 0}, id="zero is a value"),
        pytest.param("offer", "first", {}, id="back needs nothing of the stage left"),
        pytest.param("first", "lost", {"lost_reason": "price"}, id="exit criteria do not hold up a loss"),
        pytest.param("lost", "first", {}, id="stated move out of a closed stage"),
        pytest.param("talk", "won", {}, id="no moves stated means any"),
    ],
)
def test_an_allowed_move_answers_the_stage(pipeline: Pipeline, old: str, new: str, row: dict[str, object]) -> None:
    assert pipeline.check_move(old, new, row).name == new


def test_a_stage_that_is_not_written_down_is_named_with_the_nearest(pipeline: Pipeline) -> None:
    with pytest.raises(NotFound, match="Did you mean 'offer'"):
        pipeline.stage("ofer")


def test_loss_reasons_are_those_of_the_pipeline(pipeline: Pipeline) -> None:
    assert pipeline.check_loss_reason("price") == "price"
    with pytest.raises(PolicyError, match="Did you mean 'price'"):
        pipeline.check_loss_reason("prize")
    assert STANDARD.check_loss_reason("anything") == "anything"


def test_several_pipelines_and_the_default(tmp_path: Path) -> None:
    assert read_pipelines(tmp_path) == {"opportunity": STANDARD}
    only = read_pipelines(write(tmp_path, TOML, "renewal"))
    assert pipeline_of(only, None).name == "renewal"
    both = read_pipelines(write(tmp_path, TOML))
    assert pipeline_of(both, None).name == "opportunity"
    with pytest.raises(NotFound, match="Did you mean 'renewal'"):
        pipeline_of(both, "renewals")


def test_the_shipped_preset_has_six_stages() -> None:
    configs = Path(__file__).resolve().parents[2] / "configs" / "b2b"
    pipeline = read_pipelines(configs)["opportunity"]
    assert [s.name for s in pipeline.stages] == [s.name for s in STANDARD.stages]
    assert [s.probability for s in pipeline.stages] == [s.probability for s in STANDARD.stages]
