"""The sealed forms: what of a row goes into the chain, byte for byte. Pure, and never changed for what is sealed.

A field is its length in bytes, a colon, its text in UTF-8 and a comma: `5:order,`; NULL is `-,`, and so differs from
an empty text, `0:,`. A form is its name and its fields in the order below; a list is its length and the fields of
its rows. Accounts are named by the number of their passbook or by their name in the system, a reversed entry by its
position: row ids of the ledger occur nowhere. `export_verifier.py` says the same once more, on purpose, without this.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pointsbank.kit.db.sqlite import moment_text

ENTRY = (
    "posting_key",
    "community_id",
    "kind",
    "effective_at",
    "booked_at",
    "actor_id",
    "member_id",
    "source_room",
    "source_kind",
    "source_id",
    "summary",
    "reason",
    "version_id",
    "shortfall",
    "reverses",
)
MOVE = ("source", "target", "points", "source_after", "target_after")
USE = ("account", "kind", "expires_on", "match_percent", "points")
CHANGE = ("community_id", "what", "name", "actor_id", "changed_at", "content")

GENESIS = bytes(32)
HEAD_DIGITS = 32

Values = Sequence[Any]
"""As the database gives them, or as texts already: they come out the same."""


def text(value: Any) -> str | None:
    """A value as it is sealed and exported: moments in UTC with six digits, days as ISO says, 1 and 0."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return moment_text(value)
    assert isinstance(value, date), type(value)
    return value.isoformat()


def texts(values: Iterable[Any]) -> list[str | None]:
    return [text(value) for value in values]


def _fields(values: Iterable[Any]) -> str:
    """Every entry comes by here, in the writer's own time, and a million of them when books are verified."""
    return "".join(
        [
            "-,"
            if value is None
            else f"{len(value)}:{value},"
            if value.__class__ is str and value.isascii()
            else f"{len(said)}:{said},"
            if value.__class__ is int and (said := str(value))
            else _field(text(value) or "")
            for value in values
        ]
    )


def _field(said: str) -> str:
    return f"{len(said.encode())}:{said},"


def entry_form(entry: Values, moves: Sequence[Values], uses: Sequence[Values]) -> bytes:
    """The fields of ENTRY, then of each MOVE in the order of their ids, then of each USE in the order of its names."""
    assert len(entry) == len(ENTRY)
    values = ["entry/1", *entry, len(moves)]
    for move in moves:
        values += move
    values.append(len(uses))
    for use in uses:
        values += use
    return _fields(values).encode()


def change_form(change: Values) -> bytes:
    assert len(change) == len(CHANGE)
    return _fields(("change/1", *change)).encode()


def digest(form: bytes) -> bytes:
    return hashlib.sha256(form).digest()


def link(community_id: int, position: int, previous: bytes, of_form: bytes) -> bytes:
    """The hash at a position: of the one before it and of the digest of what is sealed there."""
    head = f"6:seal/1,{len(str(community_id))}:{community_id},{len(str(position))}:{position},"
    return hashlib.sha256(head.encode() + previous + of_form).digest()


def content(facts: Mapping[str, Any]) -> str:
    """What a row says, as a change keeps it: JSON with sorted names, no spaces, one spelling for each value."""
    said = {name: int(value) if isinstance(value, bool) else value for name, value in facts.items()}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=text)
