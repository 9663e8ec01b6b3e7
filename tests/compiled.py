"""Templates compiled once for all workers and servers: to compile every one takes as long as to draw hundreds."""

from pathlib import Path

from jinja2 import FileSystemBytecodeCache

from pointsbank.web import render

KEPT = Path(__file__).parents[1] / ".pytest_cache" / "templates"


def keep_templates() -> None:
    """Kept by what they say, so one that was changed is compiled anew."""
    KEPT.mkdir(parents=True, exist_ok=True)
    render.environment().bytecode_cache = FileSystemBytecodeCache(str(KEPT))
