-- One row per note of a merge of $later about a row that the table notes tells to have moved, too. Is broken: at some merge
-- the row was not where the one before had left it, because somebody gave it to another record.
with moved as (
    select dataset, "key", field, merge_id, old, new, false as is_later from notes where action = 'moved'
    union all
    select m.dataset, m."key", m.field, m.merge_id, m.old, m.new, true
    from merge_moves m join notes n on n.dataset = m.dataset and n."key" = m."key" and n.field = m.field
    where n.action = 'moved' and m.action = 'moved' and list_contains($later, m.merge_id)
),
chained as (select *, lag(new, 1, old) over (partition by dataset, "key", field order by merge_id) as left_at from moved),
judged as (
    select *, bool_or(left_at is distinct from old) over (partition by dataset, "key", field) as is_broken from chained
)
select merge_id, dataset, "key", field, is_broken from judged where is_later
