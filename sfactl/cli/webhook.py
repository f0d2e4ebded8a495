"""``sfactl webhook``: sign postings, and check those that come in."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

SCHEMES = ("standard", "slack", "line", "github", "sendgrid", "mailgun", "postmark", "resend", "twilio")


@click.group()
def group() -> None:
    """Postings from program to program: sign them, and act once on those that are genuine."""


@group.command()
@click.argument("file", type=click.File("rb"))
@click.option("--secret", required=True, metavar="REF", help="The secret: env:NAME or file:PATH.")
@click.option("--id", "message_id", default="", help="The posting's id; by default the hash of its body.")
@options.output
@pass_app
def sign(app: App, file: BinaryIO, *, secret: str, message_id: str, output: Output) -> None:
    """Print the three headers that go with the body in FILE (- for stdin), signed for this moment.

    The form is that of Standard Webhooks: HMAC-SHA256 over id, time and body.

    \b
    Example:
      sfactl webhook sign order.json --secret env:HOOK_KEY
    """
    from sfactl.campaigns import usecases

    headers = usecases.sign(app.session(), file.read(), secret, message_id=message_id)
    output.emit(headers, human=lambda: [f"{h.name}: {h.value}" for h in headers])


@group.command()
@click.argument("file", type=click.File("rb"))
@click.option("--secret", required=True, metavar="REF", help="The secret: env:NAME or file:PATH.")
@click.option(
    "--headers",
    "headers_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the headers, one Name: value a line.",
)
@click.option("--header", "-H", "lines", multiple=True, metavar="'NAME: VALUE'", help="One header; may be repeated.")
@click.option("--scheme", type=click.Choice(SCHEMES), default="standard", show_default=True, help="Who signed it.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Oldest allowed.",
)
@click.option("--url", default="", help="The address it was posted to, which Twilio signs.")
@click.option("--once", is_flag=True, help="Keep the id: the next delivery of the same ends with code 4.")
@options.dry_run
@options.output
@pass_app
def verify(
    app: App,
    file: BinaryIO,
    *,
    secret: str,
    headers_file: Path | None,
    lines: tuple[str, ...],
    scheme: str,
    tolerance: float,
    url: str,
    once: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Check that the body in FILE (- for stdin) is signed with the secret, and is not old.

    A posting that is forged, altered or old ends with code 2. With --once, one that came before ends with code 4, so
    that what follows in a script has its effect once. The secret is what the service calls signing key or token; of
    SendGrid it is the verification key, of Postmark user:password.

    \b
    Example:
      sfactl webhook verify body.json --headers head.txt --secret env:HOOK_KEY
      sfactl webhook verify - --headers head.txt --secret env:HOOK_KEY --once
      sfactl webhook verify body.json --headers head.txt --scheme sendgrid \\
        --secret env:SENDGRID_VERIFY
    """
    from sfactl.campaigns import usecases

    text = "\n".join([headers_file.read_text(encoding="utf-8")] if headers_file else []) + "\n" + "\n".join(lines)
    result = usecases.verify_once(
        app.session(dry_run=dry_run),
        file.read(),
        usecases.headers_in(text.strip("\n")),
        secret,
        scheme=scheme,
        tolerance_s=tolerance,
        url=url,
        once=once,
    )
    said = "came before: nothing to do" if result.repeated else "is genuine"
    output.emit(result, human=lambda: [f"{result.id} {said}."], exit_code=4 if result.repeated else 0)
