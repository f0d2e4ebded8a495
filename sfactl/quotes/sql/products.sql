-- One row is a product that a quote asks for; all of them where $skus is null.
select sku, coalesce(name, sku) as name, coalesce(family, '') as family, coalesce(unit, '') as unit,
       coalesce(active, true) as active, cost, coalesce(currency, '') as currency
from products
where $skus is null or list_contains($skus, sku)
