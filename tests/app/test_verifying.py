"""Books of a long chain: several processes go through it in pieces, and tell what one would have told."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pointsbank.app import cli_ledger, verifying
from pointsbank.app import database as databases
from pointsbank.kit import crypto
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify_seals
from tests.app.shell import Shell
from tests.bench import large

SPAN = 100
SEALED = """
SELECT community_id, position, entry_id FROM ledger_seal WHERE position > ? AND entry_id IS NOT NULL
 ORDER BY position LIMIT 1
"""


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_seals, "SPAN", SPAN)
    monkeypatch.setattr(verifying.os, "cpu_count", lambda: 2)


def test_a_long_chain_is_checked_in_pieces_and_told_of(shell: Shell, small_demo: Path, tmp_path: Path, in_pieces: None):
    copy = tmp_path / "copy.db"
    shutil.copy(small_demo / databases.FILE_NAME, copy)

    clean = shell("ledger", "verify", "--database", str(copy))
    assert clean.exit_code == 0, clean.output
    assert clean.stderr.count("封存的链：") > 2

    with closing(sqlite3.connect(copy)) as file, file:
        file.execute("DROP TRIGGER ledger_entry_append_only_update")
        ((community_id, position, entry_id),) = file.execute(SEALED, (SPAN,)).fetchall()
        file.execute("UPDATE ledger_entry SET summary = '改过' WHERE id = ?", (entry_id,))
    found = shell("ledger", "verify", "--json", "--database", str(copy))
    told = [(one["what"], one["where"]) for one in json.loads(found.stdout)["findings"] if one["invariant"] == 12]
    assert told == [("what was sealed says something else now", f"community {community_id}, position {position}")]


async def test_a_process_that_is_ended_ends_the_check(
    small_demo: Path, monkeypatch: pytest.MonkeyPatch, in_pieces: None
):
    monkeypatch.setattr(verifying.sys, "executable", "true")
    spans = [verify_seals.Span(1, 0, 5), verify_seals.Span(1, 5, 9)]
    with pytest.raises(ExceptionGroup) as told:
        await verifying._apart(spans, 2, small_demo / databases.FILE_NAME, lambda _text: None)
    assert told.group_contains((verifying.ProcessEnded, ConnectionError))


def test_books_that_are_made_for_measuring_are_true(shell: Shell, tmp_path: Path, keys: crypto.Keys):
    """In all rooms: what `make bench-large` measures is what a server would have written."""
    crypto.hold(keys)
    settings = Settings.from_env({"POINTSBANK_DATA": str(tmp_path)})
    asyncio.run(large.make(settings, 300, lambda _text: None))

    checked = shell("ledger", "verify", "--database", str(databases.path_of(settings)))
    assert checked.exit_code == 0, checked.output


def test_what_is_found_in_any_room_has_a_word_at_the_shell():
    assert {room.__name__.split(".")[1] for room in verifying.OTHER_ROOMS} <= set(cli_ledger.ROOMS)
