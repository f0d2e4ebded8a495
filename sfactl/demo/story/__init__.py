"""A year of a made-up seller: every step of the way from lead to cash, done with the real commands."""

from sfactl.demo.story.telling import Told, tell

__all__ = ["Told", "tell"]
