-- One row: a class with its customers and their means.
select class, count(*) as customers, avg(days) as days, avg(orders) as orders, avg(value) as value
from {fresh}
group by class
