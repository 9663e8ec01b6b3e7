"""Several connections at once: a month is closed while somebody still posts into it."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from tests.ledger.test_periods import AFTER_NOVEMBER, shut

ENTRY = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, source_room, source_kind, source_id,
                          summary, reason)
VALUES ('slow', $1, 'award', $2, $2, 'tests', 'act', 1, '', '')
"""


@pytest.mark.postgres
async def test_a_closing_waits_for_whoever_is_posting_into_the_month(bank, settings):
    await bank.award(await bank.member(), 20)
    bank.clock.set(AFTER_NOVEMBER)
    slow = await asyncpg.connect(settings.database_url)
    try:
        posting = slow.transaction()
        await posting.start()
        await slow.execute(ENTRY, bank.community_id, AFTER_NOVEMBER - timedelta(seconds=1))
        closing = asyncio.ensure_future(shut(bank))
        await asyncio.sleep(0.3)
        assert not closing.done()
        await posting.rollback()
        await closing
    finally:
        await slow.close()
