"""``sfactl touch check-domain``: SPF, DKIM and DMARC of a domain; registered by the group ``touch``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.api.records import DomainFinding
    from sfactl.campaigns.usecases.domains import DomainReport

KEY_SHOWN = 60
MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(check_domain)


@click.command("check-domain")
@click.argument("domain")
@click.option("--sender", metavar="NAME", default="", help="Who sends for it: a file in senders/.")
@click.option("--selector", "selectors", metavar="S", multiple=True, help="A DKIM key that your provider signs with.")
@options.output
@pass_app
def check_domain(app: App, domain: str, *, sender: str, selectors: tuple[str, ...], output: Output) -> None:
    """Look up what DOMAIN publishes about its mail: MX, SPF, DKIM keys and DMARC.

    Mailbox providers judge by these whether mail From DOMAIN is real. What is missing is shown as it should be
    published. Ends with 1 where something would be held against the mail.

    \b
    Example:
      sfactl touch check-domain acme.example
      sfactl touch check-domain acme.example --sender newsletter --selector s1
    """
    from sfactl.campaigns import usecases

    report = usecases.check_domain(app.session(), domain, sender=sender, selectors=selectors)
    output.emit(report.findings, human=lambda: _lines(report), exit_code=1 if report.failed else 0)


def _lines(report: DomainReport) -> Iterator[str]:
    yield f"{report.domain}, sent by {report.sender}"
    room = max(len(finding.check) for finding in report.findings)
    for finding in report.findings:
        subject = "" if finding.name == report.domain else f"{finding.name}: "
        said = finding.detail or finding.record
        yield f"  {MARKS[finding.verdict]} {finding.check:<{room}}  {subject}{said}"
        if finding.record and finding.detail:
            yield f"    {'':<{room}}  now: {_short(finding)}"
        if finding.publish:
            yield f"    {'':<{room}}  publish: {finding.publish}"


def _short(finding: DomainFinding) -> str:
    """What is published; nobody reads keys to their end."""
    most = KEY_SHOWN if finding.check == "dkim" else len(finding.record)
    return finding.record if len(finding.record) <= most else f"{finding.record[:most]}…"
