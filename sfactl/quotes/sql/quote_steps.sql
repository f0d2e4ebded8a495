-- One row is a step of the price of a line of the quote $quote_id.
select line_no, layer, rule, amount, coalesce(detail, '') as detail
from quote_steps
where quote_id = $quote_id
order by line_no, step_no
