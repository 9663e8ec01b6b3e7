"""The JSON Schema of scoring table files, published as seed_data/scoring/schema.json."""

import json
from typing import Any

import msgspec

from pointsbank.scoring.rules import FIELD_LABELS, Table


def schema() -> dict[str, Any]:
    """What msgspec tells of the structs, with the Chinese name of each key."""
    found: dict[str, Any] = msgspec.json.schema(Table)
    for part in found["$defs"].values():
        part.pop("description", None)  # docstrings are for readers of the code
        for key, told in part.get("properties", {}).items():
            told["title"] = FIELD_LABELS[key]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "积分表文件", **found}


def text() -> str:
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
