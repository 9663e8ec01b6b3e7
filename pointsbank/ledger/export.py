r"""Write the books down as CSV with their chain, so that anybody can check them without this program.

A cell is the text that is sealed. NULL is `\N`; a text that begins with a backslash, or with what a spreadsheet would
take for a formula, has a backslash before it. An export is the books as they were at the heads it names: what was
booked a moment ago and is not sealed yet stands in the next one.
"""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import msgspec

from pointsbank.kit import db
from pointsbank.ledger import canon, export_verifier, queries_seal, verify_seals
from pointsbank.ledger.queries_seal import Head, Position, Rows
from pointsbank.ledger.queries_subjects import SUBJECTS

STATE = {name: columns.split() for name, columns in export_verifier.STATE.items()}
FILES = {"chain.csv": export_verifier.CHAIN} | {
    name: ["position", *columns.split()] for name, columns in export_verifier.PARTS.items()
}
VERIFIER = Path(export_verifier.__file__)
TOLD_EVERY = 50_000
README = """积分银行的账，导出给任何人核对用。

怎么核对：电脑上有 Python 3.8 以上就行，不用联网，不用装别的。在这个文件夹里运行：

    python verify.py

要和留存的、公示上印的链头核对，把链头写在后面：

    python verify.py --head {head}

每个文件夹是一个社区的账。chain.csv 是封存的链，一行一位；entries.csv 分录，moves.csv 收付，lot_uses.csv 用到的批次，
changes.csv 存折、账户等的开立和变更，都按位次排；state.csv、accounts.csv、lots.csv 是导出时的样子。各列的名称在
schema.json。空值写成 \\N；文字以反斜杠、等号、加号、减号、@ 开头的，前面多一个反斜杠。

Check with: python verify.py (Python 3.8 or newer, nothing else).
"""
_NUMBER = re.compile(r"-?[0-9]+")


def cell(value: str | None) -> str:
    if value is None:
        return r"\N"
    if value[:1] in {"\\", "=", "+", "-", "@", "\t", "\r"} and _NUMBER.fullmatch(value) is None:
        return "\\" + value
    return value


class Table:
    """A CSV file being written."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self.write = csv.writer(file, lineterminator="\r\n").writerow  # so that either in a text is quoted
        self.write(columns)

    def add(self, *values: Any) -> None:
        self.write([cell(canon.text(value)) for value in values])


class Books:
    """The four tables of a chain and the chain itself, filled position by position."""

    def __init__(self, tables: dict[str, Table], community_id: int) -> None:
        self.chain, self.entries, self.moves, self.uses, self.changes = (tables[name] for name in FILES)
        self.community_id = community_id

    def add(self, one: Position, *, is_closed: bool = False) -> None:
        """What is closed is shown by its digest alone."""
        position, form = str(one.position), one.form
        digest = canon.digest(form) if form is not None else b""
        what = "closed" if is_closed else "entry" if one.change is None else "change"
        self.chain.add(position, what, one.previous.hex(), digest.hex(), one.hash.hex())
        if is_closed:
            return
        if one.entry is not None:
            self.entries.add(position, *one.entry)
        for move in one.moves:
            self.moves.add(position, *move)
        for use in one.uses:
            self.uses.add(position, *use)
        if one.change is not None:
            self.changes.add(position, *one.change)


@contextmanager
def _tables(folder: Path, files: dict[str, list[str]]) -> Iterator[dict[str, Table]]:
    folder.mkdir(exist_ok=True)
    opened = {name: (folder / name).open("w", encoding="utf-8-sig", newline="") for name in files}
    try:
        yield {name: Table(file, files[name]) for name, file in opened.items()}
    finally:
        for file in opened.values():
            file.close()


async def export(folder: Path, progress: Callable[[str], None]) -> list[Head]:
    """Write all communities into an empty folder; returns the heads up to which they go."""
    async with db.snapshot() as rows:
        heads = await queries_seal.heads(rows)
        for head in heads:
            await _community(rows, folder / f"community-{head.community_id}", head, progress)
    shown = next((head.shown for head in heads if head.position), "1-1-0123456789abcdef")
    _add_means(folder, README.format(head=shown))
    return heads


def _add_means(folder: Path, readme: str) -> None:
    (folder / "README.txt").write_text(readme, encoding="utf-8")
    (folder / "schema.json").write_bytes(msgspec.json.format(msgspec.json.encode(FILES | STATE)))
    (folder / "verify.py").write_bytes(VERIFIER.read_bytes())
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = [f"{_sum(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _community(rows: Rows, folder: Path, head: Head, progress: Callable[[str], None]) -> None:
    waiting = await queries_seal.waiting(rows, head.community_id)
    # As far as it is sealed: what rows said that have changed since, and lots that were there already.
    known: dict[tuple[str, str], str] = {}
    lots: set[tuple[str | None, ...]] = set()
    with _tables(folder, FILES) as tables:
        books = Books(tables, head.community_id)
        async for one in verify_seals.positions(rows, head.community_id, head.position):
            books.add(one)
            if one.change is not None and (about := (one.change[1], one.change[2])) in waiting.changed:
                known[about] = one.change[5]
            lots |= {lot for use in one.uses if (lot := tuple(canon.texts(use[:4]))) in waiting.used}
            if one.position % TOLD_EVERY == 0:
                progress(f"社区 {head.community_id}：{one.position} / {head.position}")
    with _tables(folder, STATE) as tables:
        state = [pair async for pair in _state(rows, head.community_id) if pair[0] not in waiting.changed]
        _fill(tables["state.csv"], [*state, *known.items()])
        opened = {name for (what, name), _said in [*state, *known.items()] if what == "account"}
        balances = await _adjusted(rows, queries_seal.BALANCES, head.community_id, waiting.moved)
        _fill(tables["accounts.csv"], [pair for pair in balances if pair[0][0] in opened])
        left = await _adjusted(rows, queries_seal.LOTS, head.community_id, waiting.used)
        _fill(tables["lots.csv"], [pair for pair in left if pair[0] in lots or pair[0] not in waiting.used])
    progress(f"社区 {head.community_id}：{head.position} 位")


async def _state(rows: Rows, community_id: int) -> Any:
    for what in SUBJECTS:
        async for fact in queries_seal.facts(rows, what):
            if fact.community_id == community_id:
                yield (what, fact.name), fact.content


async def _adjusted(rows: Rows, sql: str, community_id: int, since: dict[Any, int]) -> list[tuple[Any, str]]:
    """What a table says, less what is not sealed yet."""
    found = []
    for *names, amount in await rows(sql, community_id):
        key = tuple(canon.texts(names))
        found.append((key, str(amount - since.get(key, 0))))
    return found


def _fill(table: Table, pairs: Iterable[tuple[tuple[str | None, ...], str]]) -> None:
    """In the order that a reader can check: by the names, NULL before all."""
    for names, value in sorted(pairs, key=lambda pair: tuple(name or "" for name in pair[0])):
        table.add(*names, value)


def zipped(community_id: int, own: Sequence[tuple[Position, bool]], readme: str) -> bytes:
    """A statement: some positions of a chain, and whether each is closed, packed with the verifier."""
    texts = {name: io.StringIO(newline="") for name in FILES}
    books = Books({name: Table(texts[name], columns) for name, columns in FILES.items()}, community_id)
    for one, is_closed in own:
        books.add(one, is_closed=is_closed)
    files = {f"community-{community_id}/{name}": text.getvalue().encode("utf-8-sig") for name, text in texts.items()}
    files |= {"README.txt": readme.encode(), "verify.py": VERIFIER.read_bytes()}
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in files).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
