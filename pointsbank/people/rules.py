"""Limits, and the refusals of this room."""

from datetime import datetime, timedelta

from pointsbank.kit.clock import local_day
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.text import search_key

CONSENT_VERSION = "2026-11"  # of the text on /privacy; a change of its meaning is a new version

CARD_KEY_ID = 1
ACTIVATION_LIFE = timedelta(days=30)
ACTIVATION_TRIES = 5
PAIRING_LIFE = timedelta(minutes=10)
STAFF_SESSION_LIFE = timedelta(hours=12)
RESIDENT_SESSION_LIFE = timedelta(days=180)
TOKEN_DAYS_MAX = 3650
LOGIN_FAILURES_MAX = 5
LOGIN_BLOCK = timedelta(minutes=15)

NAME_LENGTH_MAX = 40
DOOR_LENGTH_MAX = 40
LOGIN_LENGTH_MAX = 40
PURPOSE_LENGTH_MAX = 100
ASKED_LENGTH_MAX = 60
ANSWER_LENGTH_MAX = 200
BIRTH_YEAR_MIN = 1900
HOUSEHOLD_MAX = 30  # people who move at once

OWN_PHONE = "own_phone"
CORRECTABLE = ("name", "phone", "birth_year")
ASKABLE = (*CORRECTABLE, "home")

PARENT_KINDS: dict[str, tuple[str | None, ...]] = {
    "district": (None,),
    "street": (None, "district"),
    "community": ("street",),
    "grid": ("community",),
    "building": ("community", "grid"),
}


class UnknownCode(Refusal):
    """Also the answer about a card or phone of another community: whose it is, is nobody's business here."""

    kind = Kind.NOT_FOUND
    code = "people.unknown_code"
    message = "没认出这个码。请再扫一次；还不行，请会员打开「我的码」或换一张卡。"


class CardLost(Refusal):
    kind = Kind.EXPIRED
    code = "people.card_lost"
    message = "此卡 {day}已挂失，请收回并联系社区。持卡人可以改用手机码。"


class CardReplaced(Refusal):
    kind = Kind.EXPIRED
    code = "people.card_replaced"
    message = "此卡 {day}已换新卡，请收回旧卡，改扫新卡或手机码。"


class CodeExpired(Refusal):
    kind = Kind.EXPIRED
    code = "people.code_expired"
    message = "码已过期。请会员点「刷新」，再扫新的码。"


class CodeUsed(Refusal):
    kind = Kind.CONFLICT
    code = "people.code_used"
    message = "这个码已经用过。请会员点「刷新」，再扫新的码。"


class PaymentCode(Refusal):
    kind = Kind.INVALID
    code = "people.payment_code"
    message = "这是付款码，没有保存。请会员打开积分银行的「我的码」。"


class NotCardOrPhone(Refusal):
    kind = Kind.INVALID
    code = "people.not_a_member_code"
    message = "这不是会员码。请扫积分卡，或会员手机上的「我的码」。"


class TypedNumber(Refusal):
    """A member number is an identifier, never authority; PINs do not exist yet."""

    kind = Kind.FORBIDDEN
    code = "people.typed_number"
    message = "不能只凭存折号办理。请扫积分卡，或会员手机上的「我的码」。"


class StillProvisional(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.still_provisional"
    message = "这个人还没有核对，不能办理。请先在「待核对」里确认是谁。"


class IdNumberTaken(Refusal):
    kind = Kind.CONFLICT
    code = "people.id_number_taken"
    message = "这个身份证号已经登记过。请先在名册里找一找。"


class NotSettled(Refusal):
    """The person was settled, merged or never provisional."""

    kind = Kind.CONFLICT
    code = "people.not_provisional"
    message = "这个人已经核对过了。请刷新页面。"


class HoldsRole(Refusal):
    """Logins and roles hang on the record itself."""

    kind = Kind.CONFLICT
    code = "people.record_holds_role"
    message = "这一条登记有岗位或登录，不能并掉。请反过来办：留下这一条，把另一条并进来。"


class RequestsFirst(Refusal):
    kind = Kind.CONFLICT
    code = "people.requests_first"
    message = "这一条登记还有本人的申请没有答复。请先在「居民的申请」里答复，再合并。"


class BadMerge(Refusal):
    kind = Kind.INVALID
    code = "people.bad_merge"
    message = "不能合并：要选同一社区里另一位已登记的居民。"


class NoLiveCard(Refusal):
    kind = Kind.CONFLICT
    code = "people.no_live_card"
    message = "这个人现在没有可用的卡。需要的话请发新卡。"


class WrongActivation(Refusal):
    """One answer for wrong, used, expired and never issued."""

    kind = Kind.NOT_FOUND
    code = "people.wrong_activation"
    message = "激活码不对或已失效。请核对存折号和 12 位数字；输错 5 次就要到社区换新的。"


class TooManyTries(Refusal):
    kind = Kind.THROTTLED
    code = "people.too_many_tries"
    message = "试的次数太多。请过一小时再试，或到社区请工作人员办。"


class WrongPairing(Refusal):
    kind = Kind.NOT_FOUND
    code = "people.wrong_pairing"
    message = "这 8 位数字不对或已过期。请居民在手机上重新点「显示配对数字」。"


class NotPaired(Refusal):
    kind = Kind.CONFLICT
    code = "people.not_paired"
    message = "还没有配好。请把数字给工作人员输入，再点一次。"


class SignInFailed(Refusal):
    """One answer whatever was wrong, so that nobody learns which logins exist."""

    kind = Kind.FORBIDDEN
    code = "people.sign_in_failed"
    message = "登录名或密码不对。连续输错 5 次，要等 15 分钟再试。忘了密码请找社区管理员。"


class NoRole(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.no_role"
    message = "这个登录名还没有岗位。请找社区管理员。"


class ChooseRoleFirst(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.choose_role_first"
    message = "你有几个岗位，请先选一个：打开「换岗位」。"


class ChangePasswordFirst(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.change_password_first"
    message = "这是一次性密码，请先改成自己的：打开「改密码」。"


class LoginTaken(Refusal):
    kind = Kind.CONFLICT
    code = "people.login_taken"
    message = "这个登录名已经有人用，或这个人已经有登录名。请换一个。"


class UnknownLogin(Refusal):
    kind = Kind.NOT_FOUND
    code = "people.unknown_login"
    message = "没有这个登录名。"


class OwnRoles(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.own_roles"
    message = "不能改自己的岗位和登录。请找另一位管理员。"


class RoleUnfit(Refusal):
    kind = Kind.INVALID
    code = "people.role_unfit"
    message = "这个岗位不能设在这里。"


class SeveralRoles(Refusal):
    kind = Kind.INVALID
    code = "people.several_roles"
    message = "这个登录名有几个岗位，请写明要用哪一个。"


class OtherRoles(Refusal):
    """A local admin could otherwise sign in as somebody who oversees him."""

    kind = Kind.FORBIDDEN
    code = "people.other_roles"
    message = "这个人在别处也有岗位，要由系统管理员来改。"


class AlreadyAtDoor(Refusal):
    kind = Kind.CONFLICT
    code = "people.already_at_door"
    message = "这一户里已经有同名的人。请在名册里找一找。"


class AlreadyThere(Refusal):
    kind = Kind.CONFLICT
    code = "people.already_there"
    message = "已经住在这一户，不用搬。请换一个门牌。"


class NotOneHome(Refusal):
    """Also said where somebody left, moved or was never a member."""

    kind = Kind.CONFLICT
    code = "people.not_one_home"
    message = "选中的人现在不都是这一户的成员。请刷新页面再选。"


class AlreadyAsked(Refusal):
    kind = Kind.CONFLICT
    code = "people.already_asked"
    message = "这件事已经提交过，社区还没有答复。要改内容，请先撤回。"


class RequestSettled(Refusal):
    kind = Kind.CONFLICT
    code = "people.request_settled"
    message = "这条申请已经办过或撤回了。请刷新页面。"


class OwnRequest(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.own_request"
    message = "这是你自己的申请，不能由你来办。请另一位管理员来办。"


class NotMerged(Refusal):
    kind = Kind.CONFLICT
    code = "people.not_merged"
    message = "这两条记录现在是分开的。请刷新页面。"


class HasLeft(Refusal):
    kind = Kind.CONFLICT
    code = "people.has_left"
    message = "这个人已经退出，不能再办。"


class NotBound(Refusal):
    """A phone that only scanned a poster, or none: whoever holds it may be anybody."""

    kind = Kind.FORBIDDEN
    code = "people.not_bound"
    message = "这部手机还没有激活。请用激活条激活，或到社区当面办。"


class NotYou(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.not_you"
    message = "和登记的不一样。请再输一次；登记得不对的，请到社区办。"


class RoleHeld(Refusal):
    kind = Kind.CONFLICT
    code = "people.role_held"
    message = "这个人已经有这个岗位。"


def refusal_of(kind: CodeKind) -> Refusal:
    """What to say to a scan that is neither a card nor a phone code."""
    if kind is CodeKind.UNKNOWN:
        return UnknownCode()
    if kind is CodeKind.PAYMENT:
        return PaymentCode()
    return TypedNumber() if kind is CodeKind.MEMBER_NUMBER else NotCardOrPhone()


def check_card_state(state: str, ended_at: datetime | None) -> None:
    if state == "live":
        return
    assert ended_at is not None
    day = local_day(ended_at).isoformat()
    raise CardLost(day=day) if state == "lost" else CardReplaced(day=day)


def normal_login(text: str) -> str:
    """The one form in which a login is stored and looked for."""
    return "".join(search_key(text).split())
