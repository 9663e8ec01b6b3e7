"""The process that reads one stranger's file: content on stdin, a line of JSON and what belongs to it on stdout.

Limits come before anything else, then the look at the content, and a library only for the kind that it is.
"""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pointsbank.kit.priority import give_way
from pointsbank.kit.rules_intake import FileRefused, FileTooMuch

MEMORY_BYTES_MAX = 512 * 1024 * 1024
CPU_SECONDS_MAX = 20
ROWS_A_LINE = 500


def limit() -> None:
    """Bound this process where the system can. A file of this process is never written, a core never dumped."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_SECONDS_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS has no bound of address space
            resource.setrlimit(what, (most, most))
    give_way()


def answer(what: str, first: int, second: int, content: bytes) -> Iterable[bytes]:
    if what == "photo":
        from pointsbank.kit import intake_photo  # noqa: PLC0415  # a start imports what its file needs

        made, width, height = intake_photo.read(content, side_max=first, bytes_max=second)
        return [line({"width": width, "height": height}), made]
    from pointsbank.kit import intake_sheet  # noqa: PLC0415

    sheet = intake_sheet.read(content, rows_max=first, columns_max=second)
    head = {
        "kind": sheet.kind,
        "encoding": sheet.encoding,
        "name": sheet.name,
        "merged": sheet.merged,
        "formulas": sheet.formulas,
    }
    slices = range(0, len(sheet.rows), ROWS_A_LINE)
    return [line(head), *(line(sheet.rows[start : start + ROWS_A_LINE]) for start in slices)]


def line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def main() -> None:
    limit()
    what, first, second = sys.argv[1:]
    try:
        said = answer(what, int(first), int(second), sys.stdin.buffer.read())
    except FileRefused as refused:
        said = [line({"refused": refused.code, "facts": refused.facts})]
    except MemoryError:
        said = [line({"refused": FileTooMuch.code})]
    sys.stdout.buffer.writelines(said)


if __name__ == "__main__":
    main()
