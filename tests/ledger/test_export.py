"""An export is checked by a program that knows nothing of ours, and it finds whatever was done to the files."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsbank.kit import db
from pointsbank.ledger import canon, export, export_verifier, queries_seal
from pointsbank.ledger.sealing import Sealer
from tests.ledger.busy import busy_books

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

PARTS = [*export_verifier.PARTS, "chain.csv"]
CLEAN = "没有改过、少过、多过或换过位置。"


def check(folder: Path, *options: str) -> tuple[int, str]:
    """Run the verifier of the export as somebody would who has Python and nothing else."""
    command = (sys.executable, "-I", "-S", str(folder / "verify.py"), *options)
    ran = subprocess.run(command, capture_output=True, check=False, cwd="/", env={"PYTHONIOENCODING": "utf-8"})
    return ran.returncode, (ran.stdout + ran.stderr).decode()


def rows_of(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))


def rewrite(file: Path, rows: list[list[str]]) -> None:
    """Put other rows into a file, and its new checksum into the list: the intruder is no fool."""
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened, lineterminator="\r\n").writerows(rows)
    sums = file.parents[1] / "SHA256SUMS"
    name = file.relative_to(sums.parent).as_posix()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in sums.read_text().splitlines()]
    sums.write_text("\n".join(lines) + "\n")


@pytest.fixture
async def exported(world, tmp_path) -> Path:
    await busy_books(world)
    await Sealer().run()
    folder = tmp_path / "export"
    folder.mkdir()
    await export.export(folder, lambda _text: None)
    return folder / f"community-{world.home.id}"


@pytest.mark.both
async def test_a_whole_export_is_found_whole(exported, world):
    status, said = check(exported.parent)

    assert (status, CLEAN in said) == (0, True), said
    assert "--head" in said, "a tail that was cut shows in a head alone"
    head = await queries_seal.head(world.home.id)
    assert f"到 {head.shown}" in said
    assert len(rows_of(exported / "entries.csv")) == len(await db.rows(
        "SELECT 1 FROM ledger_entry WHERE community_id = ?", world.home.id)) + 1  # fmt: skip
    schema = json.loads((exported.parent / "schema.json").read_text())
    for file in exported.iterdir():
        assert rows_of(file)[0] == schema[file.name]


Fault = Callable[[list[list[str]], int], None]


def changed(column: int) -> Fault:
    def fault(rows: list[list[str]], at: int) -> None:
        rows[at][column] = "1" if rows[at][column] != "1" else "2"

    return fault


def removed(rows: list[list[str]], at: int) -> None:
    del rows[at]


def doubled(rows: list[list[str]], at: int) -> None:
    rows.insert(at, list(rows[at]))


def moved(rows: list[list[str]], at: int) -> None:
    rows[at], rows[at + 1] = rows[at + 1], rows[at]


async def test_whatever_is_done_to_a_file_is_found(exported):
    """Run in this process: some two hundred faults, each with the checksum put right."""
    for name in [*PARTS, *export_verifier.STATE]:
        whole = rows_of(exported / name)
        faults: list[Fault] = [removed, doubled, *(changed(column) for column in range(len(whole[0])))]
        middle = len(whole) // 2
        for fault in faults:
            rows = [list(row) for row in whole]
            fault(rows, middle)
            assert found(exported, name, rows), (name, fault, middle)
        swapped = [list(row) for row in whole]
        at = next(at for at in range(1, len(whole) - 1) if whole[at] != whole[at + 1])
        moved(swapped, at)
        assert found(exported, name, swapped), name
        rewrite(exported / name, whole)
    assert check(exported.parent)[0] == 0


def found(folder: Path, name: str, rows: list[list[str]]) -> str:
    rewrite(folder / name, rows)
    try:
        community = export_verifier.Community(folder, is_whole=True)
        community.check()
    except (ValueError, KeyError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", export_verifier.STATE)
async def test_a_row_of_nothing_that_was_ever_sealed_is_found(exported, name):
    """None is what a chain knows of it, and a word like another."""
    whole = rows_of(exported / name)
    rewrite(exported / name, [*whole, ["\U0001f642"] * (len(whole[0]) - 1) + ["None"]])  # behind all others

    status, said = check(exported.parent)

    assert (status, name in said) == (1, True), said


async def test_an_export_that_lacks_a_file_is_no_statement(exported):
    """Without what tells how it all ends, gaps would be believed."""
    head = await queries_seal.head(int(exported.name.rpartition("-")[2]))
    for file in exported.parent.glob("community-*/*"):
        if file.name in export_verifier.STATE:
            file.unlink()
    sums = exported.parent / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if line.rpartition("/")[2] not in export_verifier.STATE]
    sums.write_text("\n".join(lines) + "\n")
    for name in export_verifier.PARTS:  # what stands at the last position, and the position
        rewrite(exported / name, [row for row in rows_of(exported / name) if row[0] != str(head.position)])
    rewrite(exported / "chain.csv", rows_of(exported / "chain.csv")[:-1])

    status, said = check(exported.parent)
    assert status == 1
    assert "state.csv" in said
    position, _what, _previous, _digest, seal = rows_of(exported / "chain.csv")[-1]
    told = f"{head.community_id}-{position}-{seal[:32]}"
    assert check(exported.parent, "--statement", "--head", told)[0] == 1, "what came before it is not shown"
    assert check(exported.parent, "--statement")[0] == 0, "it agrees with itself"
    assert "没有改过" not in check(exported.parent, "--statement")[1].replace("有没有改过", "")


async def test_the_first_bad_position_is_named(exported, world):
    rows = rows_of(exported / "entries.csv")
    position = rows[3][0]
    rows[3][11] = "改过"
    rows[5][11] = "也改过"
    rewrite(exported / "entries.csv", rows)

    status, said = check(exported.parent)

    assert status == 1
    assert f"社区 {world.home.id} 第 {position} 位" in said


async def test_a_file_whose_checksum_does_not_fit_is_found(exported):
    (exported.parent / "README.txt").write_text("别的", encoding="utf-8")
    assert check(exported.parent)[0] == 1


async def test_an_export_that_was_cut_or_made_anew_shows_in_the_deposited_head_alone(exported, world):
    deposited = await queries_seal.head(world.home.id)
    forge(exported, str(world.home.id))

    assert check(exported.parent)[0] == 0
    status, said = check(exported.parent, "--head", deposited.shown)
    assert status == 1
    assert f"第 {deposited.position} 位" in said


def forge(folder: Path, community: str) -> None:
    """Another summary, and the whole chain computed anew."""
    entries = rows_of(folder / "entries.csv")
    entries[1][11] = "改过"
    rewrite(folder / "entries.csv", entries)
    parts = {
        name: export_verifier.Rows(folder / name, ["position", *columns.split()])
        for name, columns in export_verifier.PARTS.items()
    }
    chain, previous = rows_of(folder / "chain.csv"), "0" * 64
    for row in chain[1:]:
        digest = export_verifier.digest_of(*(part.at(row[0]) for part in parts.values()))
        assert digest is not None
        row[2:] = [previous, digest, export_verifier.link(community, row[0], previous, digest)]
        previous = row[4]
    rewrite(folder / "chain.csv", chain)


UNSURE = "有没有整个重做、剪掉结尾，要加更晚的 --head 核对"


async def exported_later(exported: Path, world) -> Path:
    """Another export, of what was booked since."""
    await world.give(await world.person(), 3)
    await Sealer().run()
    folder = exported.parents[1] / "later"
    folder.mkdir()
    await export.export(folder, lambda _text: None)
    return folder


async def test_what_came_after_a_deposited_head_is_not_called_sure(exported, world):
    """Nor another community, whose head nobody named."""
    deposited, other = await queries_seal.head(world.home.id), world.communities[1].id
    assert f"社区 {world.home.id} 第 1 位起" in check(exported.parent)[1]
    folder = await exported_later(exported, world)

    said = check(folder, "--head", deposited.shown)[1]

    assert f"社区 {world.home.id} 第 {deposited.position + 1} 位起，社区 {other} 第 1 位起，{UNSURE}" in said
    both = [(await queries_seal.head(one)).shown for one in (world.home.id, other)]
    assert UNSURE not in check(folder, *(option for shown in both for option in ("--head", shown)))[1]


async def test_an_export_that_ends_before_a_deposited_head_is_cut_whatever_chain_is_named_beside_it(exported, world):
    later = await exported_later(exported, world)
    head, chain = await queries_seal.head(world.home.id), later / exported.name / "chain.csv"
    other, sums = exported.with_name(f"community-{world.communities[1].id}"), exported.with_name("SHA256SUMS")
    shutil.rmtree(other)
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if other.name not in line))

    assert check(exported.parent)[0] == 0
    assert check(exported.parent, "--head", head.shown)[0] == 1
    assert check(exported.parent, "--chain", str(chain), "--head", head.shown)[0] == 1


async def test_a_head_of_a_community_that_is_not_there_is_told(exported):
    status, said = check(exported.parent, "--head", f"77-1-{'0' * 32}")
    assert (status, "社区 77：这里没有它的账" in said) == (1, True), said


async def test_a_head_that_fits_is_found_to_fit(exported, world):
    head = await queries_seal.head(world.home.id)
    typed = head.shown.upper()
    assert check(exported.parent, "--head", f"{typed[:12]} {typed[12:]}")[0] == 0
    assert check(exported.parent, "--head", typed[:-20])[0] == 1  # too short to say anything


@pytest.mark.both
async def test_what_is_booked_while_an_export_is_made_stands_in_the_next_one(world, tmp_path):
    """Books are exported as they were at their heads, not as the tables stand since."""
    await busy_books(world)
    await Sealer().run()
    await world.give(await world.person(points=3), 4)
    folder = tmp_path / "export"
    folder.mkdir()
    await export.export(folder, lambda _text: None)

    assert check(folder)[0] == 0, check(folder)[1]
    (head,) = [head for head in await queries_seal.heads() if head.community_id == world.home.id]
    assert len(rows_of(folder / f"community-{world.home.id}" / "chain.csv")) == head.position + 1


@pytest.mark.both
async def test_the_verifier_and_the_product_agree_on_every_position(exported, world):
    chain = rows_of(exported / "chain.csv")[1:]
    found = await queries_seal.sealed(db.rows, queries_seal.BETWEEN, world.home.id, 0, 10_000)
    assert [(row[3], row[4]) for row in chain] == [(canon.digest(one.form).hex(), one.hash.hex()) for one in found]
