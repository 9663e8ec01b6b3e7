"""Rows of PostgreSQL that somebody else holds for a while, for tests of who waits for whom."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg


@asynccontextmanager
async def taken(settings, row, key, column="id"):
    """Somebody holds a row as an update would, and lets it go as it was."""
    slow = await asyncpg.connect(settings.database_url)
    try:
        async with slow.transaction():
            await slow.execute(f"SELECT 1 FROM {row} WHERE {column} = $1 FOR NO KEY UPDATE", key)
            yield
    finally:
        await slow.close()


async def waits(waiting):
    await asyncio.sleep(0.3)
    assert not waiting.done()
