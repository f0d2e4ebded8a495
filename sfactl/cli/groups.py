"""The table of command groups: name, summary, module, and the heading each stands under in the help.

A group is a module of `sfactl.cli` with a click command named ``group``, imported only when it is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "Begin": {
        "init": "Create a workspace from a preset.",
        "demo": "Run the whole loop on made-up data.",
        "status": "Show what is in the workspace and what to do next.",
        "doctor": "Check that everything is in order.",
    },
    "Leads": {
        "source": "Places that leads are pulled from.",
        "lead": "Import, pull, clean, qualify and convert leads.",
        "segment": "Groups of leads that meet a condition.",
        "tag": "Tags: what people, rules and texts say about customers.",
        "timeline": "Everything that happened with a customer.",
        "score": "Points that say who is ready to talk.",
        "assign": "Give leads to reps.",
        "rep": "Sales reps.",
        "identity": "Who is who: why records are held for the same.",
        "task": "Work for people: list, give out, close.",
    },
    "Campaigns": {
        "strategy": "Selling rules: plan, review, apply and test them.",
        "campaign": "Plan and apply campaigns.",
        "template": "Texts of messages: check and preview them.",
        "journey": "Where each customer stands, from ice-breaking to renewal.",
        "touch": "Touchpoints and messages, sent and held.",
        "consent": "Who may be written to, about what.",
        "survey": "Ask customers what they think, and report it.",
        "webhook": "Sign postings, and check those that come in.",
        "collect": "Clicks, unsubscribes and forms from the web.",
    },
    "Sales": {
        "account": "Companies that buy.",
        "contact": "People at accounts.",
        "opportunity": "Deals and their stages (short: opp).",
        "product": "What is sold.",
        "price": "Price books.",
        "quote": "Quotes and how their prices came about.",
        "order": "Orders.",
        "ar": "Receivables: what is still to be paid.",
        "erp": "Exchange with the ERP.",
    },
    "Service": {
        "case": "Complaints and questions of customers, until they are settled.",
    },
    "Automation": {
        "run": "Do what is due, and see what was and will be done.",
    },
    "Insight": {
        "report": "Reports for managers.",
        "case-library": "Won deals kept as examples, and strategies after them.",
        "process": "How far cases keep to a process: MTL, LTC, ITR, and your own.",
        "sql": "Query every dataset, read-only.",
    },
    "Workspace": {
        "data": "History, files and care of the data.",
        "config": "Read, change and explain settings.",
        "workspace": "Compare workspaces, and bring rules from one to another.",
        "plugin": "Plugins: list, check, make.",
        "x": "Commands that plugins add.",
        "completion": "Print the completion script of a shell.",
    },
}

ALIASES: Mapping[str, str] = {"opp": "opportunity"}

GROUPS: Mapping[str, str] = {name: text for rows in HEADINGS.values() for name, text in rows.items()}
"""Every group by name, with its summary."""

_FOLDER = Path(__file__).parent


def exists(name: str) -> bool:
    """Whether the module of the group is installed; looks for the file, imports nothing."""
    file = module_of(name)
    return (_FOLDER / f"{file}.py").is_file() or (_FOLDER / file).is_dir()


def module_of(name: str) -> str:
    """The module of a group, in whose name a hyphen cannot stand."""
    return name.replace("-", "_")


class LazyGroups(click.Group):
    """The root command: knows its groups by name and imports one only when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names of the groups that are installed."""
        return [name for name in GROUPS if exists(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the group's module, or None if there is no such group."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in GROUPS or not exists(name):
            return None
        found: click.Command = import_module(f"sfactl.cli.{module_of(name)}").group
        if ctx.resilient_parsing:
            from sfactl.cli.names import attach

            attach(name, found)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown name is answered with the nearest one."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            raise click.UsageError(
                f"There is no command {name!r}.{suggest(name, [*self.list_commands(ctx), *ALIASES])}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups under their headings, without importing them."""
        for heading, rows in HEADINGS.items():
            lines = [(name, text) for name, text in rows.items() if exists(name)]
            if lines:
                with formatter.section(heading):
                    formatter.write_dl(lines, col_max=14, col_spacing=2)


def suggest(name: str, known: list[str]) -> str:
    """`` Did you mean …?`` for the nearest known name, or nothing."""
    near: list[Any] = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
