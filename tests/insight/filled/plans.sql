-- One row is a plan.
select 'P1' as plan_id, 'spring-webinar' as campaign, 'applied' as state
