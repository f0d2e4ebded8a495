-- One row is a product as the ERP should know it.
select sku, coalesce(name, sku) as name, coalesce(unit, 'unit') as unit
from products
where list_contains($skus, sku)
order by sku
