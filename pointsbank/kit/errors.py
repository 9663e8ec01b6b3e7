"""Refusals: expected answers of "no". Each room's subclasses stand at the top of its rules.py."""

import re
from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    """What sort of "no" it is; the value is the HTTP status that web/problems.py gives it."""

    INVALID = "invalid", 400
    FORBIDDEN = "forbidden", 403
    NOT_FOUND = "not_found", 404
    CONFLICT = "conflict", 409
    LIMITED = "limited", 409
    EXPIRED = "expired", 410
    THROTTLED = "throttled", 429
    BUSY = "busy", 503

    @property
    def status(self) -> int:
        return self.value[1]


class Refusal(Exception):
    """A refusal says `kind`, a stable `code` and a zh-CN `message` whose {names} are filled from the facts.

    The message is the source text of translation, so it is shown by web/problems.py and never here.
    Facts must be plain values (str, int, bool, None): they may be stored and shown again on a repeat.
    Points stand in the message as {missing:amount}. The fact is a whole number of the smallest unit, and beside it the
    facts `unit` and `decimals` say how it is written: 50 of 志愿币 with two decimals is 0.50 志愿币.
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    message: ClassVar[str]
    known: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        assert cls.code not in Refusal.known, f"two refusals share the code {cls.code}"
        Refusal.known[cls.code] = cls

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts


REFUSED = re.compile(r"refused ([a-z_.]+)")


def said_by_table(message: str) -> Refusal | None:
    """The refusal that a trigger raised as `refused <code>`: a rule that holds whoever writes."""
    told = REFUSED.search(message)
    return Refusal.known[told[1]]() if told is not None else None


class NotFound(Refusal):
    """Also the answer about somebody else's record: its existence is nobody's business."""

    kind = Kind.NOT_FOUND
    code = "not_found"
    message = "没有找到。请检查地址，或回到上一页。"


class Forbidden(Refusal):
    kind = Kind.FORBIDDEN
    code = "forbidden"
    message = "你没有做这件事的权限。请找社区管理员。"


class Invalid(Refusal):
    kind = Kind.INVALID
    code = "invalid"
    message = "填写的内容不对：{detail}"


class Busy(Refusal):
    """Too much is waiting, or the process is closing; sent with Retry-After."""

    kind = Kind.BUSY
    code = "busy"
    message = "现在太忙，请过几秒再试，不会重复记账。"


class NotWritten(Refusal):
    """Nothing of the command was stored; the same request key may be sent again."""

    kind = Kind.BUSY
    code = "not_written"
    message = "没有存上，请再试一次，不会重复记账。"


class KeyReused(Refusal):
    kind = Kind.CONFLICT
    code = "request_key_reused"
    message = "这个请求号已用于另一次操作。请刷新页面后再试。"
