"""What a command is, on both databases: its action, its caller's key, and the stored answer of a repeat."""

import functools
import hashlib
import re
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol, TypeVar, get_type_hints

import msgspec

from pointsbank.kit import crypto
from pointsbank.kit.db import answers
from pointsbank.kit.errors import KeyReused, Kind, Refusal

acting: ContextVar[bool] = ContextVar("acting", default=False)
"""True inside actions, and in whatever task one of them starts."""

Action = TypeVar("Action", bound=Callable[..., Coroutine[Any, Any, Any]])

STORED_REFUSALS = {Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT, Kind.EXPIRED, Kind.LIMITED}


DIGEST_BYTES = 16
REQUEST_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Misuse(Exception):
    """A rule of the write path was broken: a programming error, answered with 500."""


class RequestKeyUnfit(Refusal):
    kind = Kind.INVALID
    code = "request_key_unfit"
    message = "请求号要有 8 到 64 个字母、数字、横线或下划线。请刷新页面后再试。"


class Row(Protocol):
    """A row of either database: by index, by name, and unpacked."""

    def __getitem__(self, key: int | str, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


class Actor(msgspec.Struct, frozen=True):
    """Who answers for a command, as ids; all None for a job."""

    person_id: int | None = None
    session_id: int | None = None
    device_id: int | None = None

    @property
    def caller(self) -> str:
        """Whose request keys these are: a person keeps them across sign-ins."""
        if self.person_id is not None:
            return f"p{self.person_id}"
        return f"d{self.device_id}" if self.device_id is not None else "system"


NOBODY = Actor()


class Client(Protocol):
    """What an action may ask of a database; the ORM takes the same object as `using_db`."""

    async def row(self, sql: str, /, *values: Any) -> Row | None: ...
    async def rows(self, sql: str, /, *values: Any) -> list[Row]: ...
    async def run(self, sql: str, /, *values: Any) -> int: ...


class Tx:
    """A transaction that is open: an action's first parameter. `?` stands for a value on both databases.

    `row` answers the first row or None, also of INSERT and UPDATE … RETURNING; `rows` all of them; `run` how many
    rows were touched, without those of triggers. They are the client's own: an order makes 26 such calls.
    """

    __slots__ = ("actor", "db", "now", "row", "rows", "run", "stale")

    def __init__(self, client: Client, now: datetime, actor: Actor) -> None:
        self.db: Any = client  # for the ORM: using_db=tx.db
        self.now, self.actor = now, actor
        self.row, self.rows, self.run = client.row, client.rows, client.run
        self.stale: list[str] = []

    def made_stale(self, name: str) -> None:
        """Have copies of `name` that processes hold in memory dropped, once this is committed."""
        self.stale.append(name)


class Command(msgspec.Struct, frozen=True):
    """`caller` and `digest` are of use with a request key only."""

    action: Callable[..., Coroutine[Any, Any, Any]]
    actor: Actor
    request_key: str | None
    facts: dict[str, Any]
    caller: str = ""
    digest: bytes = b""


class Replay(msgspec.Struct, frozen=True):
    """The answer that this key got the first time."""

    value: Any


class _StoredRefusal(msgspec.Struct):
    code: str
    facts: dict[str, Any]


class Again(Exception):
    """A refusal that this key got the first time."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


_ways: dict[Callable[..., Any], dict[str, Callable[[Any], Any]]] = {}
_encode = msgspec.json.Encoder(order="deterministic").encode
_refusal = msgspec.json.Decoder(_StoredRefusal).decode


@functools.cache
def _answer_decoder(action: Callable[..., Any]) -> Callable[[bytes], Any]:
    return answers.reader(get_type_hints(action)["return"])


@functools.cache
def _name(action: Callable[..., Any]) -> bytes:
    return f"{action.__module__}.{action.__qualname__}".encode()


def reads(**ways: Callable[[Any], Any]) -> Callable[[Action], Action]:
    """Have these facts of an action read before its turn: `@reads(code=read_code)`.

    Whoever calls `write` hands in what was scanned or typed, and the action gets what became of it; None stays None.
    A way to read needs no row, and refuses nothing.
    """

    def mark(action: Action) -> Action:
        _ways[action] = ways
        return action

    return mark


def prepare(
    action: Callable[..., Coroutine[Any, Any, Any]], actor: Actor, request_key: str | None, facts: dict[str, Any]
) -> Command:
    """Make ready before its turn, since a turn holds up all others. Refuses RequestKeyUnfit."""
    if request_key is None:
        return Command(action, actor, None, _read(action, facts))
    if REQUEST_KEY.fullmatch(request_key) is None:
        raise RequestKeyUnfit
    return Command(action, actor, request_key, _read(action, facts), actor.caller, _digest(action, facts))


def _read(action: Callable[..., Any], facts: dict[str, Any]) -> dict[str, Any]:
    ways = _ways.get(action)
    if ways is None:
        return facts
    return facts | {name: way(facts[name]) for name, way in ways.items() if facts.get(name) is not None}


def _digest(action: Callable[..., Any], facts: dict[str, Any]) -> bytes:
    """Fingerprint of what was asked, so that a key cannot be reused for something else.

    Keyed: the facts may hold a card's digits, which could be found by trying from a plain hash.
    """
    asked = _name(action) + _encode(facts)
    # Many times as fast as an HMAC of so short a text. Half of it tells what was asked from anything else.
    return hashlib.blake2b(asked, key=crypto.held().derive("command"), digest_size=32).digest()[:DIGEST_BYTES]


TAKE = """
INSERT INTO command (caller, request_key, digest, is_refused, answer) VALUES (?, ?, ?, FALSE, ?)
ON CONFLICT (caller, request_key) DO NOTHING
"""
STORED = "SELECT digest, is_refused, answer FROM command WHERE caller = ? AND request_key = ?"
ANSWER = "UPDATE command SET answer = ? WHERE caller = ? AND request_key = ?"
REFUSED = """
INSERT INTO command (caller, request_key, digest, is_refused, answer) VALUES (?, ?, ?, TRUE, ?)
ON CONFLICT (caller, request_key) DO NOTHING
"""


async def perform(tx: Tx, command: Command) -> Any:
    """Take the key, act, store the answer: three steps of one transaction; the key row is taken first of all rows."""
    key = command.request_key
    if key is None:
        return await command.action(tx, **command.facts)
    if await tx.run(TAKE, command.caller, key, command.digest, b"") == 0:
        return await _stored(tx, command)
    result = await command.action(tx, **command.facts)
    await tx.run(ANSWER, answers.stored(result), command.caller, key)
    return result


async def _stored(tx: Tx, command: Command) -> Replay:
    stored = await tx.row(STORED, command.caller, command.request_key)
    assert stored is not None
    if bytes(stored["digest"]) != command.digest:
        raise Again(KeyReused())
    answer = bytes(stored["answer"])
    if stored["is_refused"]:
        refusal = _refusal(answer)
        raise Again(Refusal.known[refusal.code](**refusal.facts))
    return Replay(_answer_decoder(command.action)(answer))


def is_stored(command: Command, refused: Exception) -> bool:
    """Whether this refusal is the final answer to its key."""
    return command.request_key is not None and isinstance(refused, Refusal) and refused.kind in STORED_REFUSALS


async def store_refusal(tx: Tx, command: Command, refusal: Refusal) -> int:
    """Keep a refusal under its key, after all that its action did was rolled back; 0 if a twin came first."""
    answer = _encode(_StoredRefusal(refusal.code, refusal.facts))
    return await tx.run(REFUSED, command.caller, command.request_key, command.digest, answer)
