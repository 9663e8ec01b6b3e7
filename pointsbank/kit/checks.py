"""What must hold between rows, said as what would break it: each check selects where, what was expected, what is."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from pointsbank.kit.db import Row

Rows = Callable[..., Awaitable[Sequence[Row]]]
"""What reads: `tx.rows`, `db.rows`, `db.slow_rows` or those of a snapshot."""

Check = tuple[int, str, str]
"""The number of an invariant on its room's door plate, what is wrong, and the SQL that finds it."""

SHOWN = 20


class Finding(msgspec.Struct, frozen=True):
    """A broken invariant: its number on the door plate, what is wrong, and where; `room` is empty for the ledger's."""

    invariant: int
    what: str
    where: str
    room: str = ""


async def broken(rows: Rows, checks: Sequence[Check], room: str = "") -> list[Finding]:
    """What these checks find, of each the first few."""
    findings = []
    for invariant, what, sql in checks:
        found: list[Any] = list(await rows(sql))[:SHOWN]
        findings += [
            Finding(invariant, what, f"{where}: expected {expected}, found {is_now}", room)
            for where, expected, is_now in found
        ]
    return findings
