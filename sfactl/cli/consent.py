"""``sfactl consent``: who may be written to about what."""

from __future__ import annotations

from importlib import import_module

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Consent: who may be written to, about what, and since which word of theirs."""


topic = click.option("--topic", metavar="NAME", default="", help="A topic of sfactl.toml [default: all mail].")
evidence = click.option("--evidence", metavar="TEXT", default="", help="How you know: a form, a call, a letter.")
at = click.option("--at", metavar="WHEN", default="", help="When they said it: a date or a time [default: now].")


@group.command()
@options.as_of
@options.output
@pass_app
def topics(app: App, *, as_of: str | None, output: Output) -> None:
    """List the topics of mail, on which ground it goes, and how many leads said what about each.

    \b
    Example:
      sfactl consent topics
    """
    from sfactl.consent import usecases

    output.emit(usecases.topics(app.session(as_of=as_of)))


@group.command()
@click.argument("who", metavar="WHO")
@options.as_of
@options.output
@pass_app
def show(app: App, *, who: str, as_of: str | None, output: Output) -> None:
    """Show where WHO stands with each topic, and why: a lead, an e-mail address or a phone number.

    \b
    Example:
      sfactl consent show lead:8841
      sfactl consent show wang@example.com --as-of 2026-10-01
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases

    session = app.session(as_of=as_of)
    found = usecases.show(session, who)
    output.emit(found, human=lambda: consent_lines.shown_lines(found, session.settings.workspace.time_zone))


@group.command()
@click.argument("who", metavar="WHO")
@options.as_of
@options.output
@pass_app
def history(app: App, *, who: str, as_of: str | None, output: Output) -> None:
    """List every word that WHO said about mail, oldest first, with how it came.

    \b
    Example:
      sfactl consent history wang@example.com
    """
    from sfactl.consent import usecases

    output.emit(usecases.history(app.session(as_of=as_of), who))


@group.command()
@click.argument("who", metavar="WHO")
@topic
@evidence
@at
@click.option("--unconfirmed", is_flag=True, help="They asked for it; where double opt-in holds, they must confirm it.")
@options.dry_run
@options.output
@pass_app
def grant(
    app: App, *, who: str, topic: str, evidence: str, at: str, unconfirmed: bool, dry_run: bool, output: Output
) -> None:
    """Record that WHO agreed to mail, about one topic or about all.

    \b
    Example:
      sfactl consent grant lead:8841 --topic news --evidence "card from the expo"
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.grant(session, who, topic=topic, evidence=evidence, at=at, confirmed=not unconfirmed)
    word = "asked for" if unconfirmed else "agreed to"
    output.emit(done, human=lambda: consent_lines.recorded_lines(done, who, word, topic))


@group.command()
@click.argument("who", metavar="WHO")
@topic
@evidence
@at
@options.dry_run
@options.output
@pass_app
def withdraw(app: App, *, who: str, topic: str, evidence: str, at: str, dry_run: bool, output: Output) -> None:
    """Record that WHO wants no more mail, about one topic or at all. Runs under way heed it before their next batch.

    An address of nobody we know goes on the list of addresses that are left in peace.

    \b
    Example:
      sfactl consent withdraw wang@example.com --topic news
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases

    done = usecases.withdraw(app.session(dry_run=dry_run), who, topic=topic, evidence=evidence, at=at)
    output.emit(done, human=lambda: consent_lines.recorded_lines(done, who, "wants no more of", topic))


@group.command("double-opt-in")
@click.argument("topic", metavar="[TOPIC]", default="")
@click.option("--sender", metavar="NAME", required=True, help="The file in senders/ that the mail goes through.")
@click.option("--from", "sent_as", metavar="ADDRESS", required=True, help="Whom the mail is from.")
@options.dry_run
@options.output
@pass_app
def double_opt_in(app: App, *, topic: str, sender: str, sent_as: str, dry_run: bool, output: Output) -> None:
    """Write the campaign that asks who subscribes to TOPIC, or to mail of any kind, to confirm it.

    \b
    Example:
      sfactl consent double-opt-in news --sender outbox --from news@acme.example
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases

    done = usecases.set_up(app.session(dry_run=dry_run), topic, sender=sender, sent_as=sent_as)
    output.emit(done, human=lambda: consent_lines.set_up_lines(done))


import_module("sfactl.cli.consent_files").register(group)
