"""The connections of one sender at work: each has at most one batch, and what it says of each message is kept.

What is sent, and what an answer means for the rest, is decided elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sfactl.api.protocols import TouchpointSender
from sfactl.api.records import Message, Receipt


@dataclass(slots=True, kw_only=True)
class Batch:
    """Messages that one connection was given. ``failed`` says what its sender raised; ``turn`` is the asker's own."""

    messages: Sequence[Message]
    turn: int = 0
    receipts: dict[str, Receipt] = field(default_factory=dict)
    failed: str = ""

    def send(self, sender: TouchpointSender) -> None:
        """Send, and keep the first receipt of each message as soon as it is there."""
        keys = {m.key for m in self.messages}
        try:
            for receipt in sender.send(self.messages):
                if receipt.key in keys:
                    self.receipts.setdefault(receipt.key, receipt)
        except Exception as err:  # a plugin may raise anything; what has no receipt may have left
            self.failed = f"the sender failed: {type(err).__name__}: {err}"


class Crew:
    """Connections that send at the same time; one alone sends in the caller's own thread."""

    def __init__(self, senders: Sequence[TouchpointSender]) -> None:
        self._idle = deque(senders)
        self._threads = ThreadPoolExecutor(len(senders), "connection") if len(senders) > 1 else None
        self._under_way: dict[Future[None], tuple[TouchpointSender, Batch]] = {}
        self._done: deque[tuple[TouchpointSender, Batch]] = deque()

    @property
    def idle(self) -> bool:
        """Whether a connection has nothing to do."""
        return bool(self._idle)

    @property
    def busy(self) -> bool:
        """Whether any batch is on its way, or back and not yet looked at."""
        return bool(self._under_way or self._done)

    def start(self, batch: Batch) -> None:
        """Give ``batch`` to an idle connection."""
        sender = self._idle.popleft()
        if self._threads is not None:
            self._under_way[self._threads.submit(batch.send, sender)] = (sender, batch)
            return
        try:
            batch.send(sender)
        finally:  # also when the person at the prompt has had enough: the receipts so far are true
            self._done.append((sender, batch))

    def next_done(self, timeout_s: float | None = None) -> Batch | None:
        """A batch that is back, the earliest first; None where none came back in time. Its connection is idle again."""
        if not self._done and self._under_way:
            back, _ = wait(self._under_way, timeout=timeout_s, return_when=FIRST_COMPLETED)
            for future in back:
                self._done.append(self._under_way.pop(future))
                future.result()
        if not self._done:
            return None
        sender, batch = self._done.popleft()
        self._idle.append(sender)
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True)
