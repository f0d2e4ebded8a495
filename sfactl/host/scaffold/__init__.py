"""Write a new plugin from templates: a distribution that installs, with the suite of its kind already passing."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sfactl import __version__
from sfactl.api.errors import PolicyError, UserError
from sfactl.api.hooks import API_VERSION

TEMPLATES = Path(__file__).parent / "templates"
ENDING = ".jinja"

PREFIXES: Mapping[str, str] = {"lead-source": "source", "scoring": "scoring", "sender": "sender", "erp": "erp"}
"""Kind of plugin → the word in the distribution's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlugin:
    """A plugin that was written, or with a dry run would be."""

    distribution: str
    folder: Path
    files: tuple[str, ...]


def new_plugin(kind: str, name: str, parent: Path, *, dry_run: bool = False) -> NewPlugin:
    """Write the plugin ``name`` of ``kind`` into a new folder below ``parent``.

    Raises `UserError` for a name that Python could not import, `PolicyError` where the folder exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no name for a plugin", hint="Use lower-case letters, digits and -, like expo.")
    distribution = f"sfactl-{PREFIXES[kind]}-{name}"
    folder = parent.expanduser() / distribution
    if folder.exists():
        raise PolicyError(f"{folder} exists already", hint="Choose another name, or --dir for another place.")
    written = []
    for path, text in _files(kind, name, distribution):
        written.append(path)
        if not dry_run:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return NewPlugin(distribution=distribution, folder=folder, files=tuple(written))


def _files(kind: str, name: str, distribution: str) -> Iterator[tuple[str, str]]:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # late: only this command needs it

    module = distribution.replace("-", "_")
    words = {
        "name": name,
        "kind": kind,
        "distribution": distribution,
        "module": module,
        "plugin": f"{PREFIXES[kind]}-{name}",
        "Class": "".join(part.capitalize() for part in name.split("-")),
        "version": __version__,
        "api": API_VERSION,
    }
    for folder in (TEMPLATES / "common", TEMPLATES / kind):
        # Python source and TOML are written, not HTML: escaping would spoil them.
        environment = Environment(  # noqa: S701
            loader=FileSystemLoader(folder), undefined=StrictUndefined, keep_trailing_newline=True
        )
        for template in sorted(environment.list_templates(extensions=[ENDING.lstrip(".")])):
            path = template.removesuffix(ENDING).replace("MODULE", module)
            yield path, environment.get_template(template).render(words)
