"""What one person may do alone is a setting of the books: from now on it is sealed with them."""

from datetime import UTC, datetime
from typing import Any

from tortoise.migrations import operations as ops

from pointsbank.ledger import canon

from ._lib import HandWritten

LIMITS = """
SELECT community.id, community.reversal_alone_max FROM people_community community
  JOIN ledger_book_kind kind ON kind.community_id = community.id AND kind.code = 'points' ORDER BY community.id
"""
RECORD = """
INSERT INTO ledger_change (community_id, what, name, actor_id, changed_at, content)
VALUES ({}, 'limit', 'alone', NULL, {}, {})
"""


async def record_what_is_there(_apps: Any, editor: Any) -> None:
    execute, now = editor.client.execute_query, datetime.now(UTC)
    is_sqlite = editor.client.capabilities.dialect == "sqlite"
    insert = RECORD.format(*(["?"] * 3 if is_sqlite else ["$1", "$2", "$3"]))
    for community_id, alone_max in (await execute(LIMITS))[1]:
        changed_at = canon.text(now) if is_sqlite else now
        await execute(insert, [community_id, changed_at, canon.content({"reversal_alone_max": alone_max})])


class Migration(HandWritten):
    dependencies = [("models", "0044_proposals")]
    operations = [ops.RunPython(record_what_is_there, ops.RunPython.noop)]
