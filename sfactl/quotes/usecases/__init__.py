"""What can be done with products, price books and quotes."""

from sfactl.quotes.usecases.acceptance import accept
from sfactl.quotes.usecases.prices import check_prices, list_books, show_price
from sfactl.quotes.usecases.products import import_products, list_products, show_product
from sfactl.quotes.usecases.quoting import approve, create, list_quotes, reject, revise, send, show

__all__ = [
    "accept",
    "approve",
    "check_prices",
    "create",
    "import_products",
    "list_books",
    "list_products",
    "list_quotes",
    "reject",
    "revise",
    "send",
    "show",
    "show_price",
    "show_product",
]
