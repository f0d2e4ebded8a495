"""Take one step with all who stand there: one statement for each kind of step; a touch passes the gate of campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfactl.campaigns.blanks import check_wording
from sfactl.campaigns.candidates import load_candidates
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.planning import effects_table, judge, load_refusals
from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period
from sfactl.strategies.asking import flag_number
from sfactl.strategies.book import Book
from sfactl.strategies.files import StrategyFile, touches
from sfactl.strategies.model import END, Step
from sfactl.strategies.turns import keeps, together

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "strategies"
_PLACES = """select distinct version_no, step_no from walk_standing where state = 'active' and place = 1
    union select distinct version_no, to_no from walk_rows where since is null and to_no > 0"""


@dataclass(slots=True, kw_only=True)
class Stepper:
    """Takes the steps of one walk; the tables of `walk` must be there."""

    query: Query
    book: Book
    at: datetime
    effects: pa.Table | None
    check_texts: bool
    consents: str = "touchpoints"
    _files: dict[tuple[str, str], CampaignFiles] = field(default_factory=dict)
    _refused: bool = False
    _judged: tuple[int, str] | None = None

    def take_all(self) -> None:
        """Take every step at which anybody may stand, version by version in the order of the file."""
        places = self.query.rows(_PLACES)
        for number, file in enumerate(self.book.versions, 1):
            self._take_version(number, file, {place for version_no, place in places if version_no == number})

    def _take_version(self, number: int, file: StrategyFile, places: set[int]) -> None:
        """Take all steps of a version at ``places`` and where these lead, the touches in turns."""
        taken: set[int] = set()
        for turn, sender in sorted(together(file.strategy)):
            self._take_others(number, file, places, taken)
            self._touch(number, file, turn, sender, places)
        self._take_others(number, file, places, taken)

    def _take_others(self, number: int, file: StrategyFile, places: set[int], taken: set[int]) -> None:
        """Take the steps that are no touches, as far as anybody has come to them who was not decided about yet."""
        strategy = file.strategy
        for place, step in enumerate(strategy.steps, 1):
            if place not in places or step.action == "touch":
                continue
            params = self._params(number, file, step)
            is_late = place in taken
            here = self.query.statement(PACKAGE, "newly_here" if is_late else "here")
            places.discard(place)
            taken.add(place)
            if self.query.run(f"create or replace temp table here as {here}", params):
                self.query.run(f"insert into walk_rows {self.query.statement(PACKAGE, step.action)}", params)
                targets = () if is_late and keeps(step) else strategy.ways[step.name]
                places.update(strategy.number(target) for _, target in targets if target != END)

    def _params(self, number: int, file: StrategyFile, step: Step) -> Mapping[str, Any]:
        strategy = file.strategy
        lasts = parse_period(step.lasts or "0 days")
        key = f"steps.{step.name}.{'until' if step.action == 'wait' else 'where'}"
        return {
            "at": self.at,
            "version_no": number,
            "step": step.name,
            "step_no": strategy.number(step.name),
            "flag": flag_number(strategy, key),
            "limited": bool(step.lasts),
            "lasts": step.lasts,
            "months": lasts.months,
            "seconds": lasts.seconds,
            "salt": f"{strategy.name}.{step.name}.",
            "key_prefix": prefix_of(self.book),
            "task_owner": step.task.owner if step.task else "",
            "owner": strategy.owner,
            "due_at": self.at + timedelta(seconds=parse_period(step.task.due).seconds) if step.task else None,
            "feed": step.feed,
            "since": parse_period(step.within).before(self.at) if step.within else None,
            "sender": strategy.sender_of(step),
        }

    def _touch(self, number: int, file: StrategyFile, turn: int, sender: str, places: set[int]) -> None:
        """Judge all who stand at the touches of one turn through one sender, and let those go on who are skipped.

        Who stands at later touches is judged along: few come to one of those in the same walk.
        """
        query, strategy = self.query, file.strategy
        waiting = {strategy.number(s.name) for s in together(strategy)[turn, sender]} & places
        places -= waiting
        if not waiting:
            return
        params = {"at": self.at, "version_no": number, "turn": turn, "sender": sender}
        if self._judged != (number, sender) or query.one(query.statement(PACKAGE, "late_at_touches"), params):
            self._judged = None
            if not query.run(
                f"create or replace temp table touched as {query.statement(PACKAGE, 'at_touches')}", params
            ):
                return
            self._judge(file, sender)
            self._judged = number, sender
        if query.run(f"insert into walk_rows {query.statement(PACKAGE, 'touch')}", params):
            places.update(place for (place,) in query.rows(query.statement(PACKAGE, "skipped_to"), params))

    def _judge(self, file: StrategyFile, sender: str) -> None:
        """Make plan_rows: what the gate says about those who are in touched, at steps through one sender."""
        query, place = self.query, self.book.place
        files = self.files_of(file, sender)
        query.run("create or replace temp table audience as select lead_id from touched")
        query.run("create or replace temp table wanted as select lead_id, step, rotation, false as is_out from touched")
        load_candidates(query, files, place)
        if not self._refused:
            # Once for all touches of the walk, so it is about everybody.
            load_refusals(
                query,
                files.campaign,
                place.house,
                consents=self.consents,
                people="select email, phone from leads",
            )
            self._refused = True
        effects = effects_table(()) if self.effects is None else self.effects
        judge(query, files, place, at=self.at, effects=effects, by_step=True)
        if self.check_texts:
            for (name,) in query.rows("select distinct step from touched order by step"):
                step = files.campaign.step(name)
                for language in files.templates[step.template].wordings:
                    check_wording(query, files, step, language, place=place)

    def files_of(self, file: StrategyFile, sender: str) -> CampaignFiles:
        """The touches of a version through one sender, as campaigns read them."""
        key = (file.version, sender)
        if key not in self._files:
            self._files[key] = touches(file, self.book.names, sender)
        return self._files[key]


def prefix_of(book: Book) -> str:
    """What stands before ``step.lead.rotation`` in the key of a message or a task."""
    return f"{book.place.tenant[:12]}.{book.name}."
