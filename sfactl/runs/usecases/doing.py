"""Do one job: call the use case of its slice, and say in numbers what came of it.

Every job goes on where an earlier one ended and changes nothing a second time; what cannot be known to have happened
outside is held by the ledger, never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sfactl.api.errors import LockBusy, PolicyError
from sfactl.runs.model import Done, Job, State
from sfactl.runs.usecases.selling import campaign, strategy
from sfactl.session import Session

ATOMIC = ("scores", "segments", "assign", "sla", "tags")
"""Jobs whose whole effect is one commit: where it is there, they were done."""


def perform(session: Session, job: Job) -> Done:
    """Do ``job`` for real. Raises what its use case raises."""
    return _DOERS[job.kind](session, job)


def _source(session: Session, job: Job) -> Done:
    from sfactl.leads.usecases import pull

    (found,) = pull(session, [job.object]).sources
    counts = {name: getattr(found, name) for name in ("rows", "new", "updated", "rejected")}
    said = [found.problem, found.hint] if found.problem else [found.stopped and f"stopped at {found.stopped}"]
    if found.code == LockBusy.code:
        return Done(state="skipped", error=found.code, detail=found.problem or "")
    return Done(
        state="failed" if found.problem else "partly" if found.rejected else "done" if found.rows else "nothing",
        items=found.new + found.updated,
        counts=_present(counts),
        detail=" · ".join(text for text in said if text),
        error=found.code or "",
    )


def _mailbox(session: Session, job: Job) -> Done:
    from sfactl.feedback.usecases.fetching import fetch

    (found,) = fetch(session, [job.object]).mailboxes
    read = found.read
    counts = {kind: sum(a.mails for a in read.answers if a.kind == kind) for kind in ("reply", "unsubscribe")}
    return Done(
        state="failed" if found.problem else _did(read.new),
        items=read.new,
        counts=_present({"mails": read.mails, "new": read.new, **counts, "suppressed": read.suppressed}),
        detail=found.problem,
        error=found.code,
    )


def _collect(session: Session, _job: Job) -> Done:
    from sfactl.collect.usecases import import_spool

    done = import_spool(session)
    new = sum(form.new for form in done.forms)
    rejected = sum(form.rejected for form in done.forms)
    answers = sum(survey.new for survey in done.surveys)
    problems = [f"form {form.form}: {form.problem}" for form in done.forms if form.problem]
    damaged = [f"{name} is damaged" for name in done.damaged]
    return Done(
        state="done" if done.well and (done.new or done.forms or answers) else "nothing" if done.well else "partly",
        items=done.new + new + answers,
        counts=_present({"touchpoints": done.new, "leads": new, "answers": answers, "rejected": rejected}),
        detail=" · ".join([*problems, *damaged]),
    )


def _dedupe(session: Session, _job: Job) -> Done:
    from sfactl.identity.usecases import apply, dedupe

    made = dedupe.plan(session, "lead").plan
    reviews = f"{made.reviews:,} to review: sfactl lead dedupe pairs {made.plan_id}" if made.reviews else ""
    if not made.merges:
        return Done(state="nothing", detail=reviews, plan_id=made.plan_id)
    done = apply.apply(session, made.plan_id)
    return Done(
        state="done",
        items=done.merges,
        counts=_present({"merged": done.merges, "to review": made.reviews}),
        detail=reviews,
        plan_id=made.plan_id,
    )


def _scores(session: Session, _job: Job) -> Done:
    from sfactl.scoring.usecases import run

    done = run(session)
    changed = sum(ran.new + ran.up + ran.down + ran.gone for ran in done.scores)
    left_out = "; ".join(f"{one.name} left out: {one.reason}" for one in done.skipped)
    counts = _present({"changed": changed})
    return Done(state="partly" if left_out else _did(changed), items=changed, counts=counts, detail=left_out)


def _segments(session: Session, _job: Job) -> Done:
    from sfactl.segments.usecases import build

    done = build(session).segments
    counts = {"joined": sum(s.joined for s in done), "left": sum(s.left for s in done)}
    return Done(state=_did(sum(counts.values())), items=sum(counts.values()), counts=_present(counts))


def _qualify(session: Session, _job: Job) -> Done:
    from sfactl.leads.qualification_usecases import qualify

    counts = {step.to.upper(): step.qualified for step in qualify(session).steps}
    return Done(state=_did(sum(counts.values())), items=sum(counts.values()), counts=_present(counts))


def _pool(session: Session, _job: Job) -> Done:
    from sfactl.reps.usecases import recycle, wake

    back, woken = recycle(session), wake(session)
    counts = {"returned": len(back.returned), "asleep": len(back.asleep), "woken": len(woken.done)}
    return Done(state=_did(sum(counts.values())), items=sum(counts.values()), counts=_present(counts))


def _assign(session: Session, _job: Job) -> Done:
    from sfactl.reps.usecases import run

    done = run(session)
    counts = _present({"given": done.given, "waiting": done.waiting})
    plan_id = done.plan_id if done.given else None
    return Done(state=_did(done.given), items=done.given, counts=counts, plan_id=plan_id)


def _sla(session: Session, _job: Job) -> Done:
    from sfactl.reps.usecases import pass_on

    done = pass_on(session)
    stays = f"{len(done.stays):,} overdue and nobody else could take them" if done.stays else ""
    return Done(
        state=_did(len(done.moved)),
        items=len(done.moved),
        counts=_present({"passed on": len(done.moved)}),
        detail=stays,
    )


def _tags(session: Session, _job: Job) -> Done:
    from sfactl.portrait.usecases.deriving import derive

    changed = derive(session).changed
    return Done(state=_did(changed), items=changed, counts=_present({"changed": changed}))


def _surveys(session: Session, _job: Job) -> Done:
    from sfactl.surveys.usecases import alert

    opened = len(alert(session).opened)
    return Done(state=_did(opened), items=opened, counts=_present({"opened": opened}))


def _cases(session: Session, _job: Job) -> Done:
    """Open cases from the mailbox and forms that ``cases.toml`` names, then tell customers what happened to theirs."""
    from sfactl.cases.usecases import acknowledge, fetch_case_mail, open_posted
    from sfactl.config.cases import read_cases

    rules = read_cases(session.folder)
    counts: dict[str, int] = {}
    if rules.mail.mailbox:
        read = fetch_case_mail(session, rules.mail.mailbox)
        counts = {"opened": read.opened, "answers": read.heard, "strangers": read.strangers}
    if rules.forms:
        counts["opened"] = counts.get("opened", 0) + open_posted(session).opened
    detail, partly = "", False
    if rules.notices is not None and rules.told:
        try:
            told = acknowledge(session)
        except PolicyError as err:
            detail = err.message
        else:
            counts |= {"told": told.accepted, "refused": told.refused, "unknown": told.unknown, "left": told.left}
            partly, detail = told.partly, told.stopped
    items = counts.get("opened", 0) + counts.get("answers", 0) + counts.get("told", 0)
    return Done(state="partly" if partly else _did(items), items=items, counts=_present(counts), detail=detail)


def _erp(session: Session, job: Job) -> Done:
    from sfactl.orders.usecases import pull, push

    sent = push(session, job.object)
    got = pull(session, job.object)
    rejected = (*got.invoices.rejected, *got.payments.rejected)
    counts = {
        "orders": sent.orders,
        "customers": sent.customers,
        "products": sent.products,
        "cancelled": sent.cancelled,
        "recovered": sent.recovered,
        "invoices": got.invoices.new + got.invoices.updated,
        "payments": got.payments.new + got.payments.updated,
    }
    undone = [f"{row.what}: {row.reason}" for row in sent.undone[:3]]
    more = len(sent.undone) - len(undone)
    said = [*undone, f"and {more:,} more" if more else "", f"{len(rejected):,} rows rejected" if rejected else ""]
    moved = sum(counts.values())
    return Done(
        state="partly" if sent.undone or rejected else _did(moved),
        items=moved,
        counts=_present(counts),
        detail=" · ".join(text for text in said if text),
    )


def _did(items: int) -> State:
    return "done" if items else "nothing"


def _present(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if n}


_DOERS: Mapping[str, Callable[[Session, Job], Done]] = {
    "source": _source,
    "mailbox": _mailbox,
    "collect": _collect,
    "dedupe": _dedupe,
    "scores": _scores,
    "segments": _segments,
    "qualify": _qualify,
    "pool": _pool,
    "assign": _assign,
    "sla": _sla,
    "tags": _tags,
    "strategy": strategy,
    "campaign": campaign,
    "surveys": _surveys,
    "cases": _cases,
    "erp": _erp,
}
