"""The workspace that the campaign crash tests send from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sfactl.config.layers import load_settings
from sfactl.session import Session, open_session
from sfactl.workspace import Workspace

CAMPAIGN = """
schema = 1
summary = "Spring"
where = "status = 'new'"
sender = "post"
from = "Acme <news@acme.example>"
rotation = {rotation}

[[steps]]
name = "invite"
template = "invite"
"""


def make(folder: Path, *, leads: int, sender: str) -> None:
    """A workspace with a campaign to ``leads`` people."""
    for name in ("campaigns", "templates", "senders"):
        (folder / name).mkdir(parents=True)
    (folder / "sfactl.toml").write_text('schema = 1\n[workspace]\nname = "Acme"\n')
    (folder / "senders/post.toml").write_text(f"schema = 1\n{sender}")
    (folder / "templates/invite.toml").write_text(
        'schema = 1\nsubject = "Hi {{ lead.first_name }}"\ntext = "Dear {{ lead.first_name }}"\n'
    )
    rotate(folder, 1)
    Workspace.create(folder).close()
    with opened(folder) as session, session.write("leads") as tx:
        tx.upsert(
            "leads",
            "select i as lead_id, 'new' as status, 'u' || i || '@example.com' as email, 'N' || i as first_name"
            " from range(1, $n + 1) t(i)",
            {"n": leads},
        )
        tx.commit()


def rotate(folder: Path, rotation: int) -> None:
    """Let everybody be written to once more."""
    (folder / "campaigns/spring.toml").write_text(CAMPAIGN.format(rotation=rotation))


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """A session on the workspace."""
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    with open_session(folder, settings=settings, command="test", actor="test", quiet=True) as session:
        yield session
