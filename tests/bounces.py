"""How well returned mail is read, on mails with a known answer: ``python -m tests.bounces FOLDER [--wrong]``.

FOLDER holds ``.eml`` files and ``expected.tsv`` with the columns file, dsn, replycode, reason and hardbounce, one line
for each recipient. Answers are compared with those lines whatever their order. ``--wrong`` lists what differs.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sfactl.feedback.model import Notice
from sfactl.feedback.notices import read_notices

OWN = re.compile(r"[45]\.0\.9\d\d")
"""Statuses that no server writes: Sisimai's own, for mails that have none."""
Row = Mapping[str, str]


@dataclass(slots=True)
class Score:
    """How many answers of how many agree."""

    right: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def share(self, what: str) -> float:
        """The share that agrees, 0 to 1."""
        return self.right[what] / self.of[what] if self.of[what] else 0.0


def score(folder: Path) -> Score:
    """Read every mail of ``folder`` and compare."""
    files = {path.name: path for path in folder.rglob("*.eml")}
    with (folder / "expected.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    total = Score()
    for name in dict.fromkeys(row["file"] for row in rows):
        mine = [row for row in rows if row["file"] == name]
        found = list(read_notices(files[name].read_bytes()))
        _count(total, "recipients", len(found) == len(mine))
        for row, notice in _paired(mine, found):
            _compare(total, row, notice)
    return total


def _paired(rows: list[Row], found: list[Notice]) -> Iterator[tuple[Row, Notice | None]]:
    left = list(found)
    for row in sorted(rows, key=lambda r: all(n.reason != r["reason"] for n in found)):
        notice = next((n for n in left if n.reason == row["reason"]), left[0] if left else None)
        if notice is not None:
            left.remove(notice)
        yield row, notice


def _compare(total: Score, row: Row, notice: Notice | None) -> None:
    answers = {
        "hard or soft": notice is not None and notice.hard == (row["hardbounce"] == "1"),
        "reason": notice is not None and notice.reason == row["reason"],
        "reply code": notice is not None and notice.reply_code == row["replycode"],
    }
    if row["dsn"] and not OWN.fullmatch(row["dsn"]):
        answers["enhanced status"] = notice is not None and notice.status == row["dsn"]
    for what, right in answers.items():
        _count(total, what, right)
    if not all(answers.values()):
        said = f"{notice.reason} {notice.status} {notice.reply_code}" if notice else "nothing"
        bad = ", ".join(what for what, right in answers.items() if not right)
        total.wrong.append(f"{row['file']}: {bad}: {row['reason']} {row['dsn']} {row['replycode']}, read as {said}")


def _count(total: Score, what: str, right: bool) -> None:
    total.right[what] += right
    total.of[what] += 1


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wrong", action="store_true")
    said = parser.parse_args()
    total = score(said.folder)
    for what in ("hard or soft", "reason", "enhanced status", "reply code", "recipients"):
        print(f"{what:<16} {total.right[what]:>5,} of {total.of[what]:>5,}  {total.share(what):.1%}")
    if said.wrong:
        print(*total.wrong, sep="\n")


if __name__ == "__main__":
    main()
