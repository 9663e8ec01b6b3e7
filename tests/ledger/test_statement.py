"""A holder's own statement: on paper with its places in the chain, and as a file that the verifier of exports takes."""

import html
import io
import re
import zipfile

import pytest

from pointsbank.kit import db
from pointsbank.ledger import export, queries, queries_seal, queries_statement
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.access import Role
from tests.ledger.test_export import check, rewrite, rows_of
from tests.ledger.test_vouchers import allow, give_away
from tests.world import visiting

pytestmark = pytest.mark.both


@pytest.fixture
async def holder(world):
    """Somebody with five lines, and a neighbour whose lines stand between them."""
    person, other = await world.person(points=10), await world.person(points=20)
    for points in (3, 4, 5):
        await world.give(other, points)
        await world.give(person, points)
    await Sealer().run()
    return person


async def downloaded(world, person, folder):
    _device, token = await world.phone(person)
    async with visiting(world, cookie=token) as resident:
        answer = await resident.get("/ledger/statement.zip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    return folder


async def test_a_holder_prints_a_year_with_its_places_in_the_chain(world, holder):
    _device, token = await world.phone(holder)
    async with visiting(world, cookie=token) as resident:
        now, before = await resident.get("/ledger/statement"), await resident.get("/ledger/statement?year=2025")
        link = await resident.get("/ledger")

    head = await queries_seal.head(world.home.id)
    assert head.shown in now.text
    assert now.text.count('<td class="nowrap">2026-11-21</td>') == 4
    own = await db.rows(
        "SELECT seal.position, seal.hash FROM ledger_seal seal JOIN ledger_move move ON move.entry_id = seal.entry_id "
        "JOIN ledger_account account ON account.id = move.target_id "
        "JOIN ledger_passbook book ON book.id = account.passbook_id WHERE book.person_id = ?",
        holder,
    )
    for position, sealed in own:
        assert f"<td>{position}</td>" in now.text
        assert bytes(sealed).hex()[:12] in now.text
    assert "这一年没有记录" in before.text
    assert "/ledger/statement" in link.text


async def test_the_download_is_checked_alone_and_against_the_chain_of_all(world, holder, tmp_path):
    folder = await downloaded(world, holder, tmp_path / "own")
    whole = tmp_path / "whole"
    whole.mkdir()
    await export.export(whole, lambda _text: None)
    chain, head = whole / f"community-{world.home.id}" / "chain.csv", await queries_seal.head(world.home.id)

    alone = check(folder, "--statement")
    against = check(folder, "--statement", "--chain", str(chain), "--head", head.shown)

    assert (alone[0], "：4 位" in alone[1], "要加 --chain" in alone[1]) == (0, True, True), alone[1]
    assert (against[0], "列出的都没有改过" in against[1]) == (0, True), against[1]


async def test_lines_after_the_head_that_was_printed_are_not_called_sure(world, holder, tmp_path):
    """Whoever holds the books could have written them anew from there on, in the statement and in the chain alike."""
    printed = await queries_seal.head(world.home.id)
    await world.give(holder, 6)
    await Sealer().run()
    folder, whole = await downloaded(world, holder, tmp_path / "own"), tmp_path / "whole"
    whole.mkdir()
    await export.export(whole, lambda _text: None)
    chain = str(whole / f"community-{world.home.id}" / "chain.csv")

    unsure = check(folder, "--statement", "--chain", chain, "--head", printed.shown)
    none = check(folder, "--statement", "--chain", chain)

    assert (unsure[0], f"第 {printed.position + 1} 位起" in unsure[1]) == (0, True), unsure[1]
    assert (none[0], "第 1 位起" in none[1]) == (0, True), none[1]


async def test_a_statement_tells_of_nobody_else(world, holder, tmp_path):
    folder = await downloaded(world, holder, tmp_path / "own") / f"community-{world.home.id}"
    own = await queries.passbook_of(person_id=holder, household_id=None, holder="person")
    others = [number for (number,) in await db.rows("SELECT number FROM ledger_passbook WHERE number <> ?", own.number)]
    text = "".join(path.read_text("utf-8-sig") for path in folder.iterdir())
    assert own.number in text
    assert not [number for number in others if number in text]


async def test_a_line_that_names_another_passbook_is_closed_and_still_in_the_chain(world, holder, tmp_path):
    other = await world.person(points=1)
    await allow(world)
    await give_away(world, holder, 2, other)
    await Sealer().run()

    folder = await downloaded(world, holder, tmp_path / "own")

    of_community = folder / f"community-{world.home.id}"
    kinds = [row[1] for row in rows_of(of_community / "chain.csv")[1:]]
    assert kinds == ["entry"] * 4 + ["closed"]
    assert len(rows_of(of_community / "moves.csv")) == 5
    assert check(folder, "--statement")[0] == 0


async def test_a_statement_that_was_touched_is_found(world, holder, tmp_path):
    folder = await downloaded(world, holder, tmp_path / "own")
    moves = folder / f"community-{world.home.id}" / "moves.csv"
    rows = rows_of(moves)
    rows[2][3] = str(int(rows[2][3]) + 100)
    rewrite(moves, rows)

    status, said = check(folder, "--statement")

    assert status == 1
    assert f"第 {rows[2][0]} 位" in said


async def test_who_has_no_passbook_has_no_statement(world):
    _device, token = await world.phone(await world.person())
    _actor, staff = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as resident:
        mine = [await resident.get(f"/ledger/statement{end}") for end in ("", ".zip")]
    async with visiting(world, cookie=staff) as clerk:
        barred = await clerk.get("/ledger/statement.zip")
    assert [answer.status_code for answer in mine] == [404, 404]
    assert barred.status_code == 403


async def test_a_year_of_more_lines_than_come_at_once_says_so_and_goes_on(world, holder, monkeypatch):
    monkeypatch.setattr(queries_statement, "LINES_MAX", 3)
    _device, token = await world.phone(holder)
    link = re.compile(r'href="(/ledger/statement\?book=\d+&amp;year=2026&amp;after=\d+)"')
    async with visiting(world, cookie=token) as resident:
        first = (await resident.get("/ledger/statement")).text
        (more,) = link.findall(first)
        rest = (await resident.get(html.unescape(more))).text

    assert [page.count('<td class="nowrap">2026-11-21</td>') for page in (first, rest)] == [3, 1]
    assert ["这一年还没有完" in page for page in (first, rest)] == [True, False]
    assert ["（续）" in page for page in (first, rest)] == [False, True]
    assert link.findall(rest) == []
