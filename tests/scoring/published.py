"""The published schemes as files: what can be adopted, what is kept as it was published, what is refused."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

import msgspec

from pointsbank.kit import paths
from pointsbank.scoring import rules

HERE = Path(__file__).parent
ADOPTABLE = paths.seed_dir() / "scoring"
PUBLISHED = ADOPTABLE / "published"
REFUSED = HERE / "refused"
FOLDERS = (PUBLISHED, REFUSED, ADOPTABLE)
SOURCES = tomllib.loads((HERE / "schemes" / "sources.toml").read_text("utf-8"))
EXPECTED = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((HERE / "schemes").glob("*.toml"))
    if path.stem != "sources"
}


def whole(source: str) -> Path:
    """The file with all that the source states; what can be adopted of it may be a shorter one beside it."""
    return next(path for folder in FOLDERS if (path := folder / f"{source}.toml").exists())


@cache
def scheme(path: Path) -> rules.Table:
    """What a file says, also where it is refused for it."""
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), rules.Table)


def plain(text: str) -> str:
    """Without blanks and marks, whatever their width."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text))
