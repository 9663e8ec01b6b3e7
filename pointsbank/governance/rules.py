"""Who may not decide, and what becomes of a passbook when its people move."""

from enum import StrEnum

from pointsbank.kit.errors import Kind, Refusal

RULING_LETTERS_MAX = 200
ANSWER_LETTERS_MAX = 200
ASKED, DONE, REFUSED, WITHDRAWN = "asked", "done", "refused", "withdrawn"


class OwnMatter(Refusal):
    kind = Kind.FORBIDDEN
    code = "governance.own_matter"
    message = "这是你自己或同一户家人的事，不能由你来定。请另一位管理员来做。"


class FilledAlone(Refusal):
    """Only for some days, as with logins: where one admin is all there is, families come and go too."""

    kind = Kind.FORBIDDEN
    code = "governance.filled_alone"
    message = (
        "这样迁，一户共用的积分会到最近 7 天由你（或者和你互相给过登录、密码、岗位的人）登记或迁进来的人手里。"
        "{day}起你才能办；急的话，请另一位管理员来办。"
    )


class LeftBehind(Refusal):
    """As long as whoever moved in could be moved out again before anybody has noticed."""

    kind = Kind.FORBIDDEN
    code = "governance.left_behind"
    message = (
        "最近 7 天，积分由你（或者和你互相给过登录、密码、岗位的人）随这次要迁走的人转进了这一户；"
        "这样迁走，积分就留给了别人。{day}起你才能办；急的话，请另一位管理员来办。"
    )


class OwnRecord(Refusal):
    kind = Kind.FORBIDDEN
    code = "governance.own_record"
    message = "这件异议是你记下的，不能由你来答复。请另一位管理员来做。"


class OwnMerge(Refusal):
    kind = Kind.FORBIDDEN
    code = "governance.own_merge"
    message = "这两条记录是你合并的，不能由你来拆开。请另一位管理员来做。"


class MergeAsked(Refusal):
    kind = Kind.CONFLICT
    code = "governance.merge_asked"
    message = "这条登记已经有人申请合并，正等另一位管理员确认。"


class MergeMoved(Refusal):
    kind = Kind.CONFLICT
    code = "governance.merge_moved"
    message = "这份合并申请已经办过、退回或撤回了。请刷新页面。"


class DisputedFirst(Refusal):
    kind = Kind.CONFLICT
    code = "governance.disputed_first"
    message = "有一笔积分正被异议。请先在「公示与异议」里答复，再来办。"


class PointsLeft(Refusal):
    kind = Kind.LIMITED
    code = "governance.points_left"
    message = "「{name}」存折还有 {points:amount}。请先用完，或由本人说明放弃这 {points:amount}。"


class PointsFirst(Refusal):
    """Of a record that was parted and had its points back: nobody would look into its passbook again."""

    kind = Kind.CONFLICT
    code = "governance.points_first"
    message = "这条登记的存折里还有 {points:amount}。请先登记为新居民，再申请合并，由另一位管理员确认。"


class NothingToPassOn(Refusal):
    kind = Kind.CONFLICT
    code = "governance.nothing_to_pass_on"
    message = "没有要转出的积分：存折是空的，或者留给家里的人。请直接办理退出。"


class BookStays(Refusal):
    kind = Kind.CONFLICT
    code = "governance.book_stays"
    message = "现在家里还有别人用这本存折，积分留给家里的人。请退回这张凭证，直接办理退出。"


class OpeningFirst(Refusal):
    kind = Kind.CONFLICT
    code = "governance.opening_first"
    message = "这本存折在还没入账的期初余额清单里。请先把清单办完或撤回，再来办。"


class Fate(StrEnum):
    """What becomes of a passbook when people move house."""

    OWN = "own"  # goes along with its person, as it is
    HOME = "home"  # goes along with its household, as it is
    EMPTIED = "emptied"  # all of it goes into the new household's, and it is closed
    SHARED = "shared"  # part of it goes along
    STAYS = "stays"


def fate_of(*, is_own: bool, joins_household: bool, stays_household: bool, is_last: bool, share: int) -> Fate:
    """Of a person's own passbook, or of the household's that is left.

    `joins_household`: of a kind that is shared at home, while its person had none so far.
    """
    if is_own:
        return Fate.EMPTIED if joins_household else Fate.OWN
    if stays_household:
        return Fate.HOME
    if is_last:
        return Fate.EMPTIED
    return Fate.SHARED if share else Fate.STAYS
