"""Every hostile file is refused by a code or read as the harmless thing it is, and costs a bounded time and memory."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pointsbank.kit import intake
from pointsbank.kit.errors import Busy
from pointsbank.kit.rules_intake import FileRefused
from tests.kit import hostile

GROUPS = 6
PEAK_KB_MAX = 400_000
SECONDS_MAX, HUNG_SECONDS = 6, 120  # of work; of waiting, on however busy a machine
# A process begins with its parent's peak as its own; a parent that has done nothing else keeps the figure honest.
MEASURE = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = os.wait4(child.pid, 0)[2]
print(used.ru_maxrss, used.ru_utime)
"""


def slow() -> bytes:
    """Good, and work for a second."""
    return hostile.book("".join(f"<row><c><v>{n}</v></c>{'<c><v>1</v></c>' * 15}</row>" for n in range(4000)))


async def verdict(content: bytes, *, as_photo: bool = False) -> str:
    """The code of the refusal without its room, or nothing where the file was read."""
    try:
        await (intake.read_photo(content) if as_photo else intake.read_sheet(content))
    except FileRefused as refused:
        return refused.code.removeprefix("kit.file_")
    return ""


async def check(files: hostile.Files, *, as_photo: bool) -> None:
    wrong = {}
    for name, (make, said) in files.items():
        if (heard := await verdict(make(), as_photo=as_photo)) != said:
            wrong[name] = (heard, said)
    assert not wrong


def test_the_corpus_is_large_enough():
    assert len(hostile.SHEETS) + len(hostile.PHOTOS) >= 40


@pytest.mark.parametrize("group", range(GROUPS))
async def test_a_hostile_table_is_refused_by_its_name(group):
    await check(dict(list(hostile.SHEETS.items())[group::GROUPS]), as_photo=False)


async def test_a_hostile_picture_is_refused_by_its_name():
    await check(hostile.PHOTOS, as_photo=True)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a flat bomb", "sheet"),
        ("one long text in every cell", "sheet"),
        ("a cell in the far corner of an old one", "sheet"),
        ("a picture that unpacks to more than it says", "photo"),
    ],
)
def test_the_worst_cost_little(name, how):
    content = (hostile.SHEETS if how == "sheet" else hostile.PHOTOS)[name][0]()
    said = subprocess.run(
        [sys.executable, "-c", MEASURE, *intake.COMMAND, how, "1280", "50"],
        input=content, capture_output=True, check=True, timeout=HUNG_SECONDS,
    )  # fmt: skip
    peak_kb, seconds = said.stdout.split()
    assert int(peak_kb) < PEAK_KB_MAX
    assert float(seconds) < SECONDS_MAX


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
async def test_a_workbook_cut_anywhere_is_refused(share):
    content = hostile.book("<row><c><v>1</v></c></row>" * 50)
    assert await verdict(content[: int(len(content) * share)]) == "damaged"


async def test_no_bit_that_tips_over_breaks_the_reader():
    """Whatever comes is a table or a refusal; the good file around it is the smallest there is."""
    chance = random.Random(7)
    heard = set()
    for good in (hostile.book(), hostile.xls(hostile.number(0, 0, 1))):
        for _try in range(3):
            bad = bytearray(good)
            for _flip in range(20):
                bad[chance.randrange(8, len(bad))] = chance.randrange(256)
            heard.add(await verdict(bytes(bad)))
    assert len(heard) > 1


async def test_the_loop_answers_while_a_bomb_is_read():
    """Measured against the reading itself: what waits for a child keeps the loop for as long as the child reads."""
    longest = 0.0

    async def ping() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    pinging = asyncio.create_task(ping())
    content, bomb = slow(), hostile.SHEETS["a million shared texts"][0]()
    await asyncio.sleep(0)
    longest, began = 0.0, time.monotonic()
    sheet, refused = await asyncio.gather(intake.read_sheet(content), verdict(bomb))
    reading = time.monotonic() - began
    pinging.cancel()
    assert (len(sheet.rows), refused) == (4000, "too_much")
    assert longest < reading / 3, (longest, reading)


async def test_whoever_goes_away_takes_the_child_along():
    content = slow()
    asked = asyncio.create_task(intake.read_sheet(content))
    await asyncio.sleep(0.15)
    children = children_of_this()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert children
    assert not children & children_of_this()


def children_of_this() -> set[str]:
    """Those that read files; a test before may have left children of other kinds."""
    tasks = Path("/proc/self/task").iterdir()
    children = {child for task in tasks for child in (task / "children").read_text().split()}
    return {child for child in children if intake.COMMAND[-1] in Path(f"/proc/{child}/cmdline").read_text("utf-8")}


async def test_time_runs_out_for_a_file_that_takes_too_long(monkeypatch):
    monkeypatch.setattr(intake, "SECONDS_MAX", 0.05)
    assert await verdict(slow()) == "too_much"


async def test_only_two_are_read_at_once_and_few_wait(monkeypatch):
    monkeypatch.setattr(intake, "WAITING_MAX", 2)
    asked = [asyncio.create_task(intake.read_sheet(hostile.book())) for _ in range(6)]
    await asyncio.sleep(0.02)
    assert len(children_of_this()) <= intake.CHILDREN_MAX
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, Busy) for one in told) == 2
    assert sum(isinstance(one, intake.Sheet) for one in told) == 4


async def test_a_child_that_wants_too_much_memory_ends_alone(monkeypatch):
    greedy = "import sys; from pointsbank.kit import intake_child; intake_child.limit(); bytearray(10**9)"
    monkeypatch.setattr(intake, "COMMAND", (intake.sys.executable, "-I", "-c", greedy))
    assert await verdict(b"a") == "damaged"
    spent = "import sys; from pointsbank.kit import intake_child; intake_child.limit(); open('/tmp/x', 'w').write('a')"
    monkeypatch.setattr(intake, "COMMAND", (intake.sys.executable, "-I", "-c", spent))
    assert await verdict(b"a") == "damaged"


async def test_the_child_inherits_nothing(monkeypatch):
    monkeypatch.setenv("POINTSBANK_DATABASE_URL", "postgresql://secret@host/name")
    told = 'import os; print(\'{"kind":"csv","name":"%s"}\' % \',\'.join(os.environ))'
    monkeypatch.setattr(intake, "COMMAND", (intake.sys.executable, "-I", "-c", told))
    assert set((await intake.read_sheet(b"a")).name.split(",")) <= {"LC_CTYPE", ""}
