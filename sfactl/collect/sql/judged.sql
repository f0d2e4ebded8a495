-- One row per act, with the reason why no person did it; null where nothing speaks against a person. What a person says is
-- never judged: a mail program may press the button for them. Reads acts, and bursts, trapped and hasty of them.
select
    a.*,
    case
        when a.deed not in ('open', 'click') then null
        when a.method = 'HEAD' then 'asked for the head only'
        when a.ahead then 'fetched ahead'
        when a.robot then 'robot by name'
        when t.id is not null then 'followed a hidden link'
        when b.id is not null then 'followed three links in five seconds'
        when h.id is not null then 'came within five seconds of the sending'
    end as scanner
from acts a
left join trapped t on t.id = a.id
left join bursts b on b.id = a.id
left join hasty h on h.id = a.id
