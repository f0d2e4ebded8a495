"""``sfactl touch sign``: DKIM signatures for a mail; registered by the group ``touch``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from sfactl.cli.app import App, pass_app


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(sign)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--sender", metavar="NAME", default="", help="Whose keys: a file in senders/ with DKIM keys.")
@click.option("--domain", default="", help="Who answers for it; by default the domain it is from.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here instead of stdout.")
@pass_app
def sign(app: App, file: BinaryIO, *, sender: str, domain: str, out: Path | None) -> None:
    """Sign the mail in FILE (- for stdin) with the DKIM keys of a sender, and write it out.

    Mail that campaigns send is signed on its way; this is for mail of other programs, and to see a signature. One
    header is put in front for each key (RFC 6376, RFC 8463); lines end with CRLF then, as they travel.

    \b
    Example:
      sfactl touch sign invoice.eml --sender newsletter --out signed.eml
      sfactl touch sign - < invoice.eml | sendmail -t
    """
    from sfactl.campaigns import usecases

    signed = usecases.sign_mail(app.session(), file.read(), sender=sender, domain=domain)
    if out is None:
        sys.stdout.buffer.write(signed.mail)
    else:
        out.write_bytes(signed.mail)
    click.echo(f"Signed with {', '.join(signed.keys)} of {signed.sender}{f': {out}' if out else ''}", err=True)
