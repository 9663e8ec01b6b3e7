"""Points that go from hand to hand, adjustments and reversals: why one is not booked, and who must agree to which."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from pointsbank.approvals.rules import Subject
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules import ISSUES
from pointsbank.people.rules import OWN_PHONE

APPROVAL_KIND = "ledger.voucher"
MERGE_APPROVAL = "governance.merge"
"""What a second person agrees to where two records are one person's."""
SAME_PERSON = "same_person"
NOTE_LETTERS_MAX = 100
GIFTS_MAX = 100
"""Of one batch: each is a voucher that the second person agrees to."""
ASKED, BOOKED, REFUSED, WITHDRAWN = "asked", "booked", "refused", "withdrawn"


class SameBook(Refusal):
    kind = Kind.INVALID
    code = "ledger.same_book"
    message = "转出和转入是同一本存折，不用转。"


class OtherKind(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.other_kind"
    message = "两本存折记的不是同一种积分，不能互转。"


class BookMerged(Refusal):
    """Nobody looks into the passbook of a record that was merged into another."""

    kind = Kind.CONFLICT
    code = "ledger.book_merged"
    message = "这本存折的登记已经并到另一条，积分没有人能用。请到留下的那本存折上办；合并错了的，请先拆开。"


class BookNotEmpty(Refusal):
    kind = Kind.LIMITED
    code = "ledger.book_not_empty"
    message = "存折里还有 {points:amount}，不能销户。请先用完、转出或说明放弃。"


class NotTransferable(Refusal):
    kind = Kind.LIMITED
    code = "ledger.not_transferable"
    message = "社区定的：这种积分不能转给别人。"


class NotWhileBarred(Refusal):
    """A housemate would redeem at the counter what the holder may not."""

    kind = Kind.LIMITED
    code = "ledger.not_while_barred"
    message = "这本存折到 {day}为止不能兑换，这期间积分也不能转给别人。有疑问请到社区。"


class NotDonatable(Refusal):
    kind = Kind.LIMITED
    code = "ledger.not_donatable"
    message = "社区定的：这种积分不能捐。"


class NotHousemate(Refusal):
    kind = Kind.FORBIDDEN
    code = "ledger.not_housemate"
    message = "手机上只能转给同一户的家人。转给别人，请带上积分卡到社区办。"


class OnlyEarned(Refusal):
    kind = Kind.LIMITED
    code = "ledger.only_earned"
    message = "能转、能捐的只有自己挣的积分，现在有 {points:amount}；社区送的只能自己用。"


class BookFull(Refusal):
    kind = Kind.LIMITED
    code = "ledger.book_full"
    message = "那本存折最多存 {most:amount}，放不下这一笔。请减少分数。"


class PotShort(Refusal):
    kind = Kind.LIMITED
    code = "ledger.pot_short"
    message = "社区积分池里还差 {missing:amount}。"


class OwnVoucher(Refusal):
    kind = Kind.FORBIDDEN
    code = "ledger.own_voucher"
    message = "这里面有你自己或同一户家人的存折，不能由你来办。请另一位管理员来做。"


class VoucherMoved(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.voucher_moved"
    message = "这张凭证已经办过、退回或撤回了。请刷新页面。"


class AskedAlready(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.reversal_asked"
    message = "这一笔已经有人申请冲正，正等另一位管理员确认。"


class DayToCome(Refusal):
    kind = Kind.INVALID
    code = "ledger.day_to_come"
    message = "何时的事不能晚于今天。"


class EstateAsked(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.estate_asked"
    message = "这本存折的积分转给谁，已经有人申请，正等另一位管理员确认。"


class EstateChanged(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.estate_changed"
    message = "存折现在是 {balance:amount}，和凭证上写的不一样。请退回这张凭证，再申请一次。"


class JoiningChanged(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.joining_changed"
    message = "存折上的积分和申请时不一样了。请退回这份申请，再申请一次。"


class ElsewhereReversed(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.reversed_elsewhere"
    message = "这一笔不在这里冲正：兑换在柜台撤销，期初余额在它的名单里冲正，销户转来的和到期的请用更正。"


class ClawbackNotNeeded(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.clawback_not_needed"
    message = "存折里的分够，请直接冲正，不用追回。"


class What(StrEnum):
    """What a voucher is for; also the kind of the entry, except that a reversal or clawback makes its own."""

    TRANSFER = "transfer"
    DONATION = "donation"  # to a person, or to the community's pot
    GRANT = "grant"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"
    GIFT = "gift"  # pays only beside earned points
    JOINING = "joining"  # points follow whoever moves house, or turned out to be somebody on the roster
    ESTATE = "estate"  # all that somebody leaves behind goes to an heir, or to the pot
    CLAWBACK = "clawback"  # of what is still there, where a reversal is not covered


WHAT_WORDS = {
    What.TRANSFER: "转让",
    What.DONATION: "捐赠",
    What.GRANT: "积分池发放",
    What.ADJUSTMENT: "更正",
    What.REVERSAL: "冲正",
    What.GIFT: "赠送积分",
    What.JOINING: "随户、分户、合并登记",
    What.ESTATE: "销户转出",
    What.CLAWBACK: "追回",
}
SUMMARIES = {
    What.TRANSFER: "转让积分",
    What.DONATION: "捐赠积分",
    What.GRANT: "社区积分池发放",
    What.ADJUSTMENT: "更正积分",
    What.GIFT: "赠送积分",
}
# What the entry says for ever, by the reason; and what a passbook shows at the end where it went out or came in.
FOLLOWED = {
    "moved": "随户转积分",
    "split": "分户转积分",
    "same_person": "合并登记转积分",
    "death": "继承积分",
    "left": "退出转积分",
}
WENT_OUT = {
    "随户转积分": "随户转出",
    "分户转积分": "分户转出",
    "合并登记转积分": "合并登记转出",
    "继承积分": "去世销户转出",
    "退出转积分": "退出销户转出",
}
CAME_IN = {
    "随户转积分": "随户转入",
    "分户转积分": "分户转入",
    "合并登记转积分": "合并登记转入",
    "继承积分": "继承转入",
    "退出转积分": "退出的人转来",
}
HOW_WORDS = {"in_person": "当面说的", "paper": "签了纸", "call": "打电话说的", OWN_PHONE: "自己在手机上办的"}
ADJUSTMENT_REASONS = {
    "missed": "漏记了",
    "twice": "重复记了",
    "wrong_points": "分数记错了",
    "wrong_book": "记到别人的存折上了",
    "other": "其他",
}
REVERSAL_REASONS = {
    "wrong_points": "分数记错了",
    "wrong_book": "记到别人的存折上了",
    "twice": "重复记了",
    "not_so": "没有这回事",
    "taken_back": "本人要求退回",
}
GRANT_REASONS = {"hardship": "困难帮扶", "holiday": "节日慰问", "praise": "表扬", "other": "其他"}
JOINING_REASONS = {
    "moved": "全户搬走，积分跟着走",
    "split": "分户，带走一部分",
    "same_person": "登记了两次，是同一个人",
}
ESTATE_REASONS = {"death": "本人去世", "left": "本人退出"}
REASON_WORDS = ADJUSTMENT_REASONS | REVERSAL_REASONS | GRANT_REASONS | JOINING_REASONS | ESTATE_REASONS
SECOND_PERSON = frozenset({What.GRANT, What.ADJUSTMENT, What.GIFT})
TAKES_BACK = frozenset({What.REVERSAL, What.CLAWBACK})
ABOVE_A_LIMIT = TAKES_BACK | {What.ESTATE}
HANDED_OVER = frozenset({What.TRANSFER, What.DONATION, What.ESTATE})
"""Points that staff hand on for whoever holds them."""
FOLLOWS = frozenset({What.JOINING, What.ESTATE})
"""Points that move because their holders do: of every sort, and above any limit of the passbook they come to."""
REVERSED_HERE = ("award", "transfer", "donation", "grant", "adjustment", "joining", "base", "gift", "deduction")
CLAWED_HERE = frozenset(ISSUES) & frozenset(REVERSED_HERE)


class Voucher(msgspec.Struct, frozen=True):
    """What somebody asks for, and the entry that it became. A side that is None is the pot's, or the issue's."""

    id: int
    community_id: int
    what: What
    from_id: int | None
    to_id: int | None
    reverses_id: int | None
    points: int
    expires_on: date | None
    reason: str
    note: str
    how: str
    member_id: int | None
    made_by: int | None
    made_at: datetime
    state: str
    approval_id: int | None
    entry_id: int | None
    match_percent: int | None = None
    batch_id: int | None = None
    past_day: date | None = None

    @property
    def book_ids(self) -> list[int]:
        """The passbooks that it touches; both are of one kind."""
        return [one for one in (self.from_id, self.to_id) if one is not None]

    @property
    def facts(self) -> list[object]:
        """All that a second person is asked to confirm."""
        return [
            self.id, self.community_id, self.what, self.from_id, self.to_id, self.reverses_id, self.points,
            self.expires_on, self.reason, self.note, self.how, self.member_id,
            *([] if self.match_percent is None else [self.match_percent]),
            *([] if self.past_day is None else [self.past_day]),
        ]  # fmt: skip


def needs_second(what: What, points: int, *, alone_max: int, decimals: int = 0, leaves_home: bool = False) -> bool:
    """Whether another person must agree: always where points come from nowhere, or go to somebody of another home.

    Otherwise where many are taken or left: `alone_max` counts whole points of any kind, so with two decimals 100 of
    them are 10,000 smallest units.
    """
    return what in SECOND_PERSON or leaves_home or (what in ABOVE_A_LIMIT and points > alone_max * 10**decimals)


def side_words(kind: str, summary: str, points: int) -> str | None:
    """What a passbook shows of an entry that reads differently at its two ends; None of all others."""
    if kind not in FOLLOWS:
        return None
    return (CAME_IN if points > 0 else WENT_OUT)[summary]


def subject(voucher_id: int) -> Subject:
    return Subject("ledger", "voucher", voucher_id)
