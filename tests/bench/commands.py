"""What the clients ask for: the same orders and check-ins as facts for the writer and as bytes for HTTP."""

import random
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec

from pointsbank.events.routes_api import CodeBody
from pointsbank.redemption.routes_api import OrderBody
from pointsbank.redemption.rules import Line
from tests.bench.town import Staff, Town

encode = msgspec.json.encode


class Order(msgspec.Struct, frozen=True):
    staff: Staff
    counter_id: int
    body: OrderBody

    def facts(self, town: Town) -> dict[str, Any]:
        """As the route hands them to `db.write`."""
        return {
            "actor": self.staff.actor,
            "request_key": self.body.request_key,
            "counter_id": self.counter_id,
            "lines": self.body.lines,
            "community_ids": (town.community_id,),
            "visit": None,
            "code": self.body.code,
        }

    @property
    def path(self) -> str:
        return f"/api/redemption/counters/{self.counter_id}/orders"


class CheckIn(msgspec.Struct, frozen=True):
    staff: Staff
    activity_id: int
    body: CodeBody

    def facts(self, town: Town) -> dict[str, Any]:
        return {
            "actor": self.staff.actor,
            "request_key": self.body.request_key,
            "activity_id": self.activity_id,
            "code": self.body.code,
            "community_ids": (town.community_id,),
        }

    @property
    def path(self) -> str:
        return f"/api/events/{self.activity_id}/check-ins"


def new_key() -> str:
    return secrets.token_urlsafe(16)


def orders(town: Town, count: int, chance: random.Random) -> list[Order]:
    made = []
    for number in range(count):
        body = OrderBody(
            lines=[Line(quantity=1, good=chance.choice(town.good_ids))],
            request_key=new_key(),
            code=chance.choice(town.members).card,
        )
        staff = town.counter_staff[number % len(town.counter_staff)]
        made.append(Order(staff, town.counter_ids[number % len(town.counter_ids)], body))
    return made


def waves(town: Town, chance: random.Random) -> Iterator[list[CheckIn]]:
    """Everybody once, each wave at other activities: as many waves as there are activities."""
    for wave in range(len(town.activity_ids)):
        made = []
        for number, member in enumerate(town.members):
            activity_id = town.activity_ids[(number + wave) % len(town.activity_ids)]
            body = CodeBody(code=member.card, request_key=new_key())
            made.append(CheckIn(town.organisers[number % len(town.organisers)], activity_id, body))
        chance.shuffle(made)
        yield made


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if method == "POST":
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def posts(commands: list[Order] | list[CheckIn], path: str = "") -> list[bytes]:
    """The commands as requests, to their own addresses or all to the one that is named."""
    return [request("POST", path or each.path, each.staff.token, encode(each.body)) for each in commands]


def gets(town: Town, path: str = "") -> list[bytes]:
    """Passbooks of all members for the admin, or the same number of requests for another page."""
    return [
        request("GET", path or f"/api/ledger/people/{member.person_id}/passbooks", town.admin.token)
        for member in town.members
    ]
