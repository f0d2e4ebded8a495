-- One row: the contract $number that was signed for the order $order_id, with the ids and the amount of the order.
select cast($id as bigint) as contract_id, $number as number, order_id, quote_id, opportunity_id, account_id, contact_id,
    lead_id, cast($signed_on as date) as signed_on, nullif($signed_by, '') as signed_by, cast($ends_on as date) as ends_on,
    currency, amount, nullif($document, '') as document, nullif($digest, '') as document_sha256,
    cast($now as timestamp) as made_at, $actor as made_by
from orders
where order_id = $order_id
