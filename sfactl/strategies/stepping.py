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

    def take_all(self) -> None:
        """Take every step at which anybody may stand, version by version in the order of the file."""
        places = set(self.query.rows(_PLACES))
        for number, file in enumerate(self.book.versions, 1):
            strategy = file.strategy
            for place, step in enumerate(strategy.steps, 1):
                if (number, place) in places and self.take(number, file, step):
                    ways = [target for _, target in strategy.ways[step.name] if target != END]
                    places |= {(number, strategy.number(target)) for target in ways}

    def take(self, number: int, file: StrategyFile, step: Step) -> int:
        """Decide about everybody at ``step`` of version ``number`` and write it to walk_rows; answers how many."""
        params = self._params(number, file, step)
        if not self.query.run(f"create or replace temp table here as {self.query.statement(PACKAGE, 'here')}", params):
            return 0
        if step.action == "touch":
            self._judge(file, step)
        return self.query.run(f"insert into walk_rows {self.query.statement(PACKAGE, step.action)}", params)

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

    def _judge(self, file: StrategyFile, step: Step) -> None:
        """Make plan_rows: what the gate says about those who stand here."""
        query, place = self.query, self.book.place
        files = self.files_of(file, file.strategy.sender_of(step))
        query.run("create or replace temp table audience as select lead_id from here")
        query.run(
            "create or replace temp table wanted as select lead_id, $step as step, rotation, false as is_out from here",
            {"step": step.name},
        )
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
        judge(query, files, place, at=self.at, effects=effects)
        if self.check_texts:
            campaign_step = files.campaign.step(step.name)
            for language in files.templates[step.template].wordings:
                check_wording(query, files, campaign_step, language, place=place)

    def files_of(self, file: StrategyFile, sender: str) -> CampaignFiles:
        """The touches of a version through one sender, as campaigns read them."""
        key = (file.version, sender)
        if key not in self._files:
            self._files[key] = touches(file, self.book.names, sender)
        return self._files[key]


def prefix_of(book: Book) -> str:
    """What stands before ``step.lead.rotation`` in the key of a message or a task."""
    return f"{book.place.tenant[:12]}.{book.name}."
