"""The same request again, from the route table: one effect and one answer, whatever is repeated, and by whom."""

import asyncio
import re

import pytest

from pointsbank.kit import db
from pointsbank.kit.db import postgres, sqlite
from pointsbank.kit.db.command import Command
from tests.changes import CHANGES, ELSEWHERE, IN_OTHER_WORDS, STAFF
from tests.doors import Watch
from tests.faults.senders import CHANGING, Sender, sampled
from tests.faults.test_cancelled import TABLES, TABLES_POSTGRES

REPLAYED = "Idempotent-Replayed"
ORDERS = "/api/redemption/counters/{counter_id:int}/orders"


def test_every_changing_route_is_tried_or_says_why_not():
    assert CHANGES.keys() | ELSEWHERE.keys() == CHANGING.keys()
    assert not CHANGES.keys() & ELSEWHERE.keys()


def neutral(answer) -> tuple:
    """What was answered, without what two answers to one request may differ in."""
    text = "" if answer.status_code == 303 else re.sub(r'value="[A-Za-z0-9_-]{20,}"', "", answer.text)
    return answer.headers.get("location"), text


def is_granted(answer) -> bool:
    return answer.status_code in {200, 201, 303}


@pytest.mark.parametrize("path", IN_OTHER_WORDS)
async def test_a_repeat_that_is_answered_in_other_words_has_one_effect_too(scene, path):
    async with scene() as opened:
        sender, watch = Sender(opened, path), Watch(opened.world)
        async with sender.visiting() as client:
            assert is_granted(await sender.send(client))
            assert watch.look()
            assert [(await sender.send(client)).status_code < 500 for _ in range(2)] == [True, True]
            assert not watch.look()


@pytest.mark.parametrize("path", [path for path in CHANGES if path not in IN_OTHER_WORDS])
async def test_a_repeat_has_one_effect_and_the_first_answer(scene, path):
    await ask_again(scene, path)


async def forgetful(tx: db.Tx, command: Command):
    return await command.action(tx, **command.facts)


async def test_this_test_sees_a_key_that_nobody_keeps(scene, monkeypatch):
    monkeypatch.setattr(sqlite, "perform", forgetful)
    with pytest.raises(AssertionError):
        await ask_again(scene, ORDERS)


async def ask_again(scene, path: str) -> None:
    async with scene() as opened:
        sender, watch = Sender(opened, path), Watch(opened.world)
        async with sender.visiting() as client:
            first = await sender.send(client)
            assert is_granted(first), first.text
            assert watch.look()
            for _ in range(2):
                again = await sender.send(client)
                assert again.headers.get(REPLAYED) == "true"
                assert (again.status_code, neutral(again)) == (200 if sender.is_api else 303, neutral(first))
            other = await sender.send(client, differs=True)
            assert (other.status_code, REPLAYED in other.headers) == (409, False)
            assert not watch.look()

            # Under another key it is another command: done or refused, and then for good.
            later = await sender.send(client, "another-key-for-it")
            watch.look()
            assert REPLAYED not in later.headers
            latest = await sender.send(client, "another-key-for-it")
            assert (is_granted(latest), neutral(latest)) == (is_granted(later), neutral(later))
            assert not watch.look()


# Files are read a few at a time, and whoever comes meanwhile is told to come again.
AT_ONCE = sorted(path for path, change in CHANGES.items() if path not in IN_OTHER_WORDS and not change.files)


@pytest.mark.both
@pytest.mark.parametrize("path", sampled(AT_ONCE))
async def test_ten_at_once_are_one(scene, path):
    """On SQLite they queue for one writer; on PostgreSQL each is a transaction of its own."""
    await ask_ten_times(scene, path)


@pytest.mark.both
async def test_so_does_this_where_ten_come_at_once(scene, engine, monkeypatch):
    monkeypatch.setattr(sqlite if engine == "sqlite" else postgres, "perform", forgetful)
    with pytest.raises(AssertionError):
        await ask_ten_times(scene, ORDERS)


async def ask_ten_times(scene, path: str) -> None:
    counts, told = [], []
    for times in (1, 10):
        async with scene() as opened:
            sender = Sender(opened, path)
            async with sender.visiting() as client:
                answers = await asyncio.gather(*(sender.send(client) for _ in range(times)))
            counts.append(await counted())
            told.append(answers)

    assert counts[0] == counts[1]
    assert len({neutral(answer) for answer in told[1]}) == 1
    assert [answer.headers.get(REPLAYED) for answer in told[1]].count("true") == 9


async def counted() -> dict[str, int]:
    names = await db.rows(TABLES if db.current().is_sqlite else TABLES_POSTGRES)
    return {name: (await db.row(f'SELECT COUNT(*) FROM "{name}"'))[0] for (name,) in names}


STAFFED = sorted(path for path, change in CHANGES.items() if change.who in STAFF)


@pytest.mark.parametrize("path", sampled(STAFFED))
async def test_somebody_elses_key_is_not_ones_own(scene, path):
    async with scene() as opened:
        sender = Sender(opened, path)
        async with sender.visiting() as client:
            assert is_granted(await sender.send(client))
        async with sender.visiting(colleague=True) as client:
            answer = await sender.send(client)

    assert REPLAYED not in answer.headers
    assert answer.status_code != 500
