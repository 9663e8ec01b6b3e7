"""From exceptions to answers: the only place that knows what a caller may learn of an error."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from traceback import walk_tb
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.web import current, forms, i18n, kept, render
from pointsbank.web.current import Scope, scope_of
from pointsbank.web.i18n import N_

AnyRequest = Request[Any, Any, Any]

log = logging.getLogger(__name__)

RETRY_SECONDS = {Kind.BUSY: 2, Kind.THROTTLED: 30}
# Crockford's alphabet: an incident is read out on the telephone.
INCIDENT_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Where Litestar takes a body apart. An error that starts there was sent by the caller.
BODY_READERS = ("litestar.serialization", "litestar._multipart", "litestar._parsers", "multipart", "msgspec")
# What sqlite3 and asyncpg say of a number that no column holds; every number of ours is far below.
TOO_LARGE = ("Python int too large to convert to SQLite", "value out of int64 range")
SIGN_IN = "/sign-in"
SIGN_IN_PAGE = "people/sign_in.html"

FAILED = N_("这一页打不开。积分没有变化。请过一会儿再试，还不行就打服务电话。")
SPOKEN: dict[int, tuple[str, str]] = {
    400: ("invalid_body", N_("发来的内容看不懂。请回到上一页，检查后再试。")),
    401: ("not_signed_in", N_("请先登录，再做这件事。")),
    403: ("forbidden", N_("你没有做这件事的权限。请找社区管理员。")),
    404: ("not_found", N_("没有找到。请检查地址，或回到上一页。")),
    405: ("method_not_allowed", N_("这个地址不能这样打开。请回到上一页再试。")),
    413: ("too_large", N_("发来的内容太大。请换小一点的文件再试。")),
    415: ("unsupported_media_type", N_("发来的内容不是这里能收的格式。")),
    429: ("throttled", N_("操作太快，请稍等再试。")),
    503: ("busy", N_("现在太忙，请过几秒再试，不会重复记账。")),
}
TITLES = {
    400: N_("请检查后再试"),
    401: N_("请先登录"),
    403: N_("不能这样做"),
    404: N_("没有找到"),
    409: N_("没有办成"),
    410: N_("已经过期"),
    429: N_("请稍等"),
    500: N_("这一页打不开"),
    503: N_("现在太忙"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    code: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    incident: str | None = None

    @property
    def title(self) -> str:
        return i18n.translate(TITLES.get(self.status, TITLES[400]))

    def answer(self, scope: Scope, view: render.View | None = None) -> Response[Any]:
        """RFC 9457 under /api/, a partial for the script, a page for everybody else."""
        if current.is_api(scope):
            return Response(
                self._json(), status_code=self.status, media_type="application/problem+json", headers=self.headers
            )
        if self.incident is not None:  # whatever is broken may be what describes the reader
            view = render.bare_view(scope)
        if current.is_partial(scope):
            headers = {**self.headers, "X-Problem": self.code}
            return render.partial("_problem.html", status=self.status, headers=headers, problem=self, view=view)
        return render.page("problem.html", status=self.status, headers=self.headers, problem=self, view=view)

    def _json(self) -> bytes:
        own = {
            "type": f"urn:pointsbank:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.incident is not None:
            own["incident"] = self.incident
        return msgspec.json.encode({**dict(sorted(self.facts.items())), **own})  # alike on every repeat


def of_refusal(refusal: Refusal) -> Problem:
    seconds = refusal.facts.get("retry_seconds", RETRY_SECONDS.get(refusal.kind))
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Problem(refusal.kind.status, refusal.code, i18n.t(refusal), refusal.facts, headers)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """A problem that HTTP itself knows; nothing of the request is repeated in it."""
    code, said = SPOKEN.get(status, SPOKEN[400])
    kept = {name: value for name, value in (headers or {}).items() if name.lower() in {"allow", "retry-after"}}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kept.setdefault("Retry-After", str(RETRY_SECONDS[Kind.THROTTLED]))
    return Problem(status, code, i18n.translate(said), headers=kept)


def of_failure(error: BaseException, scope: Scope) -> Problem:
    """Something of ours is broken: the log learns everything, the caller a number to read out."""
    letters = "".join(secrets.choice(INCIDENT_LETTERS) for _ in range(8))
    incident = f"{letters[:4]}-{letters[4:]}"
    log.error("incident %s on %s", incident, route_of(scope), exc_info=error)
    return Problem(500, "internal", i18n.translate(FAILED), incident=incident)


def route_of(scope: Scope) -> str:
    """The address as it stands in the code, without what the caller put into it."""
    return f"{scope.get('method', '?')} {scope.get('path_template') or '(no route)'}"


def on_refusal(request: AnyRequest, refusal: Refusal) -> Response[Any]:
    return of_refusal(refusal).answer(scope_of(request))


def on_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    scope = scope_of(request)
    if error.status_code == HTTPStatus.UNAUTHORIZED and not current.is_api(scope) and not current.is_partial(scope):
        return to_sign_in(scope)
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and error.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return of_failure(error, scope).answer(scope)
    return of_status(error.status_code, error.headers).answer(scope)


def on_anything(request: AnyRequest, error: Exception) -> Response[Any]:
    scope = scope_of(request)
    problem = of_status(400) if _was_sent(error) else of_failure(error, scope)
    return problem.answer(scope)


def to_sign_in(scope: Scope) -> Response[Any]:
    """To the sign-in page, and back to the path afterwards; a form that was sent too late is kept until then."""
    form = kept.kept_of(scope)
    if form is not None:
        return render.page(SIGN_IN_PAGE, status=401, form=forms.blank(), kept=form)
    target = SIGN_IN
    if scope["method"] == "GET":
        target += "?next=" + quote(str(scope["path"]), safe="/")
    return Response(b"", status_code=303, media_type="text/html", headers={"Location": target})


def _was_sent(error: BaseException) -> bool:
    """Whether the caller's body caused it: brackets nested too deep, text that is no text, numbers of no size."""
    # Litestar names reading and writing alike; only reading has msgspec's DecodeError as its cause.
    if isinstance(error, msgspec.DecodeError) or isinstance(error.__cause__, msgspec.DecodeError):
        return True
    if any(isinstance(one, OverflowError) and str(one).startswith(TOO_LARGE) for one in _origins(error)):
        return True
    last = None
    for frame, _line in walk_tb(error.__traceback__):
        last = frame
    where = str(last.f_globals.get("__name__", "")) if last is not None else ""
    return isinstance(error, RecursionError | LookupError | ValueError) and where.startswith(BODY_READERS)


def _origins(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: drivers wrap what they say of a number."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


Handler = Callable[[AnyRequest, Any], Response[Any]]
handlers: dict[int | type[Exception], Handler] = {
    Refusal: on_refusal,
    HTTPException: on_http,
    Exception: on_anything,
}
