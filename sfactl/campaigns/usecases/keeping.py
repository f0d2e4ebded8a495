"""Keep what goes along with messages under the hash of its content, so that what was sent can be looked at for ever."""

from __future__ import annotations

import os
from uuid import uuid4

from sfactl.api.errors import ConfigError
from sfactl.campaigns.files import CampaignFiles
from sfactl.session import Session

KEPT = "assets"
"""The folder below ``.sfactl``; a file's name is the SHA-256 of its content."""


def keep_assets(session: Session, files: CampaignFiles) -> int:
    """Make every asset of the campaign durable; answers how many are new. A file once there is never written again."""
    folder = session.workspace.private / KEPT
    found = {a.sha256: a.content for along in files.assets.values() for a in along}
    missing = {digest: content for digest, content in sorted(found.items()) if not (folder / digest).exists()}
    if not missing:
        return 0
    folder.mkdir(mode=0o700, exist_ok=True)
    for digest, content in missing.items():
        draft = folder / f"{digest}.{uuid4().hex}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / digest)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return len(missing)


def check_carrier(files: CampaignFiles, sender: str, capabilities: frozenset[str]) -> None:
    """Refuse a sender that would lose what goes along. Raises `ConfigError`."""
    mailed = {s.template for s in files.campaign.steps if s.template and (s.channel or "email") == "email"}
    for (template, _), along in sorted(files.assets.items()):
        if along and template in mailed and "attachments" not in capabilities:
            raise ConfigError(
                f"{files.path}: sender {sender!r} cannot send files, and template {template!r} has {along[0].name}",
                hint="Send it through SMTP, or link to the file instead.",
            )
