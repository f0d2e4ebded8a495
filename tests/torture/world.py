"""The workspace under torture: campaigns of equal size whose audiences do not overlap, so that each address is due once."""

from __future__ import annotations

from pathlib import Path

from sfactl.config.layers import load_settings
from sfactl.session import open_session
from sfactl.workspace import Workspace
from tests.torture.receiver import Kind

CAMPAIGN = """
schema = 1
summary = "Torture"
where = "country = '{name}'"
sender = "post"
from = "Acme <news@acme.example>"
approve_above = 10000000

[[steps]]
name = "invite"
template = "invite"
"""

SENDERS: dict[Kind, str] = {
    "plain": 'use = "http"\nurl = "http://127.0.0.1:{port}/"\n',
    "idempotent": 'use = "http"\nurl = "http://127.0.0.1:{port}/"\nreceiver_is_idempotent = true\n',
    "smtp": 'use = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nretry_after_s = 0.2\n',
}


def names(campaigns: int) -> tuple[str, ...]:
    """What the campaigns are called."""
    return tuple(f"c{n:03}" for n in range(campaigns))


def make(folder: Path, *, recipients: int, campaigns: int, kind: Kind, port: int, connections: int) -> frozenset[str]:
    """Make the workspace. Answers the addresses that are to be written to."""
    for part in ("campaigns", "templates", "senders"):
        (folder / part).mkdir(parents=True)
    (folder / "sfactl.toml").write_text('schema = 1\n[workspace]\nname = "Acme"\n[engine]\nthreads = 1\n')
    (folder / "senders/post.toml").write_text(
        f"schema = 1\nconnections = {connections}\n{SENDERS[kind].format(port=port)}"
    )
    (folder / "templates/invite.toml").write_text(
        'schema = 1\nsubject = "Hi {{ lead.first_name }}"\ntext = "Dear {{ lead.first_name }}"\n'
    )
    for name in names(campaigns):
        (folder / f"campaigns/{name}.toml").write_text(CAMPAIGN.format(name=name))
    Workspace.create(folder).close()
    settings = load_settings(folder, env=None, environ={}, no_plugins=())
    with (
        open_session(folder, settings=settings, command="torture", actor="torture", quiet=True) as session,
        session.write("leads") as tx,
    ):
        tx.upsert(
            "leads",
            "select i as lead_id, 'new' as status, printf('c%03d', i % $campaigns) as country,"
            " 'u' || i || '@example.com' as email, 'N' || i as first_name from range($n) t(i)",
            {"n": recipients, "campaigns": campaigns},
        )
        tx.commit()
    return frozenset(f"u{i}@example.com" for i in range(recipients))
