"""The first run in the browser: a page for each step, one to look at it all, and the key page."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ASGIApp

from pointsbank.app import first_run, guides, health, wiring
from pointsbank.app import init as founding
from pointsbank.app.commands import clean_name
from pointsbank.app.database import DatabaseUnfit
from pointsbank.app.first_run import FORMS, STEPS, Admin, AdminForm, Choice, FirstRun, NeedsCode, NotFoundedYet, Place
from pointsbank.app.init import HOLDERS, AlreadyFounded
from pointsbank.kit import crypto
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import KeyFileBroken
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people import passwords
from pointsbank.people.browser import is_https, to
from pointsbank.people.rules import LOGIN_LENGTH_MAX, normal_login
from pointsbank.scoring import rules as scoring
from pointsbank.scoring.routes_pieces import grouped, rules_told, writing
from pointsbank.scoring.rules import Table
from pointsbank.web import cookies, current, forms, offline, problems
from pointsbank.web import routes as web
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.limits import Limits
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
Run = NamedDependency[FirstRun]

LABELS = (N_("地方"), N_("抬头"), N_("积分标准"), N_("存折"), N_("超市"), N_("管理员"), N_("看一遍"))
NAMES = frozenset(
    ("district", "street", "community", "unit_name", "service_phone", "oversight_phone", "outlet", "hours", "counter",
     "name", "login")
)  # fmt: skip


class CodeForm(msgspec.Struct):
    code: str


class CheckForm(msgspec.Struct):
    request_key: str
    seal: str


class KeysForm(msgspec.Struct):
    kept: bool = False


def _holds_code(request: ASGIConnection[Any, Any, Any, Any], run: FirstRun) -> bool:
    name = cookies.cookie_name("setup", https=is_https(run.settings))
    return run.fits(current.cookie(cast("current.Scope", request.scope), name))


async def needs_code(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    if not _holds_code(connection, connection.app.state.run):
        raise NeedsCode


GUARDS: Sequence[Any] = [needs_code]


# The setup code.


@get("/", sync_to_thread=False)
def start(request: AnyRequest, run: Run) -> Response[str] | Redirect:
    """To where one stands; to the code for whoever has not shown it."""
    if not _holds_code(request, run):
        return page("app/setup_code.html", form=forms.blank())
    return to(_next_url(run))


@get("/first-run/{code:str}", sync_to_thread=False)
def come_by_link(code: FromPath[str], run: Run) -> Redirect:
    """The link in the terminal. The code becomes a cookie at once, so that it does not stay in the address bar."""
    return _admitted(run, code)


@post("/first-run")
async def type_code(request: AnyRequest, run: Run) -> Redirect:
    form = await forms.read(request, CodeForm)
    return _admitted(run, form.typed.get("code", ""))


def _admitted(run: FirstRun, code: str) -> Redirect:
    if not run.fits(code):
        raise NeedsCode
    answer, https = to("/"), is_https(run.settings)
    cookies.set_cookie(answer, cookies.cookie_name("setup", https=https), run.kept.setup_code, https=https)
    return answer


def on_needs_code(_request: AnyRequest, refusal: Refusal) -> Response[str]:
    form: Filled[CodeForm] = forms.blank()
    form.refuse("code", refusal)
    return page("app/setup_code.html", status=refusal.kind.status, form=form)


# The steps.


@get("/steps/{step:str}", sync_to_thread=False, guards=GUARDS)
def step_page(step: FromPath[str], run: Run) -> Response[str] | Redirect:
    """A step that has its turn, or had it before."""
    if step not in STEPS:
        raise NotFound
    if run.is_over or not _is_reached(run, step):
        return to(_next_url(run))
    return _step(run, step, forms.blank(**run.suggested(step)))


@post("/steps/{step:str}", guards=GUARDS)
async def answer_step(step: FromPath[str], request: AnyRequest, run: Run) -> Response[str] | Redirect:
    """Keep what was typed, and go on."""
    if step not in STEPS:
        raise NotFound
    if run.is_over or not _is_reached(run, step):
        return to(_next_url(run))
    form: Filled[Any] = await forms.read(request, FORMS[step])
    given = _cleaned(form)
    if step == "admin" and isinstance(given, AdminForm):
        given = await _admin(run, form, given)
    elif isinstance(given, Choice) and given.template not in first_run.tables():
        form.refuse("template", _("请先选一份积分标准"))
    if given is None or not form.is_valid:
        return _step(run, step, form, status=400)
    run.answer(step, given)
    return to(_next_url(run))


def _cleaned(form: Filled[Any]) -> msgspec.Struct | None:
    """The answer as it is stored; names that nobody could read out are refused at their field."""
    if not form.is_valid:
        return None
    given: msgspec.Struct = form.value
    clean: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(given).items():
        try:
            if name in NAMES and value:
                clean[name] = clean_name(value)
            elif name == "buildings":
                clean[name] = "\n".join(clean_name(line) for line in value.splitlines() if line.strip())
        except Refusal as refusal:
            form.refuse(name, refusal)
    given = msgspec.structs.replace(given, **clean)
    if isinstance(given, Place):
        _check_buildings(form, given.buildings.splitlines())
    return given


def _check_buildings(form: Filled[Any], buildings: list[str]) -> None:
    twice = next((name for name in buildings if buildings.count(name) > 1), None)
    if twice is not None:
        form.refuse("buildings", _("“{name}”写了两次，请留一行", name=twice))
    if len(buildings) > first_run.BUILDINGS_MAX:
        form.refuse("buildings", _("楼栋最多 {most} 行，其余的以后再加", most=first_run.BUILDINGS_MAX))


async def _admin(run: FirstRun, form: Filled[Any], given: AdminForm) -> Admin | None:
    """Check and hash the password; what is kept of the step is the rest. Empty, the one that was set stays."""
    login = normal_login(given.login)
    if not 0 < len(login) <= LOGIN_LENGTH_MAX:
        form.refuse("login", _("登录名要有 1 到 {most} 个字", most=LOGIN_LENGTH_MAX))
        return None
    known = run.answers.admin
    stays = run.password_hash is not None and known is not None and known.login == login
    if given.password or given.again or not stays:
        if crypto.weak_password(given.password, login):
            form.refuse("password", _("密码太简单：至少 8 位，不能和登录名相同，也不能是连号"))
        elif given.password != given.again:
            form.refuse("again", _("两次输入的密码不一样，请再输一次"))
        if not form.is_valid:
            return None
        run.password_hash = await passwords.hashed(given.password)
    return Admin(given.name, login)


@get("/tables/{name:str}", sync_to_thread=False, guards=GUARDS)
def table_page(name: FromPath[str], run: Run) -> Response[str] | Redirect:
    """Look into a scoring table before choosing it."""
    if name not in first_run.tables():
        raise NotFound
    if run.is_over or not _is_reached(run, "table"):
        return to(_next_url(run))
    table = first_run.tables()[name]
    return page(
        "app/first_look.html", name=name, table=table, groups=grouped(table, {}), rules_shown=_rules_shown(table)
    )


def _rules_shown(table: Table) -> list[tuple[str, str]]:
    book_kinds = {MAIN: Denomination(MAIN, "", table.unit_name, table.decimals, "")}
    pairs = [
        (_("来源"), f"{table.place}《{table.document}》"),
        (_("类型"), _(scoring.WORDS[table.kind])),
        (_("存折"), _(HOLDERS[table.passbook])),
        (_("有效期"), scoring.shown(table.validity, _)),
        (_("合计上限"), scoring.shown(table.caps, _, writing(book_kinds))),
        (_("公示天数"), scoring.shown(table.notice_days)),
        *((_(label), words) for label, words in rules_told(table, book_kinds)),
    ]
    return [(label, words) for label, words in pairs if words]


def _step(run: FirstRun, step: str, form: Filled[Any], status: int = 200) -> Response[str]:
    number = STEPS.index(step)
    return page(
        f"app/first_{step}.html",
        status=status,
        form=form,
        labels=[_(label) for label in LABELS],
        number=number + 1,
        back=f"/steps/{STEPS[number - 1]}" if number else None,
        is_last=run.next_step() is None,
        has_password=run.password_hash is not None,
        is_back_again=run.answers.admin is not None and run.password_hash is None,
        kinds=_tables_by_kind() if step == "table" else [],
        holders=[(name, _(label)) for name, label in HOLDERS.items()],
    )


def _tables_by_kind() -> list[tuple[str, list[tuple[str, Table, str]]]]:
    """The tables under the words of their kind: file name, table, words for the passbook."""
    found: dict[str, list[tuple[str, Table, str]]] = {}
    for kind in scoring.TableKind:
        for name, table in first_run.tables().items():
            if table.kind == kind:
                found.setdefault(_(scoring.WORDS[kind]), []).append((name, table, _(HOLDERS[table.passbook])))
    return list(found.items())


def _is_reached(run: FirstRun, step: str) -> bool:
    waiting = run.next_step()
    return waiting is None or STEPS.index(step) <= STEPS.index(waiting)


def _next_url(run: FirstRun) -> str:
    if run.is_over:
        return "/keys"
    step = run.next_step()
    return "/check" if step is None else f"/steps/{step}"


# Looking at it all, and founding.


@get("/check", sync_to_thread=False, guards=GUARDS)
def check_page(run: Run) -> Response[str] | Redirect:
    if run.is_over or run.next_step() is not None:
        return to(_next_url(run))
    return _check(run)


@post("/check", guards=GUARDS)
async def found(request: AnyRequest, run: Run) -> Response[str] | Redirect:
    """Found what the page showed, once: a second browser is told that it came too late."""
    form = await forms.read(request, CheckForm)
    if not form.is_valid:
        return to(_next_url(run))
    async with run.turn:
        if run.is_over and form.value.request_key != run.founding_key:
            return page("app/first_taken.html", status=409, outcome=run.outcome)
        if run.is_over or run.next_step() is not None:  # over: the same button, pressed again
            return to(_next_url(run))
        if form.value.seal != run.seal():
            return _check(run, _("刚才有人在别处改过。请再看一遍，没有错再按。"), status=409)
        return await _found(run, form.value.request_key)


async def _found(run: FirstRun, request_key: str) -> Response[str] | Redirect:
    try:
        await run.found(request_key)
    except AlreadyFounded:  # by another process, on PostgreSQL
        run.finished.set()
        return page("app/first_taken.html", status=409, outcome=None)
    except (DatabaseUnfit, KeyFileBroken) as error:
        return _check(run, str(error), status=503)
    except OSError as error:
        said = _("文件或文件夹写不进去：{reason}。请检查磁盘和权限，再按一次。", reason=error.strerror or "")
        return _check(run, said, status=503)
    return to("/keys")


def _check(run: FirstRun, said: str = "", status: int = 200) -> Response[str]:
    assert run.answers.table is not None
    plan, table = run.plan(), first_run.tables()[run.answers.table.template]
    place = " ".join(part for part in (plan.district, plan.street, plan.community) if part)
    groups = [
        ("place", [(_("地方"), place), (_("楼栋"), _("、").join(plan.buildings) or _("以后再加"))]),
        ("unit", [(_("单位名称"), plan.unit_name), (_("服务电话"), plan.service_phone),
                  (_("监督电话"), plan.oversight_phone)]),
        ("table", [(_("积分标准"), f"{table.name} {_('{n} 项', n=len(table.items))}")]),
        ("passbook", [(_("存折"), _(HOLDERS[plan.holder])), (_("公示"), _("{n} 天", n=plan.notice_days))]),
        ("outlet", [(_("超市"), plan.outlet), (_("开门时间"), plan.hours), (_("兑换台"), plan.counter)]),
        ("admin", [(_("管理员"), plan.admin_name), (_("登录名"), plan.admin_login), (_("密码"), _("已设好"))]),
    ]  # fmt: skip
    rows = [(word, value, f"/steps/{step}") for step, pairs in groups for word, value in pairs]
    labels = [_(label) for label in LABELS]
    return page(
        "app/first_check.html", status=status, rows=rows, labels=labels, number=len(LABELS), seal=run.seal(), said=said
    )


# The key page.


@get("/keys", sync_to_thread=False, guards=GUARDS)
def keys_page(run: Run) -> Response[str] | Redirect:
    if run.outcome is None:
        return to(_next_url(run))
    return _keys(run, forms.blank())


@post("/keys", guards=GUARDS)
async def keys_are_kept(request: AnyRequest, run: Run) -> Response[str] | Redirect:
    """The first run is over: what comes next is answered by the bank."""
    if run.outcome is None:
        return to(_next_url(run))
    form = await forms.read(request, KeysForm)
    if not (form.is_valid and form.value.kept):
        form.refuse("kept", _("请先打印或抄好，锁进保险柜，再打勾"))
        return _keys(run, form, status=400)
    answer, https = to("/sign-in"), is_https(run.settings)
    cookies.clear_cookie(answer, cookies.cookie_name("setup", https=https), https=https)
    run.finished.set()
    return answer


def _keys(run: FirstRun, form: Filled[Any], status: int = 200) -> Response[str]:
    assert run.outcome is not None
    sheet = founding.sheet_of(run.settings, run.outcome)
    return page("app/first_keys.html", status=status, form=form, sheet=sheet, plan=run.plan())


# The whole.


@get("/readyz", sync_to_thread=False)
def readyz() -> Response[dict[str, str]]:
    return Response({"status": "not founded"}, status_code=503)


def on_unknown(request: AnyRequest, error: NotFoundException) -> Response[Any]:
    """A page of the bank that somebody has kept an address of leads to the first run."""
    scope = current.scope_of(request)
    if current.is_api(scope):
        return problems.of_refusal(NotFoundedYet()).answer(scope)
    if request.method == "GET":
        return Response(b"", status_code=303, media_type="text/html", headers={"Location": "/"})
    return problems.on_http(request, error)


HANDLERS: Sequence[Any] = (
    start, come_by_link, type_code, step_page, answer_step, table_page, check_page, found, keys_page, keys_are_kept,
    health.livez, readyz, *web.routes, *offline.handlers, *guides.handlers,
)  # fmt: skip


def create_app(run: FirstRun, *, limit: Limits | None = None) -> ASGIApp:
    """Return the first run as one ASGI app, behind the security layer of the bank."""
    clock = Clock()
    app = Litestar(
        HANDLERS,
        dependencies={"run": Provide(lambda: run, sync_to_thread=False)},
        exception_handlers={**problems.handlers, NeedsCode: on_needs_code, NotFoundException: on_unknown},
        state=State({"run": run}),
        openapi_config=None,
        logging_config=None,
    )
    return wiring.secured(
        cast("ASGIApp", app), run.settings, clock, find_session=lambda _digest, _sort: None, limit=limit
    )
