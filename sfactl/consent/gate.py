"""Make the tables by which the gate of campaigns knows who may be written to about a topic."""

from __future__ import annotations

from sfactl.consent.model import Terms
from sfactl.engine.duck import Query

PACKAGE = "consent"


def listen(query: Query, source: str) -> None:
    """Make the view consents of ``source``: touchpoints, or anything with lead_id, kind, at, topic and message_key."""
    query.run(
        f'create or replace temp view consents as select lead_id, kind, "at", topic, message_key from {source} as t'
    )


def load_words(query: Query, campaign: str, terms: Terms, *, people: str) -> None:
    """Make the tables spoken and refused_address for ``campaign`` on its ``terms``; the view consents must be there.

    ``people`` is a SELECT with email and phone of those whom a list of hashed addresses could mean.
    """
    query.run(
        f"create or replace temp table spoken as {query.statement(PACKAGE, 'spoken')}",
        {"topic": terms.topic, "double_opt_in": terms.double_opt_in, "confirm_s": terms.confirm_s},
    )
    query.run(f"create or replace temp view people as {people}")
    query.run(
        f"create or replace temp table refused_address as {query.statement(PACKAGE, 'refused_address')}",
        {"campaign": campaign, "topic": terms.topic},
    )
