"""All routes of this room, by audience."""

from typing import Any

from pointsbank.redemption import routes_api, routes_counter, routes_day, routes_passbook, routes_receipt, routes_shop

handlers: list[Any] = [
    *routes_counter.handlers,
    *routes_receipt.handlers,
    *routes_day.handlers,
    *routes_passbook.handlers,
    *routes_shop.handlers,
    *routes_api.handlers,
]
