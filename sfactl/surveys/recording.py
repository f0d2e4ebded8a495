"""Put answers into the data: a row for each question and a touchpoint for each person, once however often they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.surveys.model import Given, SurveyCount

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.workspace import Transaction

PACKAGE = "surveys"
WRITTEN = ("survey_answers", "touchpoints")


def record(tx: Transaction, given: Sequence[Given], *, actor: str) -> tuple[SurveyCount, ...]:
    """Put what is new of ``given`` into the transaction; who is no lead (any more) is counted and left out."""
    query = tx.query
    query.register("given", _table(given))
    query.run(f"create or replace temp table recorded as {query.statement(PACKAGE, 'given')}", {"actor": actor})
    own = "given_id, step, is_first, is_known, known_score"
    tx.append("survey_answers", f"select * exclude ({own}) from recorded where not is_known")
    tx.append("touchpoints", query.statement(PACKAGE, "touchpoints"))
    found = query.rows("select survey, is_known, count(distinct given_id) from recorded group by 1, 2")
    counted = {(survey, known): n for survey, known, n in found}
    asked = Counter(one.survey for one in {g.given_id: g for g in given}.values())
    return tuple(
        SurveyCount(
            survey=name,
            new=counted.get((name, False), 0),
            known=counted.get((name, True), 0),
            strangers=total - counted.get((name, False), 0) - counted.get((name, True), 0),
        )
        for name, total in sorted(asked.items())
    )


def _table(given: Sequence[Given]) -> pa.Table:
    import pyarrow as pa

    rows = [(one, n, question, score) for one in given for n, (question, score) in enumerate(one.answers.items())]
    texts = ("given_id", "survey", "kind", "message_key", "step", "channel", "source")
    columns = {name: pa.array([getattr(one, name) for one, *_ in rows], pa.string()) for name in texts}
    columns |= {
        "at": pa.array([one.at for one, *_ in rows], pa.timestamp("us")),
        "lead_id": pa.array([one.lead_id for one, *_ in rows], pa.int64()),
        "scale_low": pa.array([one.low for one, *_ in rows], pa.int64()),
        "scale_high": pa.array([one.high for one, *_ in rows], pa.int64()),
        "is_first": pa.array([question == one.first for one, _, question, _ in rows], pa.bool_()),
        "question": pa.array([question for *_, question, _ in rows], pa.string()),
        "score": pa.array([score for *_, score in rows], pa.int64()),
        # What was written belongs to the first question, or it would stand there more than once.
        "comment": pa.array([one.comment if n == 0 else "" for one, n, *_ in rows], pa.string()),
    }
    return pa.table(columns)
