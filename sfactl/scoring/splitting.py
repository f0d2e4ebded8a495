"""Decide which leads a model learns from and which it is judged on. Pure: the same leads and seed give the same split.

By time, the newest outcomes are held out, as in use: a model never knows what comes after it. At random, a lead's own
number decides, so that a lead that was held out once is held out again when more leads have come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sfactl.api.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

How = Literal["time", "random"]

MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which outcomes are held out: those from ``since`` on, or a ``share`` at random under ``seed``."""

    how: How
    share: float
    seed: int = 0
    since: datetime | None = None

    def held_out(self, lead_ids: Any, at: Any) -> Flags:
        """Which of the leads are held out; ``at`` are the times of their outcomes (datetime64, NaT where unknown)."""
        import numpy as np

        if self.how == "time":
            flags: Flags = np.asarray(at >= np.datetime64(self.since, "us"))
            return flags
        by_chance: Flags = drawn(np.asarray(lead_ids, dtype=np.uint64), self.seed) < self.share
        return by_chance

    @property
    def phrase(self) -> str:
        """The split in words."""
        if self.how == "time" and self.since is not None:
            return f"by time: outcomes from {self.since:%Y-%m-%d %H:%M} on are held out"
        return f"at random: {self.share:.0%} of the leads are held out"


def split_of(how: How | None, share: float, seed: int, at: Any) -> Split:
    """The split of outcomes at the times ``at``; ``how`` None takes time where every outcome has one.

    Raises `UserError` where a split by time is asked for and cannot be made.
    """
    import numpy as np

    known = np.asarray(at)[~np.isnat(at)]
    missing = len(at) - len(known)
    if how == "random" or (how is None and (missing or len(np.unique(known)) < 2)):
        return Split(how="random", share=share, seed=seed)
    if missing:
        raise UserError(
            f"{missing:,} of {len(at):,} outcomes have no time, so they cannot be split by time",
            hint='Name the field that has it: [outcome] at = "…", or split at random: --split random',
        )
    ordered = np.sort(known)
    since = ordered[min(int(len(ordered) * (1 - share)), len(ordered) - 1)] if len(ordered) else None
    if since is None or since == ordered[0]:
        raise UserError("all outcomes are of one time, so they cannot be split by time", hint="Use: --split random")
    return Split(how="time", share=share, seed=seed, since=since.astype("datetime64[us]").item())


def drawn(numbers: Any, seed: int) -> Any:
    """A number from 0 to 1 for each of ``numbers``, by the finaliser of SplitMix64 (Steele et al., OOPSLA 2014)."""
    import numpy as np

    with np.errstate(over="ignore"):
        z = numbers + np.uint64((seed * MIX[0] + MIX[0]) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(MIX[1])
        z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX[2])
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2**53
