-- One row is something that happened with some leads, contacts, accounts and deals. Their numbers fill the places in
-- braces, so that files and row groups that cannot hold them are not read.
with mine as (
    select order_id, cast("at" as timestamp) as "at", status, product_name, amount, currency, owner, cancelled_at, lead_id
    from orders
    where lead_id in ({leads}) or contact_id in ({contacts}) or account_id in ({accounts})
        or opportunity_id in ({deals})
),
owed as (
    select * from receivables
    where order_id in (select order_id from mine) or account_id in ({accounts})
),
happened as (
    select t.at, 'touch' as kind, t.kind as what,
        concat_ws(' · ', t.content, t.text, t.campaign) as detail, t.actor, 'lead:' || t.lead_id as about,
        t.event_id as ref
    from touchpoints as t
    where t.lead_id in ({leads}) or t.contact_id in ({contacts}) or t.account_id in ({accounts})
    union all
    select m.at, 'message', m.channel || ' ' || m.state,
        concat_ws(' · ', m.campaign, m.step, m.recipient, m.detail), m.sender, 'lead:' || m.lead_id, m.message_key
    from messages as m
    where m.lead_id in ({leads})
    union all
    select e.at, 'stage', coalesce(e.from_stage || ' → ', '') || e.to_stage,
        concat_ws(' · ', e.reason, e.cause), e.actor, e.entity || ':' || e.entity_id, e.event_id
    from stage_events as e
    where (e.entity = 'lead' and e.entity_id in ({leads}))
        or (e.entity = 'opportunity' and e.entity_id in ({deals}))
    union all
    select f.at, 'field', f.field,
        coalesce(f.old_value, 'empty') || ' → ' || coalesce(f.new_value, 'empty'), f.actor,
        f.entity || ':' || f.entity_id, f.event_id
    from field_events as f
    where (f.entity = 'lead' and f.entity_id in ({leads}))
        or (f.entity = 'contact' and f.entity_id in ({contacts}))
        or (f.entity = 'account' and f.entity_id in ({accounts}))
        or (f.entity = 'opportunity' and f.entity_id in ({deals}))
    union all
    select s.at, 'assignment', coalesce('to ' || s.rep_id, 'back to the queue'),
        concat_ws(' · ', s.strategy, s.reason, 'from ' || s.previous_rep_id), null,
        s.entity || ':' || s.entity_id, s.event_id
    from assignments as s
    where (s.entity = 'lead' and s.entity_id in ({leads}))
        or (s.entity = 'account' and s.entity_id in ({accounts}))
        or (s.entity = 'opportunity' and s.entity_id in ({deals}))
    union all
    select k.created_at, 'task', k.kind || ' ' || 'opened',
        concat_ws(' · ', k.title, 'due ' || strftime(k.due_at, '%Y-%m-%d')), k.owner, 'lead:' || k.lead_id, k.task_id
    from tasks as k
    where k.lead_id in ({leads}) or k.opportunity_id in ({deals})
    union all
    select k.done_at, 'task', k.kind || ' ' || k.state, concat_ws(' · ', k.title, k.result), k.owner,
        'lead:' || k.lead_id, k.task_id
    from tasks as k
    where k.done_at is not null and (k.lead_id in ({leads}) or k.opportunity_id in ({deals}))
    union all
    select x.at, 'action', x.kind || ' ' || x.action, concat_ws(' · ', x.rule, x.reason), x.actor,
        'lead:' || x.lead_id, x.event_id
    from next_action_events as x
    where x.lead_id in ({leads})
    union all
    select g.at, 'tag', g.tag || coalesce('=' || g.value, ''),
        concat_ws(' · ', g.source, g.note, 'until ' || strftime(g.expires_at, '%Y-%m-%d')), g.author,
        g.entity || ':' || g.entity_id, g.tag
    from tags as g
    where g.entity_id in ({anyone})
        and (g.lead_id in ({leads}) or g.contact_id in ({contacts}) or g.account_id in ({accounts}))
    union all
    select i.at, 'intent', i.label, 'confidence ' || printf('%.2f', i.confidence), i.extractor,
        'lead:' || i.lead_id, i.event_id
    from intents as i
    where i.lead_id in ({leads}) or i.contact_id in ({contacts}) or i.account_id in ({accounts})
    union all
    select s.at, 'score', s.score || ' ' || printf('%g', s.points),
        case when s.previous is null then 'first' else 'was ' || printf('%g', s.previous) end, null,
        'lead:' || s.lead_id, s.event_id
    from score_events as s
    where s.lead_id in ({leads})
    union all
    select p.created_at, 'deal', 'opened', concat_ws(' · ', p.name, p.stage, p.currency || ' ' || regexp_replace(cast(p.amount as varchar), '\.?0+$', '')), p.owner,
        'opportunity:' || p.opportunity_id, 'opportunity:' || p.opportunity_id
    from opportunities as p
    where p.opportunity_id in ({deals})
    union all
    select q.created_at, 'quote', q.state, concat_ws(' ', q.currency, regexp_replace(cast(q.total as varchar), '\.?0+$', '')), q.owner,
        'opportunity:' || q.opportunity_id, 'quote:' || q.quote_id
    from quotes as q
    where q.opportunity_id in ({deals}) or q.account_id in ({accounts})
        or q.contact_id in ({contacts}) or q.lead_id in ({leads})
    union all
    select m."at", 'order', 'ordered', concat_ws(' · ', m.product_name, m.currency || ' ' || regexp_replace(cast(m.amount as varchar), '\.?0+$', '')), m.owner,
        'order:' || m.order_id, 'order:' || m.order_id
    from mine as m
    union all
    select m.cancelled_at, 'order', 'cancelled', m.product_name, m.owner, 'order:' || m.order_id, 'order:' || m.order_id
    from mine as m
    where m.cancelled_at is not null
    union all
    select cast(k.signed_on as timestamp), 'contract', k.number, concat_ws(' · ', k.signed_by, 'until ' || strftime(k.ends_on, '%Y-%m-%d')),
        k.made_by, 'order:' || k.order_id, 'contract:' || k.contract_id
    from contracts as k
    where k.order_id in (select order_id from mine)
    union all
    select cast(r.invoiced_on as timestamp), 'invoice', coalesce(r.invoice_number, r.receivable_id),
        concat_ws(' · ', r.currency || ' ' || regexp_replace(cast(r.amount as varchar), '\.?0+$', ''), 'due ' || strftime(r.due_on, '%Y-%m-%d'), r.state), null,
        'order:' || r.order_id, r.receivable_id
    from owed as r
    union all
    select cast(y.paid_on as timestamp), 'payment', y.kind,
        concat_ws(' · ', y.currency || ' ' || regexp_replace(cast(y.amount as varchar), '\.?0+$', ''), y.reference), null, 'account:' || y.account_id, y.receipt_id
    from receipts as y
    where y.account_id in ({accounts})
        or y.receipt_id in (
            select n.receipt_id from allocations as n where n.receivable_id in (select receivable_id from owed)
        )
    union all
    select e."at", 'case', concat_ws(' ', e.kind, case when e.from_status is not null then e.from_status || ' →' end, e.to_status),
        concat_ws(' · ', c.subject, e.new_value, e.reason, e.text), e.actor, 'case:' || c.case_id, e.event_id
    from cases as c
    join case_events as e on e.case_id = c.case_id
    where c.lead_id in ({leads}) or c.contact_id in ({contacts}) or c.account_id in ({accounts})
    union all
    select g.at, 'merge', g.entity || ':' || g.merged_id || ' came in', g.reason, g.actor,
        g.entity || ':' || g.survivor_id, 'merge:' || g.merge_id
    from merges as g
    where (g.entity = 'lead' and g.survivor_id in ({leads}))
        or (g.entity = 'contact' and g.survivor_id in ({contacts}))
        or (g.entity = 'account' and g.survivor_id in ({accounts}))
)
select "at", kind, what, detail, actor, about, ref
from happened
where "at" <= $now
