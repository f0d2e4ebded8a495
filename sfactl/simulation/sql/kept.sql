-- One row per message that a run sent, as narrow as the simulation keeps it. Reads sim_new_sent and sim_sorts.
select n.lead_id, n.rotation, n.recipient, n."at", cast(s.sort_no as smallint) as sort_no
from sim_new_sent n
join sim_sorts s on s.step is not distinct from n.step and s.channel is not distinct from n.channel
    and s.sender is not distinct from n.sender and s.state is not distinct from n.state
