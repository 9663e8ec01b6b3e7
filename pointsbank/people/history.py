"""What happened to somebody's sign-in, in words: for himself and for whoever manages staff."""

from datetime import datetime

import msgspec

from pointsbank.people import queries
from pointsbank.people.access import ROLE_NAMES, Role
from pointsbank.trail import queries as trail
from pointsbank.web.i18n import N_, _

SHOWN = 12
SAID = {
    "login.made": N_("开通登录"),
    "login.used": N_("登录"),
    "login.password_changed": N_("自己改了密码"),
    "login.password_reset": N_("密码被重设，给了一次性密码"),
    "login.disabled": N_("登录停用"),
    "role.granted": N_("给了一个岗位"),
    "role.ended": N_("收回一个岗位"),
    "session.ended": N_("退出一处登录"),
    "session.all_ended": N_("全部登录被退出"),
    "second_step.on": N_("开了登录验证码"),
    "second_step.off": N_("关了登录验证码"),
    "second_step.taken_off": N_("登录验证码被解除"),
    "second_step.blocked": N_("验证码连续输错 5 次"),
    "token.issued": N_("发了一个程序令牌"),
    "token.revoked": N_("作废一个程序令牌"),
}


class Shown(msgspec.Struct, frozen=True):
    """`by` is empty where somebody did it himself, or the program."""

    at: datetime
    what: str
    by: str


async def shown_history(person_id: int) -> list[Shown]:
    records = await trail.recent(("person", person_id), list(SAID), SHOWN)
    others = {one.person_id for one in records if one.person_id not in {None, person_id}}
    names = await queries.masked_names(other for other in others if other is not None)
    return [Shown(one.at, _what(one), names.get(one.person_id or 0, "")) for one in records]


def _what(record: trail.Record) -> str:
    role = record.facts.get("role")
    return _(SAID[record.verb]) + (_("：") + _(ROLE_NAMES[Role(role)]) if role else "")
