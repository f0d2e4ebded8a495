"""The workspace's own key for links: made once, private, and the same ever after."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sfactl.workspace import Workspace


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    """Several who ask at once get the same one, and only the owner may read its file."""
    with Workspace.create(tmp_path) as workspace, ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: workspace.link_secret(), range(8)))
        assert len(found) == 1
        assert len(found.pop()) == 64
        assert stat.S_IMODE((workspace.private / "link.key").stat().st_mode) == 0o600
        assert list(workspace.private.glob("link-*")) == []
