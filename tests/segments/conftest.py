"""The workspace that the tests of rules share."""

from __future__ import annotations

from tests.rules_world import clock, folder, leads, opened, session

__all__ = ["clock", "folder", "leads", "opened", "session"]
