"""A plan covers every byte of its letters: what they carry of the workspace, and in which language they are written."""

from __future__ import annotations

import pytest

from sfactl.api.errors import Conflict

from .conftest import CAMPAIGN, TEMPLATE, Acme

SETTINGS = 'schema = 1\n[workspace]\nname = "{name}"\naddress = "{address}"\n[collect]\nurl = "{url}"\n'
BEFORE = {"name": "Acme", "address": "1 Laser Road", "url": "https://go.acme.example"}
SIGNED = 'text = "Dear {{ lead.first_name }}, {{ workspace.name }}, {{ workspace.address }}"'
PLAIN = 'text = "Dear {{ lead.first_name }}"'


def _acme(acme: Acme, text: str) -> str:
    acme.write("sfactl.toml", SETTINGS.format(**BEFORE))
    acme.write("templates/invite.toml", TEMPLATE.replace(PLAIN, text))
    acme.leads({"lead_id": 1})
    return acme.plan().plan_id


CARRIED = {
    "name": {"name": "Acme Ltd"},
    "address": {"address": "2 Laser Road"},
    "collector": {"url": "https://links.acme.example"},
    "feedback-id": {"url": 'https://go.acme.example"\n[touch]\nfeedback_id = "acme-news'},
}


def test_what_letters_carry_of_the_workspace_is_part_of_the_plan(acme: Acme) -> None:
    """Somebody read the letters of a plan: they are not sent with other words than those."""
    plan_id = _acme(acme, SIGNED)
    for what, changed in CARRIED.items():
        acme.write("sfactl.toml", SETTINGS.format(**(BEFORE | changed)))
        with pytest.raises(Conflict, match="carry of the workspace"):
            acme.apply(plan_id)
        assert acme.plan().plan_id != plan_id, what
    assert not acme.outbox()


def test_what_no_letter_carries_is_not(acme: Acme) -> None:
    """A plan is not thrown away for nothing."""
    plan_id = _acme(acme, PLAIN)
    acme.write("sfactl.toml", SETTINGS.format(**(BEFORE | CARRIED["name"] | CARRIED["address"])))
    assert acme.plan().plan_id == plan_id
    assert acme.apply(plan_id).accepted == 1


def test_the_language_of_a_letter_is_part_of_the_plan(acme: Acme) -> None:
    """The same values in another language are another letter."""
    acme.write("templates/invite.toml", TEMPLATE + '[languages.zh-TW]\nsubject = "邀請"\ntext = "您好"\n')
    acme.leads({"lead_id": 1, "language": "en"})
    plan_id = acme.plan().plan_id
    acme.leads({"lead_id": 1, "language": "zh-TW"})
    with pytest.raises(Conflict, match="1 recipient differs"):
        acme.apply(plan_id)


def test_transactional_letters_without_links_do_not_depend_on_the_collector(acme: Acme) -> None:
    """They carry no link to it."""
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("unsubscribe", 'class = "transactional"\n#'))
    plan_id = _acme(acme, PLAIN)
    acme.write("sfactl.toml", SETTINGS.format(**(BEFORE | {"url": ""})))
    assert acme.plan().plan_id == plan_id
