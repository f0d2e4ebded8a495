-- One row is a line of the quote $quote_id.
select line_no, sku, description, quantity, list_price, unit_price, discount_percent, amount, cost
from quote_lines
where quote_id = $quote_id
order by line_no
