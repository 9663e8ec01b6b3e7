"""Pages of stock: goods, deliveries, photos, counts and losses, and paper."""

from typing import Any

from pointsbank.stock import routes_count, routes_goods, routes_photo, routes_print, routes_receipt

handlers: list[Any] = [
    *routes_goods.handlers,
    *routes_receipt.handlers,
    *routes_photo.handlers,
    *routes_count.handlers,
    *routes_print.handlers,
]
