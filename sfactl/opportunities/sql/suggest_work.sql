-- One row: how many pairs and sets of three there are in all baskets.
select coalesce(sum(width * (width - 1) / 2.0), 0) as pairs,
       coalesce(sum(width * (width - 1) * (width - 2) / 6.0), 0) as sets
from (select distinct basket, width from held) as each_basket
