"""How the answer of a command is kept: as JSON, a struct without the names of its fields, for its type knows them.

Keys are kept for ever, so these bytes are most of what an order leaves behind. What was stored with names is read
too. A struct that is answered may gain fields at its end, with a default; none is moved or taken away. Some are known
to `trail.verify` by how many fields they have, and one that was stored before it grew has to be known still.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

PLAIN = frozenset({int, str, bool, type(None)})
"""Most of what any answer holds; told first, since every order is answered."""

_encode = msgspec.json.Encoder().encode


def stored(answer: Any) -> bytes:
    return _encode(_nameless(answer))


def reader(kind: Any) -> Callable[[bytes], Any]:
    """What reads answers of this type again."""
    told = inspect.type_info(kind)

    def read(answer: bytes) -> Any:
        return msgspec.convert(_named(msgspec.json.decode(answer), told), kind)

    return read


def _nameless(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.astuple(value)
    if isinstance(value, list | tuple):
        return [one if type(one) in PLAIN else _nameless(one) for one in value]
    if isinstance(value, dict):
        return {key: _nameless(one) for key, one in value.items()}
    return value


def _named(value: Any, told: inspect.Type) -> Any:
    match told:
        case inspect.StructType(fields=fields):
            given = dict(zip((field.encode_name for field in fields), value, strict=False))
            said = value if isinstance(value, dict) else given
            return {
                field.encode_name: _named(said[field.encode_name], field.type)
                for field in fields
                if field.encode_name in said
            }
        case inspect.UnionType(types=kinds) if value is not None:
            others = [kind for kind in kinds if not isinstance(kind, inspect.NoneType)]
            return _named(value, others[0]) if len(others) == 1 else value
        case inspect.CollectionType(item_type=kind):
            return [_named(one, kind) for one in value]
        case inspect.TupleType(item_types=kinds):
            return [_named(one, kind) for one, kind in zip(value, kinds, strict=True)]
        case inspect.DictType(value_type=kind):
            return {key: _named(one, kind) for key, one in value.items()}
        case _:
            return value
