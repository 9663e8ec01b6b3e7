"""Gift points: they pay only beside earned ones, as many to a hundred as the gift says."""

from datetime import date

from pointsbank.kit.db import Tx
from pointsbank.ledger import actions, rules
from pointsbank.ledger.actions import Source
from pointsbank.ledger.rules import Bucket, Posted, WrongMatch
from pointsbank.trail import actions as trail


async def give_gift(
    tx: Tx,
    *,
    community_id: int,
    passbook_id: int,
    points: int,
    match_percent: int,
    expires_on: date,
    posting_key: str,
    member_id: int | None,
    source: Source,
    summary: str,
) -> Posted:
    """Issue points of which at most `match_percent` go with a hundred earned ones of the same spending."""
    if not 1 <= match_percent <= rules.MATCH_PERCENT_MAX:
        raise WrongMatch(most=rules.MATCH_PERCENT_MAX)
    posted = await actions.issue(
        tx,
        kind="gift",
        community_id=community_id,
        passbook_id=passbook_id,
        points=points,
        posting_key=posting_key,
        effective_at=tx.now,
        bucket=Bucket(rules.GIFT, expires_on, match_percent),
        member_id=member_id,
        version_id=None,
        source=source,
        summary=summary,
    )
    await trail.record(tx, "gift.given", subject=("entry", posted.entry_id), points=points, match_percent=match_percent)
    return posted
