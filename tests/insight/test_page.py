"""The page: one file that needs nothing else, says where each number comes from, and trusts no text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sfactl.api.errors import UserError
from sfactl.insight import chart, page, usecases
from sfactl.insight.model import Cohort
from sfactl.insight.share import share
from sfactl.session import Session

VOID = {"meta", "line", "rect", "br", "i"}


class Outline(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes |= set(values)
        if name := values.get("id"):
            self.ids.append(name)
        if tag == "a":
            self.links.append(values["href"] or "")


@pytest.fixture
def text(session: Session) -> str:
    return page.render(usecases.read_overview(session))


def test_it_needs_no_network_and_runs_no_script(text: str) -> None:
    outline = Outline(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.tags)
    assert not {"src", "onclick", "onload"} & outline.attributes
    assert "url(" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_every_number_links_to_its_command(text: str) -> None:
    outline = Outline(text)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.links
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert {f"how-{name}" for name in page.commands(Cohort(seq=1))} <= set(outline.ids)


def test_totals_and_intervals_are_numbers_too(text: str) -> None:
    foot = re.findall(r"<tfoot>.*?</tfoot>", text, re.S)
    assert len(foot) >= 4
    for row in foot:
        bare = re.sub(r"<a .*?</a>|<th.*?</th>|<span.*?</span>", "", row, flags=re.S)
        assert not re.search(r"\d", re.sub(r"<[^>]*>", "", bare)), row


def test_each_drill_on_the_page_answers_what_the_page_says(session: Session, text: str) -> None:
    import html

    from sfactl.cli.report import group

    drills = {
        (html.unescape(title), shown)
        for title, shown in re.findall(r'title="(sfactl [^"]*--drill[^"]*)">([^<]*)</a>', text)
    }
    assert {shlex.split(title)[2] for title, _ in drills} == {
        "funnel", "source", "attribution", "cohort", "speed", "sleeping",
    }  # fmt: skip
    for title, _ in drills:
        words = shlex.split(title)
        group.commands[words[2]].make_context(words[2], words[3:])
    counted = [(t, s) for t, s in sorted(drills) if shlex.split(t)[2] == "sleeping"][:3]
    for title, shown in counted:
        cell = shlex.split(title)[-1]
        assert usecases.sleeping_drill(session, cell).num_rows == int(shown.replace(",", ""))


def test_text_from_the_data_is_escaped(text: str) -> None:
    assert "Acme 雷射 &lt;Laser&gt;" in text
    assert "<Laser>" not in text


def test_tables_say_what_their_heads_belong_to(text: str) -> None:
    tables = re.findall(r"<table.*?</table>", text, re.S)
    assert len(tables) >= 11
    for table in tables:
        assert "<caption" in table
        assert all('scope="' in head for head in re.findall(r"<th(?:\s[^>]*)?>", table))


def test_same_data_gives_the_same_bytes(session: Session, text: str) -> None:
    assert page.render(usecases.read_overview(session)) == text


def test_commands_on_the_page_are_commands(text: str) -> None:
    from sfactl.cli.report import group

    for command in page.commands(Cohort(seq=3)).values():
        words = shlex.split(command)
        assert words[:2] == ["sfactl", "report"]
        context = group.commands[words[2]].make_context(words[2], words[3:])
        assert context.params["as_of"] == "3"


def test_it_is_written_whole_where_asked(session: Session, tmp_path: Path) -> None:
    written = usecases.html(session, tmp_path / "r.html")
    assert Path(written.file).stat().st_size == written.size > 10_000
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_dry_run_writes_nothing(dry: Callable[[], Session], tmp_path: Path) -> None:
    assert usecases.html(dry(), tmp_path / "r.html").size > 10_000
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        usecases.html(session, tmp_path / "nowhere" / "r.html")


def test_an_empty_workspace_has_a_page_too(empty: Session) -> None:
    text = page.render(usecases.read_overview(empty))
    assert "No leads yet." in text
    assert "Nobody owes us anything." in text


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.1, 1.2), (232, 250), (0.139, 0.15), (0.5, 0.5), (999, 1000)], ids=str
)
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert chart.ceiling(value) == pytest.approx(top)


def test_whiskers_stay_on_their_track() -> None:
    for hits, of in ((0, 0), (0, 5), (5, 5), (1, 1000)):
        mark = chart.whiskers(share(hits, of), 0.25)
        assert 0 <= mark.low <= mark.low + mark.width <= 100.01
        assert 0 <= mark.dot <= 100


@pytest.mark.parametrize(
    ("amount", "currency", "language", "shown"),
    [
        ("5196500", "USD", "en", "USD 5,196,500"),
        ("7000000.5", "USD", "en", "USD 7,000,000"),
        ("1200000", "JPY", "en", "JPY 1,200,000"),
        ("1000000", "EUR", "de", "1.000.000 EUR"),
    ],
    ids=["dollars", "cents go", "no cents", "German"],
)
def test_short_money(amount: str, currency: str, language: str, shown: str) -> None:
    from decimal import Decimal

    assert page.short_money(Decimal(amount), currency, language) == shown
