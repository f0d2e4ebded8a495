"""Each test of the suites fails for the plugin it was written against: one fault a case, one test that must notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from sfactl.api.records import CheckReport, Page, Receipt, SqlScore
from sfactl.api.tables import table_of
from sfactl.testkit import EnricherSuite, LeadSourceSuite, ScoringSuite, SenderSuite

ROWS = [{"id": n} for n in range(6)]


class Source:
    """A good source of three pages; each subclass below does one thing wrong."""

    def check(self) -> Any:
        return CheckReport()

    def pull(self, cursor: Any) -> Any:
        start = (cursor or {}).get("start", 0)
        for n in range(start, 6, 2):
            yield Page(table=table_of(ROWS[n : n + 2]), cursor={"start": n + 2})


class Loses(Source):
    def pull(self, cursor: Any) -> Any:
        yield from (page for n, page in enumerate(super().pull(cursor)) if cursor is None or n > 0)


class Doubles(Source):
    def pull(self, cursor: Any) -> Any:
        yield from super().pull(cursor)
        yield Page(table=table_of(ROWS[:1]), cursor={"start": 6, "again": True})


class KeepsTime(Source):
    def pull(self, cursor: Any) -> Any:
        yield from (
            Page(table=p.table, cursor={"at": datetime(2026, 1, 1 + n)}) for n, p in enumerate(super().pull(None))
        )


class Stands(Source):
    def pull(self, cursor: Any) -> Any:
        yield from (Page(table=page.table, cursor={"start": 0}) for page in super().pull(None))


class NeverEnds(Source):
    def pull(self, cursor: Any) -> Any:
        n = 0
        while True:
            n += 1
            yield Page(table=table_of([{"id": n}]), cursor={"n": n})


class Lists(Source):
    def pull(self, cursor: Any) -> Any:
        yield Page(table=ROWS, cursor={})  # type: ignore[arg-type]


class Complains(Source):
    def check(self) -> Any:
        return CheckReport(problems=("no",))


@pytest.mark.parametrize("test", [name for name in vars(LeadSourceSuite) if name.startswith("test_")])
def test_a_good_source_passes(test: str) -> None:
    assert getattr(LeadSourceSuite(), test)(Source) is None


@pytest.mark.parametrize(
    ("source", "test"),
    [
        (Loses, "test_a_run_cut_off_anywhere_resumes_without_loss"),
        (Doubles, "test_a_pull_yields_every_row_once"),
        (KeepsTime, "test_cursors_are_json_and_differ"),
        (Stands, "test_cursors_are_json_and_differ"),
        (NeverEnds, "test_a_pull_yields_every_row_once"),
        (Lists, "test_a_pull_yields_every_row_once"),
        (Complains, "test_check_answers_without_problems"),
        (object, "test_it_is_a_lead_source"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_bad_source_is_noticed(source: type, test: str) -> None:
    with pytest.raises((AssertionError, TypeError)):
        getattr(LeadSourceSuite(), test)(source)


def scoring(sql: str) -> Callable[[], Any]:
    class Scoring:
        def statement(self) -> SqlScore:
            return SqlScore(sql=sql)

    return Scoring


COLUMNS = "select lead_id, 'r' as rule, {points} as points, '' as detail, touchpoints.at as at from touchpoints"
GOOD = COLUMNS.format(points="1.0::double") + " where touchpoints.at <= $now"


@pytest.mark.parametrize("test", [name for name in vars(ScoringSuite) if name.startswith("test_")])
def test_a_good_score_passes(test: str) -> None:
    assert getattr(ScoringSuite(), test)(scoring(GOOD)) is None


@pytest.mark.parametrize(
    ("sql", "test"),
    [
        (GOOD + " and false", "test_it_scores_someone"),
        (GOOD.replace("'r' as rule, ", ""), "test_it_scores_someone"),
        (GOOD.replace("lead_id,", "lead_id + 100 as lead_id,"), "test_rows_explain_the_score"),
        (GOOD.replace("1.0::double", "null::double"), "test_rows_explain_the_score"),
        (GOOD.replace("1.0::double", "'nan'::double"), "test_rows_explain_the_score"),
        (GOOD.replace("1.0::double", "random()"), "test_the_same_data_score_the_same"),
        (GOOD.replace(" where touchpoints.at <= $now", ""), "test_the_future_does_not_leak"),
        (
            "select 1::bigint as lead_id, 'r' as rule, 1.0 as points, '' as detail, $now as at",
            "test_no_data_is_no_error",
        ),
    ],
    ids=["nobody", "columns", "strangers", "null", "nan", "chance", "future", "invented"],
)
def test_a_bad_score_is_noticed(sql: str, test: str) -> None:
    with pytest.raises(AssertionError):
        getattr(ScoringSuite(), test)(scoring(sql))


class Sender:
    """A good sender; each subclass below does one thing wrong."""

    def __init__(self, box: list[str]) -> None:
        self.box = box

    def check(self) -> Any:
        return CheckReport()

    def send(self, messages: Any) -> Any:
        for message in messages:
            self.box.append(message.text)
            yield Receipt(key=message.key, outcome="accepted")

    def close(self) -> None:
        pass


class SendsTwice(Sender):
    def send(self, messages: Any) -> Any:
        self.box.extend(message.text for message in messages)
        yield from super().send(messages)


class ForgetsOne(Sender):
    def send(self, messages: Any) -> Any:
        yield from super().send(messages[1:])


class Invents(Sender):
    def send(self, messages: Any) -> Any:
        yield from (Receipt(key=m.key, outcome="sent") for m in messages)  # type: ignore[arg-type]


class ChecksAloud(Sender):
    def check(self) -> Any:
        self.box.append("ping")
        return CheckReport()


class ClosesOnce(Sender):
    closed = False

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class Suite(SenderSuite):
    def __init__(self) -> None:
        self.box: list[str] = []

    def delivered(self) -> list[str]:
        return self.box


@pytest.mark.parametrize(
    ("sender", "test", "passes"),
    [
        (Sender, "test_each_message_gets_one_receipt_and_arrives_once", True),
        (Sender, "test_check_sends_nothing", True),
        (Sender, "test_close_twice_is_harmless", True),
        (SendsTwice, "test_each_message_gets_one_receipt_and_arrives_once", False),
        (ForgetsOne, "test_each_message_gets_one_receipt_and_arrives_once", False),
        (Invents, "test_each_message_gets_one_receipt_and_arrives_once", False),
        (ChecksAloud, "test_check_sends_nothing", False),
        (ClosesOnce, "test_close_twice_is_harmless", False),
    ],
)
def test_senders_are_told_apart(sender: type, test: str, passes: bool) -> None:
    suite = Suite()
    if passes:
        getattr(suite, test)(lambda: sender(suite.box))
        return
    with pytest.raises(AssertionError):
        getattr(suite, test)(lambda: sender(suite.box))


def test_pages_hold_arrow_tables() -> None:
    assert isinstance(next(iter(Source().pull(None))).table, pa.Table)


class Enricher:
    """A good enricher; each subclass below does one thing wrong."""

    def __init__(self) -> None:
        self.asked = 0

    def enrich(self, table: pa.Table) -> pa.Table:
        self.asked += 1
        return self.answer([row for row in table.to_pylist() if row["email_domain"] == "acme.example"])

    def answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        return told([(row["id"], "industry", "Machines") for row in rows])


def told(facts: list[tuple[int, str, str]]) -> pa.Table:
    columns: Any = zip(*facts, strict=True) if facts else ((), (), ())
    types = (pa.int64(), pa.string(), pa.string())
    return pa.table({n: pa.array(list(c), t) for n, c, t in zip(("id", "field", "value"), columns, types, strict=True)})


class Silent(Enricher):
    def answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        return told([])


class Strangers(Enricher):
    def answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        return told([(99, "industry", "Machines")])


class TellsTwice(Enricher):
    def answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        return pa.concat_tables([super().answer(rows)] * 2)


class Wavers(Enricher):
    def answer(self, rows: list[dict[str, Any]]) -> pa.Table:
        return told([(row["id"], "industry", f"Machines {self.asked}") for row in rows])


class NeedsSomebody(Enricher):
    def enrich(self, table: pa.Table) -> pa.Table:
        assert table.num_rows
        return super().enrich(table)


class Stumbles(Enricher):
    def enrich(self, table: pa.Table) -> pa.Table:
        odd = any(row["email_domain"] and "." not in row["email_domain"] for row in table.to_pylist())
        return told([]) if odd else super().enrich(table)


class Known(EnricherSuite):
    known: ClassVar[Mapping[str, str]] = {"email_domain": "acme.example"}


@pytest.mark.parametrize(
    ("enricher", "test", "more"),
    [
        (Silent, "test_a_known_lead_is_answered", ()),
        (Strangers, "test_a_known_lead_is_answered", ()),
        (TellsTwice, "test_a_known_lead_is_answered", ()),
        (Wavers, "test_the_same_leads_are_answered_the_same", ()),
        (NeedsSomebody, "test_nobody_is_no_error", ()),
        (Stumbles, "test_odd_values_are_no_error", ("x@y@z",)),
    ],
)
def test_enrichers_are_told_apart(enricher: type, test: str, more: tuple[str, ...]) -> None:
    getattr(Known(), test)(Enricher, ["email_domain"], *more)
    with pytest.raises(AssertionError):
        getattr(Known(), test)(enricher, ["email_domain"], *more)
