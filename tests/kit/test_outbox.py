"""The outbox: a message is there if its action was committed, and handed over at least once."""

import pytest

from pointsbank.kit import db
from pointsbank.kit.db import outbox
from pointsbank.kit.errors import NotFound

pytestmark = pytest.mark.both


async def tell_of(tx, *, number: int, refused: bool = False) -> int:
    await outbox.put(tx, "tests", number=number)
    if refused:
        raise NotFound
    return number


async def test_what_was_committed_is_handed_over_once_and_in_order(database):
    for number in range(3):
        await db.write(tell_of, number=number)
    heard = []

    counts = [await outbox.deliver(lambda message: heard.append(message.facts["number"])) for _ in range(2)]

    assert counts == [3, 0]
    assert heard == [0, 1, 2]


async def test_nothing_is_told_of_what_was_refused(database):
    with pytest.raises(NotFound):
        await db.write(tell_of, number=1, refused=True)

    assert await outbox.deliver(lambda message: pytest.fail(str(message))) == 0


async def test_a_message_whose_delivery_broke_off_is_handed_over_again(database):
    await db.write(tell_of, number=7)

    def break_off(_message):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await outbox.deliver(break_off)
    heard = []

    assert await outbox.deliver(lambda message: heard.append(message.facts["number"])) == 1
    assert heard == [7]
