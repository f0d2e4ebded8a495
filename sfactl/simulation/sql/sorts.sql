-- One row per sort of message (step, channel, sender, state) that a run sent and sim_sorts does not have yet, numbered on.
select (select count(*) from sim_sorts) + row_number() over (order by n.step, n.channel, n.sender, n.state) as sort_no,
    n.step, n.channel, n.sender, n.state
from (select distinct step, channel, sender, state from sim_new_sent) n
left join sim_sorts s on s.step is not distinct from n.step and s.channel is not distinct from n.channel
    and s.sender is not distinct from n.sender and s.state is not distinct from n.state
where s.sort_no is null
