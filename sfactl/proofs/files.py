"""Read the test files of a workspace and unfold them into trials. What the rules are is not asked here.

A case is its test with some keys changed, a test is its file's keys with some changed: tables are merged, everything
else is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.config.objects import build, check_version, read_toml
from sfactl.proofs.expectations import ASKED, checked_expectations
from sfactl.proofs.fixtures import SHORTHANDS, Fixture, named_rows, nearest
from sfactl.proofs.model import KINDS, Invalid, Kind, Moment, Trial
from sfactl.proofs.moments import moment
from sfactl.schemas import Schemas

FOLDER = "tests"
OWN = ("schema", "summary", "defaults", "fixtures", "tests")
MOST_CASES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One case as its file says it, with all that it takes over from its test and file.

    One of ``segment``, ``condition``, ``score``, ``strategy``, ``assignment`` and ``price`` says what is tested.
    """

    name: str
    segment: str | None = None
    condition: str | None = None
    score: str | None = None
    strategy: str | None = None
    assignment: bool = False
    price: str | None = None
    clock: str | datetime | date | None = None
    use: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    then: tuple[Mapping[str, Any], ...] = ()

    def tested(self) -> tuple[Kind, str]:
        """The kind of rule that is tested, and its name. Raises `ValueError`."""
        found: list[Kind] = [kind for kind in KINDS if getattr(self, kind)]
        if len(found) != 1:
            said = "nothing is tested" if not found else f"{' and '.join(found)} are tested at once"
            raise ValueError(f"{said}. Write one of {', '.join(KINDS)}")
        kind = found[0]
        return kind, "" if kind in ("assignment", "condition") else str(getattr(self, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsRead:
    """The trials of some files, how many tests they are of, and what could not be read."""

    files: tuple[str, ...]
    tests: int
    trials: tuple[Trial, ...]
    invalid: tuple[Invalid, ...]


def read_tests(paths: Sequence[Path], schemas: Schemas, folder: Path) -> TrialsRead:
    """All trials of the test files ``paths``; a mistake in one test leaves the others."""
    trials: list[Trial] = []
    invalid: list[Invalid] = []
    tests = 0
    names = [shown(path, folder) for path in paths]
    for path, name in zip(paths, names, strict=True):
        try:
            file = _File(path, name, schemas)
        except SfactlError as err:
            invalid.append(Invalid(file=name, message=err.message))
            continue
        tests += len(file.tests)
        for found in file.trials(len(trials) + 1):
            if isinstance(found, Trial):
                trials.append(found)
            else:
                invalid.append(found)
    return TrialsRead(files=tuple(names), tests=tests, trials=tuple(trials), invalid=tuple(invalid))


def shown(path: Path, folder: Path) -> str:
    """A path as people know it: from the workspace on, where it lies in it."""
    resolved, root = path.resolve(), folder.resolve()
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else str(path)


class _File:
    """One test file: what its tests share, and the tests as they stand."""

    def __init__(self, path: Path, name: str, schemas: Schemas) -> None:
        raw = read_toml(path)
        check_version(raw, where=name)
        self.name = name
        self.schemas = schemas
        self.tests: list[Mapping[str, Any]] = _tables(raw.get("tests", []), f"{name}: tests")
        self.defaults = _table(raw.get("defaults", {}), f"{name}: defaults")
        self.fixtures = _table(raw.get("fixtures", {}), f"{name}: fixtures")
        self.shared = {key: value for key, value in raw.items() if key not in OWN}
        if not self.tests:
            near = nearest("tests", [key for key in self.shared if key.startswith("t")]) if self.shared else ""
            raise ConfigError(f"{name}: tests: there is none; write [[tests]]{near if 'mean' in near else ''}")
        self._check_names()

    def _check_names(self) -> None:
        for key, value in self.defaults.items():
            _known_dataset(key, self.schemas, f"{self.name}: defaults")
            _table(value, f"{self.name}: defaults.{key}")
            for column in value:
                if column not in self.schemas[key].types:
                    said = nearest(column, self.schemas[key].types)
                    raise ConfigError(f"{self.name}: defaults.{key}.{column}: unknown column of {key}.{said}")
        names = [str(test.get("name", "")) for test in self.tests]
        for place, name in enumerate(names):
            if names.index(name) != place:
                raise ConfigError(f"{self.name}: tests[{place}].name: {name!r} is there twice")

    def trials(self, first: int) -> Iterator[Trial | Invalid]:
        """All cases of all tests, numbered from ``first``."""
        number = first
        for place, test in enumerate(self.tests):
            title = f"{self.name}: tests[{place}] {test.get('name', '')!r}"
            try:
                cases = _cases(test, title)
            except ConfigError as err:
                yield Invalid(file=self.name, message=err.message)
                continue
            for case in cases:
                where = f"{title}, case {case['id']!r}" if case else title
                try:
                    yield self._trial(test, case, number, where)
                except (SfactlError, ValueError) as err:
                    message = getattr(err, "message", str(err))
                    said = message if message.startswith(self.name) else f"{where}: {message}"
                    yield Invalid(file=self.name, message=said)
                number += 1

    def _trial(self, test: Mapping[str, Any], case: Mapping[str, Any], number: int, where: str) -> Trial:
        own = {key: value for key, value in test.items() if key != "cases"}
        changed = {key: value for key, value in case.items() if key != "id"}
        if "name" in changed:
            raise ConfigError(f"{where}: name: a case has an id, the name is its test's")
        spec = build(Spec, merged(merged(self.shared, own), changed), where=where)
        kind, subject = spec.tested()
        if spec.clock is None:
            raise ConfigError(f"{where}: clock: missing; write for instance clock = 2026-11-23T09:00:00")
        clock = moment(spec.clock, datetime.min)
        fixture = Fixture(self.schemas, place=where, clock=clock, number=number)
        asked = self._given(spec, kind, fixture, where)
        moments = tuple(self._moments(spec, kind, clock, where))
        return Trial(
            number=number,
            file=self.name,
            test=spec.name,
            case=str(case.get("id", "")),
            kind=kind,
            subject=subject,
            text=spec.condition or "",
            clock=clock,
            rows=fixture.done(),
            asked=asked,
            expect=checked_expectations(kind, spec.expect, f"{where}: expect", optional=bool(moments)),
            moments=moments,
        )

    def _given(self, spec: Spec, kind: Kind, fixture: Fixture, where: str) -> dict[str, Any]:
        """Collect the rows of the fixtures and of the test; answers what is no row."""
        asked: dict[str, Any] = {}
        lead: Mapping[str, Any] = {}
        scores: Mapping[str, Any] = {}
        lists: dict[str, list[tuple[Any, str]]] = {}
        for name in spec.use:
            if name not in self.fixtures:
                raise ConfigError(f"{where}: use: there is no fixture {name!r}.{nearest(name, self.fixtures)}")
        parts = [(f"fixtures.{name}", self.fixtures[name]) for name in spec.use]
        for key, part in [*parts, ("given", spec.given)]:
            for name, value in _table(part, f"{where}: {key}").items():
                at = f"{key}.{name}"
                if name == "lead":
                    lead = merged(lead, _table(value, f"{where}: {at}"))
                elif name in ASKED.get(kind, ()):
                    asked[name] = value
                elif name == "score":
                    scores = merged(scores, _table(value, f"{where}: {at}"))
                else:
                    dataset, rows = self._listed(name, value, f"{where}: {at}")
                    lists.setdefault(dataset, []).append((rows, at))
        if kind != "price" or lead:
            fixture.add("leads", [{"lead_id": 1, **self.defaults.get("leads", {}), **lead}], "given.lead")
        lists.setdefault("scores", []).append((_scores(scores), "given.score"))
        for dataset, found in lists.items():
            for rows, at in found:
                fixture.add(dataset, [merged(self.defaults.get(dataset, {}), row) for row in rows], at)
        return asked

    def _listed(self, name: str, value: Any, at: str) -> tuple[str, list[Mapping[str, Any]]]:
        dataset, column = SHORTHANDS.get(name, (name, ""))
        _known_dataset(dataset, self.schemas, at.rpartition(".")[0], asked=name)
        if isinstance(value, Mapping):
            value = [value]
        if isinstance(value, list) and column:
            value = named_rows(value, column)
        return dataset, _tables(value, at)

    def _moments(self, spec: Spec, kind: Kind, clock: datetime, where: str) -> Iterator[Moment]:
        if spec.then and kind != "strategy":
            raise ConfigError(f"{where}: then: only a strategy is looked at more than once")
        for place, raw in enumerate(spec.then):
            said = raw.get("at", "now")
            at = moment(said, clock)
            if at < clock:
                raise ConfigError(f"{where}: then[{place}].at: {said!r} is before the clock")
            expect = {key: value for key, value in raw.items() if key != "at"}
            checked = checked_expectations("moment", expect, f"{where}: then[{place}]")
            yield Moment(at=at, said=str(said), expect=checked)


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``change``; tables in both are merged, everything else is replaced."""
    found = dict(base)
    for key, value in change.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def _cases(test: Mapping[str, Any], title: str) -> list[Mapping[str, Any]]:
    if "cases" not in test:
        return [{}]
    cases = _tables(test["cases"], f"{title}: cases")
    if not cases:
        raise ConfigError(f"{title}: cases: there is none")
    seen: set[str] = set()
    for place, case in enumerate(cases):
        name = case.get("id")
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"{title}: cases[{place}].id: missing")
        if name in seen:
            raise ConfigError(f"{title}: cases[{place}].id: {name!r} is there twice")
        seen.add(name)
    return cases


def _scores(scores: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """``score.intent = 50`` or ``score.intent = { points = 50, grade = "A" }`` as rows."""
    found: list[Mapping[str, Any]] = []
    for name, points in scores.items():
        row = points if isinstance(points, Mapping) else {"points": points}
        found.append({"score": name, **row})
    return found


def _known_dataset(name: str, schemas: Schemas, at: str, asked: str = "") -> None:
    if name not in schemas:
        known = ["lead", "score", *SHORTHANDS, *schemas]
        raise ConfigError(f"{at}: there is no dataset {asked or name!r}.{nearest(name, known)[:200]}")


def _table(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{at}: {value!r} is not a table")
    return value


def _tables(value: Any, at: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise ConfigError(f"{at}: not a list of tables")
    return value
