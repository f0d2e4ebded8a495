-- One row is a deviation with the rows that show it.
select
    $prefix || d.case_id as "case",
    d.kind,
    case
        when d.kind = 'too often' then n.name
        when d.deadline is not null then b.name || ' → ' || n.name || ' within ' || w.within
        else b.name || ' → ' || n.name
    end as what,
    d.moment as "at",
    d.dataset || ' ' || d.row_key as "row",
    d.dataset_before || ' ' || d.row_key_before as row_before,
    case when d.deadline is not null then d.over_us / 86400000000.0 end as over_days
from deviations d
left join activity_name b on b.number = d.number_before
left join activity_name n on n.number = d.number
left join deadline_name w on w.deadline = d.deadline
where $kind = '' or d.kind = $kind
order by d.case_id, d.place, d.kind, d.number
