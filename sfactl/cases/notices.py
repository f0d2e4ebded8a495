"""Make a campaign of what ``cases.toml`` says of notices, so that they pass the same gate and stand in the same ledger.

It decides what a notice is: one message for each change, asked for by what the customer told us, so that neither caps
nor consent to advertising stand in its way. What an address must never get, and how often, the data decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sfactl.api.errors import ConfigError
from sfactl.api.mail import address
from sfactl.campaigns.files import CampaignFiles, assemble
from sfactl.campaigns.model import Campaign, Step
from sfactl.config.cases import FIELDS, FILE, NOTICES, CaseRules, Notices
from sfactl.schemas import Schemas


def notices_of(rules: CaseRules, path: Path) -> Notices:
    """How customers are told. Raises `ConfigError` where they are told nothing."""
    if rules.notices is None:
        raise ConfigError(
            f"{path}: notices: missing, so that nobody is told of anything",
            hint='Write [notices] with sender = "…" and from = "…", and notice = "TEMPLATE" for some of the statuses.',
        )
    if not rules.told:
        raise ConfigError(
            f"{path}: statuses: none has a notice", hint='Name a template for one: notice = "case-received"'
        )
    return rules.notices


def notice_files(folder: Path, rules: CaseRules, schemas: Schemas) -> CampaignFiles:
    """The notices as a campaign: a step for each status of which customers are told. Raises `ConfigError`."""
    path = folder / FILE
    said = notices_of(rules, path)
    for other in (folder / "campaigns" / f"{NOTICES}.toml", folder / "strategies" / f"{NOTICES}.toml"):
        if other.exists():
            raise ConfigError(f"{other}: notices of cases stand under this name in the ledger", hint="Rename the file.")
    campaign = Campaign(
        name=NOTICES,
        summary="What customers are told of their cases",
        steps=tuple(Step(name=s.name, template=s.notice) for s in rules.told),
        where="true",
        sender=said.sender,
        sent_as=said.sent_as,
        reply_to=said.reply_to,
        message_class="transactional",
        max_age=said.max_age,
    )
    return assemble(folder, campaign, path, schemas, about={"case": FIELDS})


def addresses_of_ours(rules: CaseRules) -> Sequence[str]:
    """Addresses that notices come from, or that the file names as ours, in small letters."""
    found = list(rules.mail.own)
    if rules.notices is not None:
        for said in (rules.notices.sent_as, rules.notices.reply_to):
            try:
                found += [address(said)] if said else []
            except ValueError as err:
                raise ConfigError(f"{FILE}: notices: {err}") from None
    return sorted({text.strip().lower() for text in found})
