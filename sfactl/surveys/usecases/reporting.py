"""Report on a survey: the figure of its kind, who answered, by what it is split, and how it moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.config.surveys import BadAnswer, Kind, Period, Survey
from sfactl.engine.duck import Query
from sfactl.insight.sheet import Sheet, sheet_table
from sfactl.session import Session
from sfactl.surveys.formulas import Counts, change, figure
from sfactl.surveys.usecases.looking import known_survey, load_counted

if TYPE_CHECKING:
    import pyarrow as pa

PERIODS: Mapping[Period, str] = {
    "month": "strftime(x.day, '%Y-%m')",
    "quarter": "cast(year(x.day) as varchar) || '-Q' || cast(quarter(x.day) as varchar)",
    "half": "cast(year(x.day) as varchar) || '-H' || cast((month(x.day) + 5) // 6 as varchar)",
    "year": "cast(year(x.day) as varchar)",
}
PEOPLE: Mapping[str, str] = {
    "account": "coalesce(a.name, l.company)",
    "owner": "l.owner",
    "country": "l.country",
    "industry": "coalesce(a.industry, l.industry)",
    "tier": "a.tier",
}
SPLITS = (*PEOPLE, "question", *PERIODS)
ALL = "survey"
TITLES: Mapping[Kind, str] = {
    "csat": "Satisfaction (top two boxes)",
    "nps": "Net Promoter Score",
    "ces": "Customer Effort Score",
}
_OF = "left join leads l on l.lead_id = x.lead_id left join accounts a on a.account_id = l.account_id"
_IN = "(cast($since as date) is null or x.day >= $since) and (cast($until as date) is null or x.day <= $until)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is about: answers from ``since`` until ``until``, split ``by`` something.

    ``trend`` compares the newest two periods of each part.
    """

    by: str = ""
    question: str = ""
    trend: Period | None = None
    since: date | None = None
    until: date | None = None


def report(session: Session, name: str, asked: Asked) -> Sheet:
    """The figure of the survey ``name``, as known at ``--as-of``.

    Answers count by the day on which they were given, invitations by the day on which they were sent. Raises `NotFound`
    for a survey, `UserError` for a question that is not there or a split that a trend cannot have.
    """
    survey = known_survey(session, name)
    try:
        question = survey.question(asked.question)
    except BadAnswer as err:
        raise UserError(f"--question: {err}") from None
    if asked.trend and (asked.by in PERIODS or asked.by == "question"):
        raise UserError(f"--by {asked.by} cannot have a trend", hint="Leave out --by or --trend.")
    with session.query() as query:
        load_counted(session, query, survey)
        reader = Reader(query, survey, question.name, asked)
        rows = reader.trends() if asked.trend else reader.figures(asked.by)
        total = reader.figures("")[0] if asked.by not in ("", "question") and not asked.trend else None
        notes, warnings, seq = reader.notes(), reader.warnings(), query.seq
    columns = _trend_columns(survey.kind) if asked.trend else _columns(survey.kind)
    what = "" if asked.by == "question" else f": {question.text}"
    return Sheet(
        title=f"{TITLES[survey.kind]} of {name}{what}",
        table=sheet_table(rows, {asked.by or ALL: _text(), **columns}, seq),
        seq=seq,
        total={**total, asked.by: "all"} if total else None,
        notes=notes,
        warnings=warnings,
    )


class Reader:
    """Reads counts and makes figures of them."""

    def __init__(self, query: Query, survey: Survey, question: str, asked: Asked) -> None:
        self._query = query
        self._survey = survey
        self._question = question
        self._asked = asked
        self._days = {"since": asked.since, "until": asked.until}

    def figures(self, by: str) -> list[dict[str, Any]]:
        """One row a part, those with most answers first; periods and questions in their order."""
        answered = {part: counts for part, _, counts in self._counts(by)}
        asked = self._invited(by)
        order = self._order(by, answered)
        found = {*answered, *(asked if by != "question" else ())}
        parts = sorted(found, key=order) if by else [self._survey.name]
        return [
            {
                by or ALL: part,
                **self._shown(answered.get(part, _NOTHING)),
                **_response(*asked.get("" if by == "question" else part, (0, 0))),
            }
            for part in parts
        ]

    def trends(self) -> list[dict[str, Any]]:
        """One row a part: its newest two periods that have answers enough, else its newest two."""
        by, minimum = self._asked.by, self._survey.minimum
        periods: dict[str, list[tuple[str, Counts]]] = {}
        for part, period, counts in self._counts(by, self._asked.trend):
            periods.setdefault(part, []).append((period, counts))
        rows = []
        for part, found in periods.items():
            found.sort(key=lambda one: one[0])
            enough = [one for one in found if one[1].answers >= minimum]
            rows.append({by or ALL: part, **self._moved((enough if len(enough) > 1 else found)[-2:])})
        return sorted(rows, key=lambda r: (-(r["answers_before"] or 0) - r["answers_after"], str(r[by or ALL])))

    def notes(self) -> tuple[str, ...]:
        """How the answers are spread, where they are enough to be told, and how many are enough."""
        (_, _, counts), *_ = self._counts("") or [("", "", _NOTHING)]
        found = []
        if counts.answers >= self._survey.minimum and not self._asked.by and not self._asked.trend:
            sql = f"select x.score, count(*) from counted x where {self._where('')} group by 1 order by 1 desc"
            spread = self._query.rows(sql, self._params())
            found.append("answers: " + " · ".join(f"{score}: {n:,}" for score, n in spread))
        return (*found, f"fewer answers than {self._survey.minimum} give no figure")

    def warnings(self) -> tuple[str, ...]:
        """What is left out of all figures."""
        (left,) = self._query.one("select count(*) from counted where not on_scale") or (0,)
        low, high = self._survey.low, self._survey.high
        return (f"{left:,} answers that were not given on {low} to {high} are left out",) if left else ()

    def _counts(self, by: str, period: Period | None = None) -> list[tuple[str, str, Counts]]:
        part = PEOPLE.get(by) or PERIODS.get(by) or ("x.question" if by == "question" else "$survey")  # type: ignore[call-overload]
        rows = self._query.rows(
            f"""select coalesce({part}, '') as part, {PERIODS[period] if period else "''"} as period, count(*),
                sum(x.score), sum(x.score * x.score), count(*) filter (where x.score > $high - 2),
                count(*) filter (where x.score >= 9), count(*) filter (where x.score <= 6)
            from counted x {_OF} where {self._where(by)} group by 1, 2""",
            {**self._params(by), "high": self._survey.high, **({} if by else {"survey": self._survey.name})},
        )
        names = ("answers", "total", "squares", "tops", "promoters", "detractors")
        return [(p, q, Counts(**dict(zip(names, map(int, n), strict=True)))) for p, q, *n in rows]

    def _invited(self, by: str) -> dict[str, tuple[int, int]]:
        part = PEOPLE.get(by) or PERIODS.get(by) or ("''" if by == "question" else "$survey")  # type: ignore[call-overload]
        rows = self._query.rows(
            f"select coalesce({part}, ''), count(*), count(*) filter (where x.is_answered)"
            f" from invited x {_OF} where {_IN} group by 1",
            {**self._days, **({} if by else {"survey": self._survey.name})},
        )
        return {name: (n, answered) for name, n, answered in rows}

    def _where(self, by: str) -> str:
        return f"x.on_scale and {_IN}" + ("" if by == "question" else " and x.question = $question")

    def _params(self, by: str = "") -> dict[str, Any]:
        return self._days if by == "question" else {**self._days, "question": self._question}

    def _order(self, by: str, answered: Mapping[str, Counts]) -> Any:
        if by in PERIODS:
            return str
        if by == "question":
            names = [q.name for q in self._survey.questions]
            return lambda part: (names.index(part) if part in names else len(names), part)
        return lambda part: (-answered.get(part, _NOTHING).answers, part)

    def _shown(self, counts: Counts) -> dict[str, Any]:
        found, kind = figure(self._survey.kind, counts, self._survey.minimum), self._survey.kind
        name = "csat_rate" if kind == "csat" else kind
        row = {"answers": counts.answers, name: found.value, "mean": found.mean}
        bounds = ("low", "high") if kind == "csat" else (f"{kind}_low", f"{kind}_high")
        row |= dict(zip(bounds, (found.low, found.high), strict=True))
        if kind == "nps":
            passives = counts.answers - counts.promoters - counts.detractors
            row |= {"promoters": counts.promoters, "passives": passives, "detractors": counts.detractors}
        return row

    def _moved(self, periods: Sequence[tuple[str, Counts]]) -> dict[str, Any]:
        survey = self._survey
        (after, now), *rest = reversed(periods)
        before, then = rest[0] if rest else ("", _NOTHING)
        figures = [figure(survey.kind, counts, survey.minimum) for counts in (then, now)]
        moved, direction = change(*figures)
        scale = 100 if survey.kind == "csat" else 1
        return {
            "before": before,
            "answers_before": then.answers,
            _named(survey.kind, "before"): figures[0].value,
            "after": after,
            "answers_after": now.answers,
            _named(survey.kind, "after"): figures[1].value,
            "change": _scaled(moved.value, scale),
            "change_low": _scaled(moved.low, scale),
            "change_high": _scaled(moved.high, scale),
            "direction": direction,
        }


_NOTHING = Counts(answers=0, total=0, squares=0, tops=0, promoters=0, detractors=0)


def _response(asked: int, answered: int) -> dict[str, Any]:
    return {"asked": asked, "answered": answered, "response_rate": answered / asked if asked else None}


def _named(kind: Kind, when: str) -> str:
    return f"csat_{when}_rate" if kind == "csat" else f"{kind}_{when}"


def _scaled(value: float | None, scale: int) -> float | None:
    return None if value is None else value * scale


def _columns(kind: Kind) -> dict[str, pa.DataType]:
    ints, floats = ["answers"], ["csat_rate", "low", "high", "mean"]
    if kind == "nps":
        ints, floats = ["answers", "promoters", "passives", "detractors"], ["nps", "nps_low", "nps_high", "mean"]
    elif kind == "ces":
        floats = ["ces", "ces_low", "ces_high"]
    return _types(ints, floats) | _types(["asked", "answered"], ["response_rate"])


def _trend_columns(kind: Kind) -> dict[str, pa.DataType]:
    found: dict[str, pa.DataType] = {}
    for when in ("before", "after"):
        found |= {when: _text()} | _types([f"answers_{when}"], [_named(kind, when)])
    return found | _types([], ["change", "change_low", "change_high"]) | {"direction": _text()}


def _types(ints: Iterable[str], floats: Iterable[str]) -> dict[str, pa.DataType]:
    import pyarrow as pa

    return dict.fromkeys(ints, pa.int64()) | dict.fromkeys(floats, pa.float64())


def _text() -> pa.DataType:
    import pyarrow as pa

    return pa.string()
