"""The JSON Schema of scoring table files, published as seed_data/scoring/schema.json."""

import json
from typing import Any

import msgspec

from pointsbank.scoring.rules import FIELD_LABELS, Item, Table
from pointsbank.scoring.rules_ranges import EACH_RANGE, EACH_WORDS, FREE_WORDS, PATTERNS, RANGES, WORDS, Struct
from pointsbank.scoring.rules_table import PARTS

Limits = dict[str, dict[str, Any]]


def schema() -> dict[str, Any]:
    """What msgspec tells of the structs, with the Chinese name of each key, and what the checker asks of its value."""
    found: dict[str, Any] = msgspec.json.schema(Table)
    for part in found["$defs"].values():
        part.pop("description", None)  # docstrings are for readers of the code
        for key, told in part.get("properties", {}).items():
            told["title"] = FIELD_LABELS[key]
    for struct in (Table, Item, *PARTS):
        keys = found["$defs"][struct.__name__]["properties"]
        for key, limits in _limits(struct).items():
            keys[key] |= limits
        for key, limits in _limits_of_each(struct).items():
            keys[key]["items"] |= limits
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "积分表文件", **found}


def _limits(struct: Struct) -> Limits:
    return {
        **{key: _within(*span) for key, span in RANGES.get(struct, {}).items()},
        **{key: _written(most) for key, most in WORDS.get(struct, {}).items()},
        **{key: {"maxLength": most} for key, most in FREE_WORDS.get(struct, {}).items()},
        **{key: {"pattern": f"^({one.pattern})$"} for key, one in PATTERNS.get(struct, {}).items()},
    }


def _limits_of_each(struct: Struct) -> Limits:
    return {
        **{key: _within(*span) for key, span in EACH_RANGE.get(struct, {}).items()},
        **{key: _written(most) for key, most in EACH_WORDS.get(struct, {}).items()},
    }


def _within(least: int, most: int) -> dict[str, Any]:
    return {"minimum": least, "maximum": most}


def _written(most: int) -> dict[str, Any]:
    return {"maxLength": most, "pattern": r"\S"}


def text() -> str:
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
