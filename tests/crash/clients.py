"""Sixty-four clients that go on asking, whatever happens to the server.

A request that got no answer is sent again with the same key until it gets one, as a counter's page would do it.
"""

import asyncio
import contextlib
import json
import random
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.commands import request
from tests.bench.town import CLIENTS, Staff, Town
from tests.crash.book import Book

ANSWER_SECONDS = 15
PAUSE_SECONDS = 0.1  # sixty-four who knock without a pause keep a server from coming up
REFUSED = {400, 403, 404, 409, 410}
LATER = {429, 503}
ORDERS, CHECK_INS, UNDOS = 6, 4, 2


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Asked:
    """A request, and what is noted when it was granted."""

    text: bytes
    granted: Callable[[Answer], None]


@dataclass
class Client:
    """Has a counter, members and activities to itself, so that nobody else's work decides what it may do."""

    number: int
    town: Town
    port: int
    book: Book
    chance: random.Random
    pending: Asked | None = None
    last_order: int | None = None
    present: dict[int, int] = field(default_factory=dict)
    visited: dict[int, int] = field(default_factory=dict)
    has_stopped: bool = False

    def __post_init__(self) -> None:
        self.clerk: Staff = self.town.counter_staff[self.number]
        self.organiser: Staff = self.town.organisers[self.number]
        self.counter_id = self.town.counter_ids[self.number]
        self.cards = [member.card for member in self.town.members[self.number :: CLIENTS]]
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def work(self) -> None:
        """Ask until told to stop; what was asked last is seen through."""
        while self.pending is not None or not self.has_stopped:
            self.pending = self.pending or self._next()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await self._send(self.pending.text)
            except (OSError, asyncio.IncompleteReadError):
                self.hang_up()
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if answer.status in LATER:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self._note(self.pending, answer)
            self.pending = None
        self.hang_up()

    def hang_up(self) -> None:
        """At once: to wait for the other end would be one more place in which to be stopped."""
        if self.streams is not None:
            self.streams[1].transport.abort()
            self.streams = None

    async def _send(self, text: bytes) -> Answer:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(text)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body)

    def _note(self, asked: Asked, answer: Answer) -> None:
        self.book.replayed += "idempotent-replayed" in answer.headers
        if answer.status in REFUSED:
            self.book.refused[answer.json["code"] if answer.body[:1] == b"{" else str(answer.status)] += 1
        elif answer.status in {200, 201, 303}:
            asked.granted(answer)
        else:
            self.book.surprises.append(f"{answer.status} {answer.body[:300]!r}")

    def _next(self) -> Asked:
        asks = [self._order, self._check_in_or_out, self._undo]
        weights = [ORDERS, CHECK_INS, UNDOS if self.last_order is not None else 0]
        return self.chance.choices(asks, weights)[0]()

    def _order(self) -> Asked:
        def granted(answer: Answer) -> None:
            made = answer.json
            if made["order"] in self.book.orders:
                self.book.surprises.append(f"order {made['order']} was answered to two requests")
            self.book.orders[made["order"]] = made["points"]
            self.last_order = made["order"]

        lines = [{"good": self.chance.choice(self.town.good_ids), "quantity": self.chance.randint(1, 2)}]
        body = {"lines": lines, "code": self.chance.choice(self.cards)}
        return self._post(f"/api/redemption/counters/{self.counter_id}/orders", self.clerk, body, granted)

    def _check_in_or_out(self) -> Asked:
        who = self.chance.randrange(len(self.cards))
        body = {"code": self.cards[who]}
        if who in self.present:
            return self._post(f"/api/events/{self.present[who]}/check-outs", self.organiser, body, self._left(who))
        activity_id = self.town.activity_ids[self.visited.get(who, 0) % len(self.town.activity_ids)]
        granted = self._came(who, activity_id)
        return self._post(f"/api/events/{activity_id}/check-ins", self.organiser, body, granted)

    def _came(self, who: int, activity_id: int) -> Callable[[Answer], None]:
        def granted(answer: Answer) -> None:
            self.book.came.add(answer.json["attendance"])
            self.present[who] = activity_id
            self.visited[who] = self.visited.get(who, 0) + 1

        return granted

    def _left(self, who: int) -> Callable[[Answer], None]:
        def granted(answer: Answer) -> None:
            self.book.left.add(answer.json["attendance"])
            del self.present[who]

        return granted

    def _undo(self) -> Asked:
        """By the counter's page: a form with a cookie."""
        order_id = self.last_order
        assert order_id is not None
        self.last_order = None

        def granted(answer: Answer) -> None:
            if f"undone={order_id}" not in answer.headers.get("location", ""):
                self.book.surprises.append(f"undo of {order_id}: {answer.status} {answer.headers}")
            self.book.undone.add(order_id)

        form = f"request_key={secrets.token_urlsafe(16)}&reason=1".encode()
        head = (
            f"POST /redemption/orders/{order_id}/undo HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
            f"Cookie: sid={self.clerk.cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(form)}\r\n\r\n"
        )
        return Asked(head.encode() + form, granted)

    @staticmethod
    def _post(path: str, staff: Staff, body: dict[str, Any], granted: Callable[[Answer], None]) -> Asked:
        text = json.dumps({**body, "request_key": secrets.token_urlsafe(16)}).encode()
        return Asked(request("POST", path, staff.token, text), granted)


@contextlib.asynccontextmanager
async def at_work(clients: list[Client], *, to_the_end: bool = True) -> AsyncIterator[None]:
    """The clients work while the block runs; afterwards they see through what they have asked, or drop it."""
    tasks = [asyncio.create_task(client.work()) for client in clients]
    try:
        yield
        for client in clients:
            client.has_stopped = to_the_end
        if to_the_end:
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            client.hang_up()
