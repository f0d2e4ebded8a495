"""Who brought a conversion: the removal effect of a Markov chain, and exact shares in whole units. Pure.

The models that look at one way at a time (first, last, linear, decay, position, Shapley) are a statement,
``sql/credit.sql``: a way with the set S of names gives each of them 1/|S| by Shapley, because the worth of a coalition
is the sum of what came by ways within it, and the Shapley value of such a game shares each way evenly among its names.
Zhao, K., Mahboobi, S. H., Bagheri, S. R. (2018), Shapley value methods for attribution modeling in online advertising,
arXiv:1804.05327, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RULES = ("first", "last", "linear", "decay", "position", "shapley")
"""Models that share out each conversion by itself."""

MODELS = (*RULES[:5], "markov", "shapley")

MOST_NAMES = 2_000
"""The chain is solved with a matrix of this many rows at most."""

NO_TOUCH = "no touch"
"""Who is credited with a conversion that no touch came before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be shared out, among what, and how.

    ``window`` (a period, empty: any time) bounds the touches before the outcome; ``kinds`` are kinds of touches with
    commas between, empty for all that can bring a lead on. ``half_life`` is that of the model decay.
    """

    model: str = "all"
    by: str = "channel"
    to: str = "won"
    value: str = "count"
    window: str = ""
    half_life: str = "7 days"
    kinds: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How often one name was followed by another; None is the start and the end, ``converted`` ends well."""

    from_name: str | None
    to_name: str | None
    steps: int
    converted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What removing a name does: ``effect`` is the share of conversions that would be lost with it.

    ``reached`` is the chance that a way passes the name, ``converts`` the chance to convert from there.
    """

    name: str
    reached: float
    converts: float
    effect: float
    share: float


def removal_effects(steps: Sequence[Step]) -> tuple[Removal, ...]:
    """The removal effect of each name in the first-order chain that ``steps`` count, by name.

    Anderl, E., Becker, I., von Wangenheim, F., Schumann, J. H. (2016), Mapping the customer journey, International
    Journal of Research in Marketing 33(3), 457-474, doi:10.1016/j.ijresmar.2016.03.001. Whoever would have passed the
    removed name is lost, so the effect is P(pass) · P(convert from it) ÷ P(convert): one inverse serves all names.
    Raises `UserError` for more than `MOST_NAMES` names.
    """
    import numpy as np

    names = sorted({n for s in steps for n in (s.from_name, s.to_name) if n is not None})
    if not names:
        return ()
    if len(names) > MOST_NAMES:
        raise UserError(
            f"--model markov: {len(names):,} names are too many, {MOST_NAMES:,} is the limit",
            hint="Attribute by channel or campaign, or count fewer touches with --kinds.",
        )
    start, move, convert = _chain(steps, names)
    visits = np.linalg.inv(np.eye(len(names)) - move)
    converts = visits @ convert
    reached = (start @ visits) / np.diag(visits)
    rate = float(start @ converts)
    effects = reached * converts / rate if rate else np.zeros(len(names))
    total = float(effects.sum())
    return tuple(
        Removal(
            name=name,
            reached=float(reached[i]),
            converts=float(converts[i]),
            effect=float(effects[i]),
            share=float(effects[i]) / total if total else 0.0,
        )
        for i, name in enumerate(names)
    )


def _chain(
    steps: Sequence[Step], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Chances of the first name, of going from name to name, and of converting right after a name."""
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    start, convert = np.zeros(len(names)), np.zeros(len(names))
    move = np.zeros((len(names), len(names)))
    left = np.zeros(len(names))
    for s in steps:
        if s.from_name is None and s.to_name is not None:
            start[place[s.to_name]] += s.steps
        elif s.from_name is not None:
            left[place[s.from_name]] += s.steps
            if s.to_name is None:
                convert[place[s.from_name]] += s.converted
            else:
                move[place[s.from_name], place[s.to_name]] += s.steps
    return start / start.sum(), move / left[:, None], convert / left


def share_out(units: int, shares: Mapping[str, float]) -> dict[str, int]:
    """``units`` whole units shared out by ``shares``, adding up exactly: the largest remainders get what is left over.

    Equal remainders are settled by name, so that two runs agree.
    """
    total = sum(shares.values())
    if not total:
        return {}
    exact = {name: units * share / total for name, share in shares.items()}
    parts = {name: floor(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda n: (parts[n] - exact[n], n))
    for i in range(units - sum(parts.values())):
        parts[order[i % len(order)]] += 1
    return parts


def as_steps(rows: Iterable[Mapping[str, object]]) -> tuple[Step, ...]:
    """Rows of ``sql/transition.sql`` as steps."""
    return tuple(Step(**row) for row in rows)  # type: ignore[arg-type]
