# ruff: noqa: ASYNC240  a command of the shell: nothing else waits for its loop
"""Backups of a SQLite database: copied while the server goes on, proven before they count, and never laid over a file.

A backup is two files: the copy, itself a database, and beside it `<name>.json`, its manifest. Neither holds the key.
Where the books have findings the copy is kept all the same, since nobody has a better one, and its manifest names them.
PostgreSQL brings its own tools; README has the recipe.
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from pointsbank.app import database as databases
from pointsbank.app import installation, verifying
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import Tx
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify_seals

EVERY = timedelta(days=1)
CHUNK = 1 << 20
SPARE_BYTES = 64 << 20  # what the bank itself needs while a copy is made

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
ROWS = 'SELECT COUNT(*) FROM "TABLE"'
SCHEMA = "SELECT MAX(name) FROM tortoise_migrations"
# The job list says when the next one is due, and so when the last one was made; and whether its books had findings.
NOTE = """
INSERT INTO job (name, due_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at
"""
NOTE_CLEAN = "DELETE FROM job WHERE name = 'backup_unclean'"
FINDINGS_SHOWN = 10


class NoBackup(Exception):
    """One line for the person who asked for it."""


Books = dict[str, int | str]
"""Totals, how much is not sealed yet, and the heads of the chains."""


class Found(msgspec.Struct, frozen=True):
    """What can be told of a database file by looking at it. `books` is None where the schema is an older one.

    `findings` are what is wrong with its books, one line each.
    """

    bytes: int
    sha256: str
    schema: str
    key_fingerprint: str
    rows: dict[str, int]
    books: Books | None
    findings: tuple[str, ...] = ()


class Manifest(Found, frozen=True, kw_only=True):
    """What was acknowledged before `made_at` is in the copy."""

    made_at: datetime
    program: str


async def note(tx: Tx, *, is_clean: bool = True) -> None:
    """A backup has been made just now, wherever it lies."""
    await tx.run(NOTE, "backup", tx.now + EVERY)
    if is_clean:
        await tx.run(NOTE_CLEAN)
    else:
        await tx.run(NOTE, "backup_unclean", tx.now + EVERY)


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def refuse_postgres(settings: Settings) -> None:
    if settings.database_url:
        raise NoBackup("PostgreSQL 请用 pg_dump 备份、pg_restore 恢复，写法见 README。")


async def make(settings: Settings, file: Path) -> Manifest:
    """Copy the installation's database to a new file; there is no such file until the copy is proven."""
    refuse_postgres(settings)
    _refuse_existing(file, manifest_of(file))
    source = databases.path_of(settings)
    databases.check_there(source)
    _refuse_small_disk(file.parent, source.stat().st_size)
    made_at = Clock().now()
    with _draft(file) as draft:
        _copy_live(source, draft)
        found = await look(draft)
        manifest = Manifest(
            **msgspec.structs.asdict(found),
            made_at=made_at,
            program=metadata.version("pointsbank"),
        )
        _refuse_existing(file, manifest_of(file))  # no file is to stand beside another's manifest
        with _draft(manifest_of(file)) as text:
            text.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
            _put(text, manifest_of(file))
        _put(draft, file)
    return manifest


async def restore(file: Path, to: Path, *, with_findings: bool = False) -> tuple[Path, Manifest]:
    """Lay a backup into a new place; refuses one that differs from its manifest, and says in what.

    One whose books have findings is named, and taken only by whoever says so.
    """
    if not file.is_file():
        raise NoBackup(f"没有这份备份：{file}。")
    manifest = read_manifest(file)
    target = to / databases.FILE_NAME if to.is_dir() else to
    # What a database that once lay here left behind would be played into the new one.
    _refuse_existing(target, *_companions(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    _refuse_small_disk(target.parent, file.stat().st_size)
    with _draft(target) as draft:
        shutil.copyfile(file, draft)
        found = await look(draft)
        differing = differences(manifest, found)
        if differing:
            raise NoBackup(f"没有恢复，备份与清单不同：{'；'.join(differing)}。请换一份备份。")
        findings = found.findings or manifest.findings
        if findings and not with_findings:
            raise NoBackup(
                f"没有恢复，{told_of(findings)}。请换一份更早的、账对的备份；"
                "没有更好的，请加 --with-findings 照样恢复，再查这些地方。"
            )
        _put(draft, target)
    return target, manifest


def read_manifest(file: Path) -> Manifest:
    try:
        return msgspec.json.decode(manifest_of(file).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NoBackup(f"没有清单：{manifest_of(file)}。备份和它的清单要放在一起。") from None
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise NoBackup(f"清单读不懂：{manifest_of(file)}。请换一份备份。") from None


def differences(said: Manifest, found: Found) -> list[str]:
    """Each way in which a file is not what its manifest says, in words."""
    told = [
        f"{what}：清单 {ours}，文件 {theirs}"
        for what, ours, theirs in (
            ("大小", said.bytes, found.bytes),
            ("SHA-256", said.sha256[:12], found.sha256[:12]),
            ("版本", said.schema, found.schema),
            ("密钥的指纹", said.key_fingerprint, found.key_fingerprint),
        )
        if ours != theirs
    ]
    told += _unequal("表 {} 的行数", said.rows, found.rows)
    if found.books is not None:
        told += _unequal("账上的 {}", said.books or {}, found.books)
    return told


def _unequal(what: str, said: Mapping[str, int | str], found: Mapping[str, int | str]) -> list[str]:
    return [
        f"{what.format(name)}：清单 {said.get(name, '没有')}，文件 {found.get(name, '没有')}"
        for name in sorted(said.keys() | found.keys())
        if said.get(name) != found.get(name)
    ]


def told_of(findings: Sequence[str]) -> str:
    more = "……" if len(findings) > FINDINGS_SHOWN else ""
    return f"里面的账有 {len(findings)} 处不对：{'；'.join(findings[:FINDINGS_SHOWN])}{more}"


async def look(file: Path) -> Found:
    """Everything that a manifest says of a file; refuses one that is damaged."""
    size, digest = file.stat().st_size, _digest(file)  # before anything opens it
    try:
        with closing(sqlite3.connect(file)) as copy:
            copy.execute("PRAGMA query_only = ON")
            said = [line for (line,) in copy.execute("PRAGMA integrity_check(3)")]
            if said != ["ok"]:
                raise NoBackup(f"文件损坏，不能用：{'；'.join(said)}。")
            names = [name for (name,) in copy.execute(TABLES)]
            rows = {name: copy.execute(ROWS.replace("TABLE", name)).fetchone()[0] for name in names}
            (schema,) = copy.execute(SCHEMA).fetchone()
            founded = copy.execute(installation.FIND).fetchone()
    except sqlite3.Error as error:
        raise NoBackup(f"文件读不出来，不能用：{error}。") from error
    if founded is None:
        raise installation.NotFounded
    # Where an older program made it the books are recomputed once it is brought up to date.
    books, findings = await _books(file) if is_current(schema) else (None, ())
    return Found(size, digest, schema, founded[1], rows, books, findings)


def is_current(schema: str) -> bool:
    return schema == databases.known_migrations()[-1]


async def _books(file: Path) -> tuple[Books, tuple[str, ...]]:
    report = await verifying.verified(Settings(), file, (), lambda _text: None)
    # What waits for its seal is no fault: the sealer goes on in the copy, too.
    findings = tuple(f"{one.what}（{one.where}）" for one in report.findings if one.what != verify_seals.WAITED)
    told: dict[str, Any] = msgspec.structs.asdict(report)
    totals = {name: total for name, total in told.items() if isinstance(total, int)}
    return totals | {"heads": " ".join(report.heads)}, findings


def _copy_live(source: Path, target: Path) -> None:
    """One step of SQLite's own: a snapshot, for which nobody waits who writes, and which nobody disturbs."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.execute("PRAGMA query_only = ON")
        copy.execute("PRAGMA synchronous = OFF")  # it is put to disk once, when it is whole
        live.backup(copy)


def _refuse_existing(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise NoBackup(f"已经有这个文件：{file}。没有改动。请换一个名字。")


def _refuse_small_disk(folder: Path, size: int) -> None:
    if not folder.is_dir():
        raise NoBackup(f"没有这个文件夹：{folder}。")
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise NoBackup(f"磁盘空间不够，没有备份：{folder}。请清理，或换一个磁盘。")


@contextlib.contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """A new file beside the wanted one, which only we may read; gone in the end, whatever happens."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        yield draft
    finally:
        for left in (draft, *_companions(draft)):
            left.unlink(missing_ok=True)


def _companions(file: Path) -> list[Path]:
    return [file.with_name(f"{file.name}{ending}") for ending in ("-wal", "-shm", "-journal")]


def _put(draft: Path, file: Path) -> None:
    """Give a finished draft its name: on disk first, so that the name never stands for half a file.

    What got that name while the draft was made and proven stays.
    """
    with draft.open("rb+") as written:
        os.fsync(written.fileno())
    _refuse_existing(file)
    draft.rename(file)
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
