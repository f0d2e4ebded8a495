"""Read a file of answers given in person or elsewhere: every row is one answer, or is given back with the reason.

A row says which answer it is with ``key``; without one its survey, lead, time and question do, so that the same file
again adds nothing.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from sfactl.api.errors import DataError, SfactlError
from sfactl.config.surveys import LONGEST_COMMENT, BadAnswer, Survey
from sfactl.engine.delimited import BadRow, Row, read_header, read_rows
from sfactl.surveys.model import FILE_COLUMNS, Given, Line, Rejected, Unanswered


def read_answers(
    path: Path, *, surveys: Mapping[str, Survey], default: str, moment: Callable[[str], datetime], now: datetime
) -> Iterator[Line | Rejected | Unanswered]:
    """The answers of a CSV file, without the numbers of their leads.

    ``default`` is the survey of rows that name none; ``moment`` reads a date or a time. Raises `DataError` for a file
    that cannot be read, or whose columns are not those of `FILE_COLUMNS`.
    """
    _check_header(path, default)
    seen: dict[str, int] = {}
    for row in read_rows(path):
        if isinstance(row, BadRow):
            yield Rejected(row=row.number, reason=row.reason)
            continue
        if not row.values["score"]:
            yield Unanswered(row=row.number)
            continue
        try:
            line = _line(row, path, surveys, default, moment, now)
        except (BadAnswer, SfactlError) as err:
            yield Rejected(row=row.number, reason=str(err))
            continue
        if line.given.given_id in seen:
            yield Rejected(row=row.number, reason=f"the same answer as in row {seen[line.given.given_id]}")
            continue
        seen[line.given.given_id] = row.number
        yield line


def _check_header(path: Path, default: str) -> None:
    header, _ = read_header(path)
    known = f"Columns: {', '.join(FILE_COLUMNS)}"
    for name in header:
        if name not in FILE_COLUMNS:
            near = difflib.get_close_matches(name, FILE_COLUMNS, 1)
            raise DataError(f"{path}: unknown column {name!r}", hint=f"Did you mean {near[0]!r}?" if near else known)
    for name in ("score", "at", *(() if default else ("survey",))):
        if name not in header:
            raise DataError(f"{path}: there is no column {name}", hint=known)
    if "lead" not in header and "message" not in header:
        raise DataError(f"{path}: there is no column lead, nor message", hint=known)


def _line(
    row: Row,
    path: Path,
    surveys: Mapping[str, Survey],
    default: str,
    moment: Callable[[str], datetime],
    now: datetime,
) -> Line:
    said = row.values
    name, lead, message = said.get("survey") or default, said.get("lead", ""), said.get("message", "")
    if name not in surveys:
        near = difflib.get_close_matches(name, surveys, 1)
        raise BadAnswer(f"survey: there is no survey {name!r}{f', did you mean {near[0]!r}?' if near else ''}")
    if not lead and not message:
        raise BadAnswer("lead: is empty, and so is message")
    survey = surveys[name]
    question = survey.question(said.get("question", "")).name
    try:
        score = survey.score(said["score"])
    except BadAnswer as err:
        raise BadAnswer(f"score: {err}") from None
    at, comment = moment(said["at"]), said.get("comment", "")
    if at > now:
        raise BadAnswer(f"at: {said['at']} is yet to come")
    if len(comment) > LONGEST_COMMENT:
        raise BadAnswer(f"comment: is longer than {LONGEST_COMMENT:,} characters")
    parts = ["key", said["key"]] if said.get("key") else [lead.lower(), message, at.isoformat()]
    text = chr(31).join([name, question, *parts])
    given = Given(
        given_id=f"file-{hashlib.sha256(text.encode()).hexdigest()[:32]}",
        at=at,
        survey=name,
        kind=survey.kind,
        low=survey.low,
        high=survey.high,
        answers={question: score},
        first=survey.questions[0].name,
        lead_id=0,
        comment=comment,
        message_key=message,
        channel=said.get("channel") or "phone",
        source=path.name,
    )
    return Line(row=row.number, lead=lead, given=given)
