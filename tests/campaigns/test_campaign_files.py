"""What a campaign file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError
from sfactl.campaigns.model import Campaign
from sfactl.config.objects import read_object

GOOD = """
schema = 1
summary = "Spring webinar"
segment = "hot-b2b"
sender = "newsletter"
from = "Acme <news@acme.example>"

[caps]
messages = 2
within = "7 days"

[[steps]]
name = "invite"
template = "webinar"
window = { days = ["mon"], hours = "09:00-18:00" }

[[steps]]
name = "call"
action = "task"
after = { step = "invite", wait = "3 days" }
task = { title = "Call" }
"""


def read(tmp_path: Path, text: str, name: str = "spring") -> Campaign:
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_object(Campaign, path, inject={"name": name})


def test_a_good_file_is_read(tmp_path: Path) -> None:
    campaign = read(tmp_path, GOOD)
    assert campaign.caps is not None
    assert (campaign.caps.messages, campaign.marketing, campaign.approve_above) == (2, True, 5000)
    assert campaign.step("invite").window is not None
    assert campaign.step("call").after is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("messages = 2", "messages = 0", "0 could mean no cap or no message", id="cap-0"),
        pytest.param('segment = "hot-b2b"', "", "either segment or where", id="for-nobody"),
        pytest.param('segment = "hot-b2b"', 'segment = "a"\nwhere = "true"', "either segment or where", id="both"),
        pytest.param('step = "invite", wait', 'step = "call", wait', "no earlier step", id="after-itself"),
        pytest.param('name = "call"', 'name = "invite"', "there twice", id="same-name"),
        pytest.param('template = "webinar"', "", "needs a template", id="no-template"),
        pytest.param('task = { title = "Call" }', "", "needs a [steps.task]", id="no-task"),
        pytest.param('"09:00-18:00"', '"18:00-09:00"', "must begin before it ends", id="window-backwards"),
        pytest.param('"09:00-18:00"', '"9-18"', "is not like 09:00-18:00", id="window-text"),
        pytest.param('"09:00-18:00"', '"09:00-24:30"', "past 24:00", id="window-past-midnight"),
        pytest.param('["mon"]', '["monday"]', "not one of", id="day"),
        pytest.param('["mon"]', "[]", "at least one day", id="no-day"),
        pytest.param('sender = "newsletter"', "", "name the file in senders/", id="no-sender"),
        pytest.param('sender = "newsletter"', 'sender = "n"\nholdout = 60', "holdout", id="holdout"),
        pytest.param('sender = "newsletter"', 'sender = "n"\nclass = "transactional"', "exempt", id="class-caps"),
        pytest.param('sender = "newsletter"', 'sender = "n"\nmax_recipients = 0', "max_recipients", id="limit-0"),
        pytest.param("summary", "sumary", "Did you mean", id="typo"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"spring\.toml") as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert said in str(caught.value)


def test_a_name_must_fit_into_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        read(tmp_path, GOOD, name="spring.2026")
