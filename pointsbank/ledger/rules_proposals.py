"""What of a community's settings one person asks for and another one agrees to, and why it does not come to stand."""

import msgspec

from pointsbank.approvals.rules import Subject
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules_kinds import Settings

APPROVAL_KIND = "ledger.proposal"
DONE = "done"
STANDS_AT_ONCE = frozenset({"name", "unit", "notice_days"})


class ProposalAsked(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.proposal_asked"
    message = "这一项已经有人申请改，正等另一位管理员确认。请先办完那一份，再来改。"


class ProposalMoved(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.proposal_moved"
    message = "这份申请已经办过、退回或撤回了。请刷新页面。"


class ProposalStale(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.proposal_stale"
    message = "申请以后，这一项又改过了，和申请时不一样。请退回这份申请，再申请一次。"


def needs_second(before: Settings, after: Settings) -> bool:
    """Whether another person must agree: not to words, to when holders are told, or to fewer base points."""
    changed = {name for name in Settings.__struct_fields__ if getattr(before, name) != getattr(after, name)}
    if after.base_points < before.base_points and after.base_every in (before.base_every, "never"):
        changed -= {"base_points", "base_every"}
    return not changed <= STANDS_AT_ONCE


def without_base(settings: Settings) -> Settings:
    """What of a new kind makes no points."""
    return msgspec.structs.replace(settings, base_points=0, base_every="never")


def subject(proposal_id: int) -> Subject:
    return Subject("ledger", "proposal", proposal_id)
