"""Ask an intent extractor about texts, in time and chunk by chunk, and keep each answer so that it is asked once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import AuthError, PluginError, SfactlError
from sfactl.portrait.answers import Answer, read_answers

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session


class Asking:
    """Asks about texts chunk by chunk, and keeps the answers of each chunk in a commit of its own."""

    def __init__(
        self, session: Session, engine: Any, extractor: str, version: str, labels: Sequence[str], timeout_s: float
    ) -> None:
        """``engine`` is the extractor ``extractor`` in its ``version``; ``labels`` are all that it may answer."""
        self.asked = self.answered = 0
        self.problems: Counter[str] = Counter()
        self.tokens = (0, 0)
        self.cost = 0.0
        self._session, self._engine, self._extractor = session, engine, extractor
        self._version, self._labels, self._timeout_s = version, labels, timeout_s

    def all(self, texts: pa.Table, size: int) -> None:
        """Ask about every text; a chunk without any answer ends it, so that a dead service is not asked for hours."""
        with self._session.progress("texts read", texts.num_rows) as progress:
            for start in range(0, texts.num_rows, size):
                chunk = texts.slice(start, size)
                self.asked += chunk.num_rows
                answers = self._answers(chunk)
                good = {key: answer for key, answer in answers.items() if answer.error is None}
                self.problems.update(a.error for a in answers.values() if a.error is not None)
                self._count(answers.values())
                self._keep(good)
                self.answered += len(good)
                progress.advance(chunk.num_rows)
                if not good:
                    break

    def _answers(self, chunk: pa.Table) -> dict[str, Answer]:
        keys = chunk["utterance_id"].to_pylist()
        try:
            answers, refused = read_answers(_in_time(self._engine, chunk, self._timeout_s), keys, self._labels)
        except AuthError:
            raise  # no other text will fare better, and only a person can mend it
        except SfactlError as err:
            return {key: Answer(error=err.message) for key in keys}
        except Exception as err:  # whatever a plugin raises costs this chunk alone
            said = self._session.host.redact(f"{type(err).__name__}: {err}")
            return {key: Answer(error=said) for key in keys}
        stray = refused["answered about a text that nobody asked about"]
        if stray:
            self.problems["answered about a text that nobody asked about"] += stray
        return answers

    def _keep(self, answers: Mapping[str, Answer]) -> None:
        if not answers:
            return
        table = _kept_rows(self._extractor, self._version, answers, self._session.now())
        with self._session.write("intent_answers") as tx:
            tx.query.register("answered", table)
            # Another run may have asked at the same time: what is kept first stays.
            rows = tx.upsert(
                "intent_answers",
                "select n.* from answered as n where not exists (select 1 from intent_answers as o where"
                " o.extractor = n.extractor and o.version = n.version and o.text_hash = n.text_hash)",
            )
            if rows:
                tx.commit(extractor=self._extractor, texts=len(answers))

    def _count(self, answers: Collection[Answer]) -> None:
        """Answers that were no use cost as much as others."""
        read, written = self.tokens
        self.tokens = (
            read + sum(a.input_tokens or 0 for a in answers),
            written + sum(a.output_tokens or 0 for a in answers),
        )
        self.cost += sum(a.cost or 0 for a in answers)


def _in_time(engine: Any, chunk: pa.Table, timeout_s: float) -> pa.Table:
    """The engine's answer, or `PluginError` where it takes longer than ``timeout_s``."""
    answer: list[Any] = []
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            answer.append(engine.extract(chunk))
        except BaseException as err:
            raised.append(err)

    # A daemon: a plugin that never comes back must not keep the command from ending.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if raised:
        raise raised[0]
    if not answer:
        raise PluginError(f"the extractor did not answer within {timeout_s:g} seconds")
    return answer[0]


def _kept_rows(extractor: str, version: str, answers: Mapping[str, Answer], now: datetime) -> pa.Table:
    import pyarrow as pa

    rows = [
        {
            "extractor": extractor,
            "version": version,
            "text_hash": key,
            "label": label,
            "confidence": answer.labels.get(label),
            "model": answer.model,
            "input_tokens": answer.input_tokens if first else None,
            "output_tokens": answer.output_tokens if first else None,
            "cost": answer.cost if first else None,
            "at": now,
        }
        for key, answer in answers.items()
        for first, label in _firsts(sorted(answer.labels) or [""])
    ]
    types = {"confidence": pa.float64(), "cost": pa.float64(), "at": pa.timestamp("us")}
    types |= dict.fromkeys(("input_tokens", "output_tokens"), pa.int64())
    names = list(rows[0])
    return pa.table({name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in names})


def _firsts(labels: Sequence[str]) -> Iterator[tuple[bool, str]]:
    return ((place == 0, label) for place, label in enumerate(labels))
