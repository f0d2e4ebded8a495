"""Give a workspace the mail that asks who subscribes to confirm it. A file that is there is never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError
from sfactl.consent.confirming import confirmation_files
from sfactl.consent.model import House

if TYPE_CHECKING:
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """The files that were written, those that were there, and what is still to be done."""

    campaign: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]
    dry_run: bool = False


def set_up(session: Session, topic: str, *, sender: str, sent_as: str) -> SetUp:
    """Write the campaign and the template that confirm ``topic``. Raises `ConfigError` for what is not there."""
    settings = session.settings
    terms = House(touch=settings.touch, topics=settings.topics).terms(topic, where="consent double-opt-in")
    if sender not in settings.senders:
        known = ", ".join(sorted(settings.senders)) or "none"
        raise ConfigError(f"--sender: there is no senders/{sender}.toml (there are: {known})")
    found = confirmation_files(topic, sender, sent_as)
    kept = tuple(path for path in found if (session.folder / path).exists())
    written = tuple(path for path in found if path not in kept)
    for path in written if not session.dry_run else ():
        (session.folder / path).parent.mkdir(exist_ok=True)
        (session.folder / path).write_text(found[path], encoding="utf-8")
    name = next(iter(found)).removeprefix("campaigns/").removesuffix(".toml")
    table = f"topics.{topic}" if topic else "touch"
    wanted = {
        f"{table}.double_opt_in true": terms.double_opt_in,
        "collect.url https://go.example.com": bool(settings.collect.url),
        f'run.campaigns.{name}.schedule "*/10 * * * *"': name in settings.run.campaigns,
    }
    missing = tuple(f"sfactl config set {said}" for said, is_set in wanted.items() if not is_set)
    return SetUp(campaign=name, written=written, kept=kept, missing=missing, dry_run=session.dry_run)
