"""Check ``cases.toml`` against what it names: templates, the sender, the mailbox."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api.errors import SfactlError
from sfactl.campaigns.files import check_links
from sfactl.campaigns.usecases.checking import check_sender
from sfactl.cases.notices import addresses_of_ours, notice_files
from sfactl.config.cases import FILE, CaseRules, read_cases
from sfactl.session import Session


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with ``cases.toml``, as messages; nothing for a workspace without it. Opens no connection."""
    if not (session.folder / FILE).exists():
        return ()
    try:
        rules = read_cases(session.folder)
    except SfactlError as err:
        return (err.message,)
    return tuple(_problems(session, rules))


def _problems(session: Session, rules: CaseRules) -> Iterator[str]:
    if rules.mail.mailbox and rules.mail.mailbox not in session.settings.mailboxes:
        yield f"{FILE}: mail.mailbox: there is no mailboxes/{rules.mail.mailbox}.toml"
    if rules.notices is None:
        if rules.told:
            yield f"{FILE}: statuses: {rules.told[0].name!r} has a notice, but there are no [notices] to send it by"
        return
    try:
        files = notice_files(session.folder, rules, session.workspace.schemas)
        check_sender(session, files)
        check_links(files, session.settings.collect.url)
        addresses_of_ours(rules)
    except SfactlError as err:
        yield err.message.replace(f"{session.folder}/", "")
