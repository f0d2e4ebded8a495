"""Show the questions of a survey as a page, and take what is answered: by POST only, checked, and on the disk first.

A link answers for one message. Whoever sends again corrects themselves; which answer counts is decided where it is
read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qs

from sfactl.collect.model import Response
from sfactl.collect.pages import Asked, Sheet
from sfactl.collect.spool import Spool
from sfactl.config.surveys import LONGEST_COMMENT, BadAnswer, Survey
from sfactl.engine.links import Link

COMMENT = "comment"


@dataclass(slots=True, kw_only=True)
class SurveyDesk:
    """The surveys that can be answered, and where the answers are kept."""

    spool: Spool
    now: Callable[[], datetime]
    surveys: Mapping[str, Survey] = field(default_factory=dict)

    def sheet(self, link: Link, tongue: str, said: Mapping[str, str], *, missed: bool = False) -> Sheet | None:
        """The questions of the link's survey in a language; None where there is no such survey (any more).

        ``said`` is what is filled in already; ``missed`` says that it could not be taken.
        """
        survey = self.surveys.get(link.campaign)
        if survey is None:
            return None
        return Sheet(
            kind=survey.kind,
            scale=tuple(str(n) for n in range(survey.low, survey.high + 1)),
            questions=tuple(
                Asked(name=_field(q.name), text=q.said_in(tongue), picked=said.get(_field(q.name), "").strip())
                for q in survey.questions
            ),
            comment=survey.comment.said_in(tongue) if survey.comment else "",
            said=said.get(COMMENT, ""),
            missed=missed,
        )

    def picked(self, link: Link, query: str) -> dict[str, str]:
        """What a link in the message has chosen already: ``?a=9`` answers the first question, once it is sent."""
        survey, chosen = self.surveys.get(link.campaign), parse_qs(query).get("a", [""])[0]
        return {_field(survey.questions[0].name): chosen} if survey and chosen else {}

    def take(self, link: Link, said: Mapping[str, str]) -> int:
        """Keep an answer; 1 where it is new, 0 where the same was sent within the second.

        Raises `BadAnswer` where it does not fit, `SpoolRefused` where it could not be kept.
        """
        survey = self.surveys[link.campaign]
        found = survey.answers({q.name: said.get(_field(q.name), "") for q in survey.questions})
        comment = said.get(COMMENT, "") if survey.comment else ""
        if len(comment) > LONGEST_COMMENT:
            raise BadAnswer(f"the comment is longer than {LONGEST_COMMENT:,} characters")
        at = self.now()
        parts = [
            link.message_key,
            link.lead_id,
            survey.name,
            sorted(found.items()),
            comment,
            at.isoformat("T", "seconds"),
        ]
        response = Response(
            id=sha256(json.dumps(parts).encode()).hexdigest()[:32],
            at=at,
            survey=survey.name,
            kind=survey.kind,
            low=survey.low,
            high=survey.high,
            answers=found,
            message_key=link.message_key,
            lead_id=link.lead_id,
            step=link.step,
            comment=comment,
        )
        return self.spool.add([response])


def _field(question: str) -> str:
    """The field of the form; a question may be called as the page's own fields are."""
    return f"q.{question}"
