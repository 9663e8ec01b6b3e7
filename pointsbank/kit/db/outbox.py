"""What must happen after a commit: an action puts a message here, a job hands it over, at least once.

An action may touch nothing but its own statements; what it wants done in the world outside waits in this table, and is
there if and only if the action was committed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db.command import Tx

AT_ONCE = 200

PUT = "INSERT INTO outbox (topic, facts, at) VALUES (?, ?, ?)"
WAITING = f"SELECT id, topic, facts FROM outbox WHERE done_at IS NULL ORDER BY id LIMIT {AT_ONCE}"
DONE = "UPDATE outbox SET done_at = ? WHERE id = ? AND done_at IS NULL"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Message(msgspec.Struct, frozen=True):
    """Its id tells a repeat: after a crash the same message is handed over again."""

    id: int
    topic: str
    facts: dict[str, Any]


async def put(tx: Tx, topic: str, **facts: Any) -> None:
    """Have this handed over once the transaction is committed; facts are plain and impersonal."""
    await tx.run(PUT, topic, _encode(facts).decode(), tx.now)


async def mark_done(tx: Tx, *, ids: Sequence[int]) -> int:
    """Take messages off the list; returns how many were still on it."""
    marked = 0
    for message_id in ids:
        marked += await tx.run(DONE, tx.now, message_id)
    return marked


async def deliver(hand_over: Callable[[Message], None]) -> int:
    """Hand over what waits, oldest first; returns how much, 0 when nothing waits."""
    waiting = [Message(number, topic, _decode(facts)) for number, topic, facts in await db.rows(WAITING)]
    for message in waiting:
        hand_over(message)
    if waiting:
        await db.write(mark_done, ids=[message.id for message in waiting])
    return len(waiting)
