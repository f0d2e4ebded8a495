"""What can be done with orders, the ERP and receivables."""

from sfactl.orders.usecases.contracts import sign
from sfactl.orders.usecases.exchange import check, list_connections
from sfactl.orders.usecases.matching import match, match_fifo, match_references
from sfactl.orders.usecases.ordering import approve, cancel, list_orders, show
from sfactl.orders.usecases.planning import plan_order
from sfactl.orders.usecases.pull import pull
from sfactl.orders.usecases.push import push
from sfactl.orders.usecases.receivables import age, balances, list_receivables, open_of_order, unmatched
from sfactl.orders.usecases.reconcile import reconcile

__all__ = [
    "age",
    "approve",
    "balances",
    "cancel",
    "check",
    "list_connections",
    "list_orders",
    "list_receivables",
    "match",
    "match_fifo",
    "match_references",
    "open_of_order",
    "plan_order",
    "pull",
    "push",
    "reconcile",
    "show",
    "sign",
    "unmatched",
]
