"""The first run: what is asked before there is a bank, kept so that it can be left and resumed.

Whoever founds a bank decides who runs it. So nothing is shown without the setup code, which stands in the terminal
and in the data folder. The answers lie there too, beside the code, until the bank is founded; the password never does.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pointsbank.app import init as founding
from pointsbank.app.init import Outcome, Plan
from pointsbank.app.passwords import LETTERS
from pointsbank.awards import rules as awards
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.settings import Settings
from pointsbank.people.rules import LOGIN_LENGTH_MAX, NAME_LENGTH_MAX
from pointsbank.scoring.rules import Table
from pointsbank.web.i18n import N_

FILE_NAME = "first-run.json"
CODE_GROUPS, CODE_GROUP = 4, 4  # some 79 random bits
NOTICE_DAYS_MAX = 30
BUILDINGS_MAX = 300
BUILDINGS_TEXT_MAX = 4000
PASSWORD_LENGTH_MAX = 200


class NeedsCode(Refusal):
    kind = Kind.FORBIDDEN
    code = "app.needs_setup_code"
    message = "设置码不对，或还没有输入。它在启动程序的窗口里。"


class NotFoundedYet(Refusal):
    kind = Kind.BUSY
    code = "app.not_founded"
    message = "这里还没有建好。请先在浏览器里把第一次运行的几步填完。"


Name = Annotated[str, Meta(max_length=NAME_LENGTH_MAX)]


class Place(msgspec.Struct, frozen=True):
    street: Annotated[Name, Meta(title=N_("街道"))]
    community: Annotated[Name, Meta(title=N_("社区"))]
    district: Annotated[Name, Meta(title=N_("区县"))] = ""
    buildings: Annotated[str, Meta(title=N_("楼栋"), max_length=BUILDINGS_TEXT_MAX)] = ""


class Unit(msgspec.Struct, frozen=True):
    unit_name: Annotated[Name, Meta(title=N_("单位名称"))]
    service_phone: Annotated[Name, Meta(title=N_("服务电话"))]
    oversight_phone: Annotated[Name, Meta(title=N_("监督电话"))]


class Choice(msgspec.Struct, frozen=True):
    template: str = ""


class Passbook(msgspec.Struct, frozen=True):
    holder: Annotated[Literal["person", "household"], Meta(title=N_("存折归谁"))]
    notice_days: Annotated[int, Meta(title=N_("公示天数"), ge=0, le=NOTICE_DAYS_MAX)]


class Outlet(msgspec.Struct, frozen=True):
    outlet: Annotated[Name, Meta(title=N_("爱心超市的名称"))]
    hours: Annotated[Name, Meta(title=N_("开门时间"))]
    counter: Annotated[Name, Meta(title=N_("兑换台的名称"))]


class Admin(msgspec.Struct, frozen=True):
    name: Annotated[Name, Meta(title=N_("姓名"))]
    login: Annotated[str, Meta(title=N_("登录名"), max_length=LOGIN_LENGTH_MAX)]


class AdminForm(Admin, frozen=True):
    """What is typed; of this only Admin is kept. Two empty passwords leave the one that was set before."""

    password: Annotated[str, Meta(title=N_("密码"), max_length=PASSWORD_LENGTH_MAX)] = ""
    again: Annotated[str, Meta(title=N_("再输一次密码"), max_length=PASSWORD_LENGTH_MAX)] = ""


class Answers(msgspec.Struct, frozen=True):
    """A field for each step, in their order; None where nobody has been yet."""

    place: Place | None = None
    unit: Unit | None = None
    table: Choice | None = None
    passbook: Passbook | None = None
    outlet: Outlet | None = None
    admin: Admin | None = None


STEPS: tuple[str, ...] = Answers.__struct_fields__
FORMS: dict[str, type[msgspec.Struct]] = dict(
    zip(STEPS, (Place, Unit, Choice, Passbook, Outlet, AdminForm), strict=True)
)


class Kept(msgspec.Struct, frozen=True):
    """The file of the data folder."""

    setup_code: str
    answers: Answers = Answers()


@cache
def tables() -> dict[str, Table]:
    """The scoring tables that come with the program, by the names of their files."""
    return {name: founding.template(name) for name in founding.templates()}


def _new_code() -> str:
    groups = ["".join(secrets.choice(LETTERS) for _ in range(CODE_GROUP)) for _ in range(CODE_GROUPS)]
    return "-".join(groups)


def forget(settings: Settings) -> None:
    """What an interrupted first run left beside a bank that was founded in the end."""
    (settings.data / FILE_NAME).unlink(missing_ok=True)


class FirstRun:
    """The state of one first run: the file's, and what only this process knows."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.path = settings.data / FILE_NAME
        self.kept = self._read() or Kept(_new_code())
        self.password_hash: str | None = None
        self.outcome: Outcome | None = None
        self.founding_key = ""
        self.turn = asyncio.Lock()
        self.finished = asyncio.Event()
        self._write()

    @property
    def answers(self) -> Answers:
        return self.kept.answers

    @property
    def is_over(self) -> bool:
        return self.outcome is not None or self.finished.is_set()

    def fits(self, code: str) -> bool:
        """Whether this is the setup code, however it was copied."""
        plain = "".join(letter for letter in code.lower() if letter.isalnum())
        wanted = self.kept.setup_code.replace("-", "")
        return hmac.compare_digest(plain.encode("utf-8", "surrogatepass"), wanted.encode())

    def answer(self, step: str, given: msgspec.Struct) -> None:
        """Keep a step's answer. Another table asks again for what it has words about."""
        answers = msgspec.structs.replace(self.answers, **{step: given})
        if step == "table" and self.answers.table not in (None, given):
            answers = msgspec.structs.replace(answers, passbook=None)
        self.kept = msgspec.structs.replace(self.kept, answers=answers)
        self._write()

    def next_step(self) -> str | None:
        """The first step that is still to be done; None when all can be checked."""
        missing = (step for step in STEPS if getattr(self.answers, step) is None)
        return next(missing, "admin" if self.password_hash is None else None)

    def seal(self) -> str:
        """Stands for all answers: what is founded is what was looked at."""
        shown = msgspec.json.encode(self.answers) + (self.password_hash or "").encode()
        return hashlib.sha256(shown).hexdigest()

    def plan(self) -> Plan:
        place, unit, passbook, outlet, admin = (
            self.answers.place, self.answers.unit, self.answers.passbook, self.answers.outlet, self.answers.admin,
        )  # fmt: skip
        assert place is not None
        assert unit is not None
        assert passbook is not None
        assert outlet is not None
        assert admin is not None
        return Plan(
            district=place.district,
            street=place.street,
            community=place.community,
            buildings=place.buildings.splitlines(),
            unit_name=unit.unit_name,
            holder=passbook.holder,
            notice_days=passbook.notice_days,
            service_phone=unit.service_phone,
            oversight_phone=unit.oversight_phone,
            outlet=outlet.outlet,
            hours=outlet.hours,
            counter=outlet.counter,
            admin_name=admin.name,
            admin_login=admin.login,
            must_change=False,
        )

    def suggested(self, step: str) -> dict[str, object]:
        """What a step's form shows first: what was answered, else what `init` would suggest."""
        answered = getattr(self.answers, step)
        if answered is not None:
            return msgspec.structs.asdict(answered)
        place, table = self.answers.place, self.answers.table
        if step == "unit" and place is not None:
            return {"unit_name": place.community}
        if step == "passbook" and table is not None:
            chosen = tables()[table.template]
            return {"holder": chosen.passbook, "notice_days": awards.notice_days(chosen)}
        if step == "outlet" and place is not None:
            outlet = founding.outlet_of(place.community)
            return {"outlet": outlet, "hours": founding.OUTLET_HOURS, "counter": founding.COUNTER}
        return {}

    async def found(self, request_key: str) -> Outcome:
        """Found what was asked for; the file goes, since the database has it all now. Needs the turn."""
        assert self.turn.locked()
        assert self.answers.table is not None
        assert self.password_hash is not None
        table = tables()[self.answers.table.template]
        self.outcome = await founding.establish(self.settings, self.plan(), table, self.password_hash)
        self.founding_key = request_key
        forget(self.settings)
        return self.outcome

    def _read(self) -> Kept | None:
        """What an earlier start kept; a file that cannot be understood is as good as none."""
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        table = kept.answers.table
        if table is not None and table.template not in tables():  # another version of the program kept it
            return msgspec.structs.replace(kept, answers=msgspec.structs.replace(kept.answers, table=None))
        return kept

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.kept)))
        draft.replace(self.path)  # appears whole or not at all
