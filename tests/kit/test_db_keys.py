"""Request keys: a command under a key has one effect and one answer, however often and from wherever it comes."""

import asyncio

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.db.command import RequestKeyUnfit
from pointsbank.kit.errors import KeyReused
from tests.kit.towns import KINDS_NOT_STORED, KINDS_STORED, TownFull, add, move_in, names, refuse

pytestmark = pytest.mark.both

ANNA = Actor(person_id=1, session_id=11)
BODO = Actor(person_id=2, session_id=22)
KEY = "key-0001"


class Added(msgspec.Struct):
    town_id: int
    name: str


async def add_told(tx, *, name: str) -> Added:
    return Added(await add(tx, name=name), name)


@db.reads(name=str.strip, other=str.strip)
async def add_read(tx, *, name: str, other: str | None = None) -> Added:
    assert other is None
    return await add_told(tx, name=name)


async def people() -> int:
    (total,) = await db.row("SELECT COALESCE(SUM(people), 0) FROM town")
    return int(total)


async def test_a_repeat_gets_the_first_answer_and_has_no_effect(towns):
    first = await db.write(add_told, actor=ANNA, request_key=KEY, name="临江")
    assert not db.replayed.get()

    again = await db.write(add_told, actor=ANNA, request_key=KEY, name="临江")

    assert db.replayed.get()
    assert again == first == Added(first.town_id, "临江")
    assert await people() == 1


async def test_an_action_gets_what_was_read_of_a_fact_and_its_key_stands_for_what_was_handed_in(towns):
    first = await db.write(add_read, actor=ANNA, request_key=KEY, name=" 临江 ", other=None)
    assert first.name == "临江"

    assert await db.write(add_read, actor=ANNA, request_key=KEY, name=" 临江 ", other=None) == first
    with pytest.raises(KeyReused):
        await db.write(add_read, actor=ANNA, request_key=KEY, name="临江", other=None)


async def test_the_next_command_is_not_taken_for_a_repeat(towns):
    for _ in range(2):
        await db.write(add, actor=ANNA, request_key=KEY, name="临江")
    assert db.replayed.get()

    await db.write(add, actor=ANNA, name="江南")

    assert not db.replayed.get()


async def test_an_answer_of_none_is_repeated_too(towns):
    await db.write(add, name="临江")

    for _ in range(2):
        assert await db.write(move_in, actor=ANNA, request_key=KEY, name="临江", people=5) is None

    assert await people() == 6


async def test_other_facts_under_the_same_key_are_refused(towns):
    await db.write(add, actor=ANNA, request_key=KEY, name="临江")

    with pytest.raises(KeyReused):
        await db.write(add, actor=ANNA, request_key=KEY, name="江南")
    with pytest.raises(KeyReused):  # another action, the same facts
        await db.write(add_told, actor=ANNA, request_key=KEY, name="临江")

    assert await names() == {"临江"}
    assert isinstance(await db.write(add, actor=ANNA, request_key=KEY, name="临江"), int)


async def test_a_key_belongs_to_its_caller(towns):
    callers = [ANNA, BODO, Actor(device_id=1), Actor(device_id=2), db.NOBODY]

    for number, caller in enumerate(callers):
        await db.write(add, actor=caller, request_key=KEY, name=f"{number}")

    assert len(await names()) == len(callers)


async def test_a_person_keeps_keys_across_sign_ins(towns):
    first = await db.write(add, actor=Actor(person_id=1, session_id=11), request_key=KEY, name="临江")

    again = await db.write(add, actor=Actor(person_id=1, session_id=99), request_key=KEY, name="临江")

    assert again == first


async def test_twins_at_the_same_time_have_one_effect(towns):
    await db.write(add, name="临江")

    async def twin(number: int) -> int:
        return await db.write(add, actor=ANNA, request_key=f"{KEY}-{number % 3}", name=f"{number % 3}")

    answers = await asyncio.gather(*(twin(number) for number in range(30)))

    assert len(set(answers)) == 3
    assert await people() == 4


@pytest.mark.parametrize("refusal", KINDS_STORED, ids=lambda each: each.__name__)
async def test_a_final_no_is_stored_and_what_was_written_goes(towns, refusal):
    for _ in range(2):
        with pytest.raises(refusal):
            await db.write(refuse, actor=ANNA, request_key=KEY, code=refusal.code)

    assert await names() == set()
    with pytest.raises(KeyReused):
        await db.write(add, actor=ANNA, request_key=KEY, name="临江")


@pytest.mark.parametrize("refusal", KINDS_NOT_STORED, ids=lambda each: each.__name__)
async def test_a_passing_no_leaves_the_key_free(towns, refusal):
    with pytest.raises(refusal):
        await db.write(refuse, actor=ANNA, request_key=KEY, code=refusal.code)

    await db.write(add, actor=ANNA, request_key=KEY, name="临江")

    assert await names() == {"临江"}


async def test_an_error_leaves_the_key_free(towns):
    async def fails_at_first(tx, *, name: str) -> int:
        await add(tx, name=name)
        if not failed:
            failed.append(True)
            raise ZeroDivisionError
        return 7

    failed: list[bool] = []
    with pytest.raises(ZeroDivisionError):
        await db.write(fails_at_first, actor=ANNA, request_key=KEY, name="临江")

    assert await db.write(fails_at_first, actor=ANNA, request_key=KEY, name="临江") == 7
    assert await names() == {"临江"}


async def test_a_stored_no_comes_again_though_it_would_be_a_yes_now(towns):
    await db.write(add, name="临江", people=990)
    with pytest.raises(TownFull):
        await db.write(move_in, actor=ANNA, request_key=KEY, name="临江", people=20)
    await db.write(move_in, name="临江", people=-900)

    with pytest.raises(TownFull) as refused:
        await db.write(move_in, actor=ANNA, request_key=KEY, name="临江", people=20)

    assert refused.value.facts == {"name": "临江"}
    assert await people() == 90


async def test_twins_that_are_refused_at_the_same_time_get_one_answer(towns):
    await db.write(add, name="临江", people=999)

    outcomes = await asyncio.gather(
        *(db.write(move_in, actor=ANNA, request_key=KEY, name="临江", people=1) for _ in range(20)),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes} == {TownFull}
    assert tuple(await db.row("SELECT COUNT(*) FROM command WHERE is_refused")) == (1,)


async def test_a_refusal_that_cannot_be_stored_fails_alone(towns):
    async def unfit(tx) -> None:
        raise TownFull(name=object())

    outcomes = await asyncio.gather(
        db.write(add, name="before"),
        db.write(unfit, actor=ANNA, request_key=KEY),
        db.write(add, name="behind"),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [int, TypeError, int]
    assert await names() == {"before", "behind"}


@pytest.mark.parametrize("key", ["", "short-7", "x" * 65, "空格 空格 空格", "has space", "line\nbreak", "semi;colon"])
async def test_an_unfit_key_is_refused_before_anything_else(towns, key):
    with pytest.raises(RequestKeyUnfit):
        await db.write(add, actor=ANNA, request_key=key, name="临江")

    assert await names() == set()


@pytest.mark.parametrize("key", ["x" * 8, "X_-" + "9" * 61])
async def test_keys_of_8_to_64_letters_are_fit(towns, key):
    assert isinstance(await db.write(add, actor=ANNA, request_key=key, name="临江"), int)
