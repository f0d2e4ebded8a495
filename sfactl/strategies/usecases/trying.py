"""Show a strategy's messages as one person would get them, and send them to oneself: neither moves anybody."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api.errors import NotFound, UserError
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.usecases.previewing import Preview, preview_steps
from sfactl.campaigns.usecases.sampling import SampleResult, fitting, send_samples
from sfactl.session import Session
from sfactl.strategies.files import read_strategy, senders_of, touches
from sfactl.strategies.usecases.scene import names_of


def preview(session: Session, name: str, lead_id: int, *, step: str = "") -> tuple[Preview, ...]:
    """Every message of the strategy, or that of one step, for one lead. Raises `NotFound`, `DataError`."""
    shown = [p for files in _touches(session, name, step) for p in preview_steps(session, files, lead_id, step=step)]
    return tuple(shown)


def send_test(
    session: Session, name: str, *, to: str, lead_id: int, step: str = "", again: bool = False
) -> tuple[SampleResult, ...]:
    """Send them to ``to`` as for ``lead_id``, one result a sender. Raises as for campaigns."""
    chosen = [files for files in _touches(session, name, step) if fitting(session, files, to, step=step)]
    if not chosen:
        raise UserError(
            f"no message of {name} goes to {to!r}", hint="An e-mail address has an @, any other is a phone."
        )
    return tuple(send_samples(session, f, to=to, lead_id=lead_id, step=step, again=again) for f in chosen)


def _touches(session: Session, name: str, step: str) -> Iterator[CampaignFiles]:
    """The touches by sender; of the one that has ``step``."""
    file, names = read_strategy(session.folder, name), names_of(session)
    found = [touches(file, names, sender) for sender in senders_of(file.strategy)]
    if not found:
        raise UserError(f"strategy {name} sends no messages")
    chosen = [f for f in found if not step or any(s.name == step for s in f.campaign.steps)]
    if not chosen:
        known = ", ".join(s.name for f in found for s in f.campaign.steps)
        raise NotFound(f"{name} has no message at step {step!r}", hint=f"Its messages: {known}")
    yield from chosen
