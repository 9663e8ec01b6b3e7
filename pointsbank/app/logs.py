"""Logs: one JSON object a line on standard error, with named fields only, so that no personal data slips in."""

import json
import logging
from datetime import UTC, datetime

FIELDS = ("request_id", "route", "status", "ms", "code", "incident", "actor_id", "community_id", "verb", "subject")
"""What a log call may add through `extra`; anything else is dropped."""


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str) -> None:
    """Send everything that is logged through one handler."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("tortoise").setLevel(logging.WARNING)  # it tells of each closing
