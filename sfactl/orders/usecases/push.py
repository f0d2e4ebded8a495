"""Push customers, products and orders to an ERP: each once, whatever is killed or lost on the way.

Every effect is durable in the ledger before the call. What the ERP holds is recorded in one commit that also retires
the ledger's rows; a crash between the two is mended by the next push, which asks the ERP first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sfactl.api.errors import SfactlError
from sfactl.api.records import Ref
from sfactl.orders.attempt import Attempt, attempt
from sfactl.orders.findings import Findings
from sfactl.orders.history import CONFIRM, Entry, History, task_id
from sfactl.orders.keys import key, parse_order, readable
from sfactl.orders.model import Known, PushResult, Question, Work
from sfactl.orders.usecases.agenda import Agenda, agenda
from sfactl.orders.usecases.exchange import Exchange, connect, contained
from sfactl.orders.usecases.record import confirmed_tasks, record
from sfactl.orders.usecases.recover import recover, release
from sfactl.session import Session
from sfactl.workspace.ledger import Effect, Lease

BATCH = 10
"""Effects claimed at once: the most that a crash can leave unknown."""

RECORDED_AT_ONCE = 200
"""What was done is recorded in commits of about so many; until then the ledger remembers it."""

STAGES = (("customer", "product"), ("order",), ("cancel",))


def push(
    session: Session,
    name: str | None = None,
    *,
    orders_only: bool = False,
    only: Sequence[str] = (),
    retry: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> PushResult:
    """Bring the ERP up to date. ``only`` names orders; ``retry`` names refused ones that a person wants tried again.

    What could not be done is listed in the result with its reason and raises nothing. Raises `LockBusy` if another push
    is at work, and what `connect` raises.
    """
    exchange = connect(session, name)
    chosen = [parse_order(o) for o in (*only, *retry)] if only or retry else None
    run = _Run(session=session, exchange=exchange, pause=pause, retry=frozenset(parse_order(o) for o in retry))

    def look() -> Agenda:
        with session.query() as query:
            return agenda(session, query, exchange.name, only=chosen, orders_only=orders_only)

    if session.dry_run:
        pending = look()
        run.rehearse(pending)
        return run.result(pending)
    with session.ledger.lease(exchange.scope, run_id=session.run_id) as lease:
        pending = run.begin(lease, look)
        run.perform(lease)
    result = run.result(pending)
    counts = {"orders": result.orders, "customers": result.customers, "products": result.products}
    session.notify("sfactl_after_orders_synced", {"erp": exchange.name, "direction": "push", **counts})
    return result


@dataclass(slots=True, kw_only=True)
class _Run:
    """One push: what is still to do, what is done, what could not be."""

    session: Session
    exchange: Exchange
    pause: Callable[[float], None]
    retry: frozenset[int]
    findings: Findings = field(default_factory=Findings)
    pending: list[Work] = field(default_factory=list)
    done: list[Work] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    recovered: int = 0
    commit: int | None = None
    stopped: str = ""

    def begin(self, lease: Lease, look: Callable[[], Agenda]) -> Agenda:
        """Mend what earlier runs left, then see what is to do and what stands against it."""
        mended = recover(self.session, self.exchange, lease, self.findings)
        self.recovered = len(mended.known)
        self._record(mended.known, ())
        pending = look()
        history = self._history(pending)
        works = [history.numbered(w) for w in pending.work]
        self._record(release(lease, mended.repeatable, {w.effect_key for w in works}), ())
        history = self._history(pending)
        for work in works:
            if (entry := history.closed(work)) is None:
                self.pending.append(work)
            else:
                self._held(work, entry)
        return pending

    def perform(self, lease: Lease) -> None:
        """Claim and do the work in batches. Orders wait for their customer and products."""
        with self.session.progress("Pushed", len(self.pending)) as progress:
            for verbs in STAGES:
                stage = [w for w in self.pending if w.verb in verbs]
                for start in range(0, len(stage), BATCH):
                    self._batch(lease, [w for w in stage[start : start + BATCH] if not self._blocked(w)])
                    progress.advance(len(stage[start : start + BATCH]))
                    if len(self.known) >= RECORDED_AT_ONCE:
                        self._record_all()
                self._record_all()

    def rehearse(self, pending: Agenda) -> None:
        """Have the connector say what it would do; neither side is changed."""
        history = self._history(pending)
        for work in pending.work:
            if (entry := history.closed(history.numbered(work))) is not None:
                self._held(work, entry)
                continue
            tried = attempt(work, self.exchange.connector, attempts=1, pause=self.pause, dry_run=True)
            if tried.fate == "done":
                self.done.append(work)
            else:
                self._undone(tried)

    def result(self, pending: Agenda) -> PushResult:
        """The sum of it."""
        verbs = [w.verb for w in self.done]
        return PushResult(
            erp=self.exchange.name,
            customers=verbs.count("customer"),
            products=verbs.count("product"),
            orders=verbs.count("order"),
            cancelled=verbs.count("cancel"),
            recovered=self.recovered,
            unchanged=pending.unchanged,
            refused=(*pending.hopeless, *self.findings.of("refused")),
            to_confirm=self.findings.of("confirm"),
            unknown=self.findings.of("unknown"),
            postponed=(*pending.unapproved, *self.findings.of("postponed")),
            duplicates=self.findings.of("duplicate"),
            dry_run=self.session.dry_run,
            commit=self.commit,
        )

    def _history(self, pending: Agenda) -> History:
        tenant = self.session.workspace.id
        wanted = {key(tenant, "order", n) for n in self.retry}
        again: Collection[str] = wanted | {k for w in pending.work if w.our_key in wanted for k in w.needs}
        rows = self.session.ledger.rows(self.exchange.scope)
        return History(rows, confirmed=confirmed_tasks(self.session), again=again, now=self.session.now())

    def _held(self, work: Work, entry: Entry) -> None:
        fate = {"planned": "postponed", "accepted": "postponed"}.get(entry.state, entry.state)
        if entry.detail.startswith(CONFIRM):
            fate = "confirm"
        self.findings.add(fate, work.our_key, work.order_id, entry.detail.removeprefix(CONFIRM))

    def _blocked(self, work: Work) -> bool:
        missing = next((k for k in work.needs if self.findings.has(k)), None)
        if missing is not None:
            self.findings.add("postponed", work.our_key, work.order_id, f"waits for {readable(missing)}")
        return missing is not None

    def _batch(self, lease: Lease, batch: Sequence[Work]) -> None:
        if self.stopped:
            for work in batch:
                self.findings.add("postponed", work.our_key, work.order_id, self.stopped)
            return
        claimed = set(lease.claim([_effect(w, self.session.now()) for w in batch]))
        for work in batch:
            if work.effect_key not in claimed:
                self.findings.add("postponed", work.our_key, work.order_id, "is in the ledger already")
                continue
            tried = self._try(work)
            lease.settle([tried.receipt])
            if tried.fate == "done" and tried.ref is not None:
                self.known.append(self._verified(work, tried.ref))
                self.done.append(work)
                continue
            self._undone(tried)
            if tried.fate == "confirm":
                self.questions.append(self._question(work, tried.reason))

    def _try(self, work: Work) -> Attempt:
        if self.stopped:
            return Attempt(work=work, fate="postponed", reason=self.stopped, wait_s=0)
        return attempt(work, self.exchange.connector, attempts=self.exchange.settings.attempts, pause=self.pause)

    def _verified(self, work: Work, ref: Ref) -> Known:
        """What the ERP holds under the key after a new order: more than one is a duplicate for a person to solve."""
        refs: tuple[Ref, ...] = (ref,)
        if work.verb == "order":
            try:
                with contained(self.exchange.name):
                    found = tuple(self.exchange.connector.find("order", work.our_key))
                refs = found if len(found) > 1 else refs
            except SfactlError as err:
                self.session.note(f"{readable(work.our_key)} was pushed but could not be looked up: {err.message}")
        return Known(
            effect_key=work.effect_key,
            verb=work.verb,
            kind=work.kind,
            our_key=work.our_key,
            payload_hash=work.payload_hash,
            order_id=work.order_id,
            refs=refs,
        )

    def _undone(self, tried: Attempt) -> None:
        if tried.fate == "stop":
            self.stopped = tried.reason
        fate = "postponed" if tried.fate == "stop" else tried.fate
        self.findings.add(fate, tried.work.our_key, tried.work.order_id, tried.reason)

    def _question(self, work: Work, reason: str) -> Question:
        title = f"The ERP {self.exchange.name} asks to confirm {readable(work.our_key)}: {reason}"
        return Question(task_id=task_id(work.effect_key), title=title, order_id=work.order_id)

    def _record_all(self) -> None:
        known, questions = self.known, self.questions
        self.known, self.questions = [], []
        self._record(known, questions)

    def _record(self, known: Sequence[Known], questions: Sequence[Question]) -> None:
        if known or questions:
            commit = record(self.session, self.exchange.name, known, questions)
            self.commit = commit if commit is not None else self.commit
        for k in known:
            if len(k.refs) > 1:
                ids = ", ".join(ref.number or ref.id for ref in k.refs)
                self.findings.add("duplicate", k.our_key, k.order_id, f"is at the ERP {len(k.refs)} times: {ids}")


def _effect(work: Work, sent_at: datetime) -> Effect:
    return Effect(
        key=work.effect_key,
        kind=f"erp.{work.verb}",
        payload_hash=work.payload_hash,
        meta={
            "our_key": work.our_key,
            "verb": work.verb,
            "kind": work.kind,
            "order_id": work.order_id,
            "attempt": work.attempt,
            "since": work.since,
            "sent_at": sent_at.isoformat(),
        },
    )
