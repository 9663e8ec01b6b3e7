"""Why an approval is not given, and the hash of what its checker is shown."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import Kind, Refusal

REASON_LETTERS_MAX = 200
DEPENDENT_DAYS = 7


class OwnRequest(Refusal):
    kind = Kind.FORBIDDEN
    code = "approvals.own_request"
    message = "这是你自己经办的，不能由你来确认。请另一位管理员来做。"


class OwnBenefit(Refusal):
    kind = Kind.FORBIDDEN
    code = "approvals.own_benefit"
    message = "里面有你自己或同一户家人的一份，不能由你来确认。请另一位管理员来做。"


class Dependent(Refusal):
    """Only for some days: where one admin is all there is, he has to be able to appoint the second."""

    kind = Kind.FORBIDDEN
    code = "approvals.dependent"
    message = (
        "你和经办人当中，有人的登录、密码或岗位是另一个人，或者是同一个人，最近 7 天给的。"
        "{day}起你才能来定这一件；急的话，请另一位和经办人没有这种关系的管理员来做。"
    )


class RoleEnded(Refusal):
    kind = Kind.FORBIDDEN
    code = "approvals.role_ended"
    message = "你的登录或角色已经停用，没有确认。请重新登录。"


class FactsChanged(Refusal):
    kind = Kind.CONFLICT
    code = "approvals.facts_changed"
    message = "内容和你看到的不一样了，没有确认。请刷新页面，看过再确认。"


class AlreadyDecided(Refusal):
    kind = Kind.CONFLICT
    code = "approvals.already_decided"
    message = "这件事已经确认、退回或撤回了。请刷新页面。"


class NotGiven(Refusal):
    kind = Kind.CONFLICT
    code = "approvals.not_given"
    message = "还没有第二个人确认，不能办。请另一位管理员先确认。"


class NotTheMaker(Refusal):
    kind = Kind.FORBIDDEN
    code = "approvals.not_the_maker"
    message = "只有经办人自己能撤回。不同意的话，请退回并写明原因。"


class Subject(msgspec.Struct, frozen=True):
    """What an approval is about: room, kind and id, as in ("ledger", "opening_list", 7)."""

    room: str
    kind: str
    id: int


_encode = msgspec.json.Encoder(order="deterministic").encode


def facts_hash(facts: Any) -> str:
    """One hash of plain values: the same for whoever reads the same rows."""
    return hashlib.sha256(_encode(facts)).hexdigest()


def fit_on(maker: Mapping[int, datetime | None], checker: Mapping[int, datetime | None]) -> date | None:
    """The first day on which one who checks is independent of one who made, by who may have signed in as either.

    That may be the other of the two or a third one. None where nobody may: see `people.queries_staff.hands_of`.
    """
    links = [[at for at in (maker[one], checker[one]) if at is not None] for one in maker.keys() & checker.keys()]
    last = max((min(both) for both in links if both), default=None)
    return None if last is None else local_day(last) + timedelta(days=DEPENDENT_DAYS + 1)
