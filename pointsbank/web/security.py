"""One ASGI layer around everything: addresses, sessions, forged requests, limits, headers.

Who asks: under /api/ a bearer token and nothing else; everywhere else the session cookie and nothing else. So a
browser can never be made to use the API with somebody's cookie, and a token never opens pages. `scope["session"]` is
what `find_session` knew, or None; `scope["address"]` is the caller's address; nothing of the request is believed
otherwise. This runs for every request, so the way through for a good one has no loop over headers, no pattern and,
when `find_session` answers at once, no await.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from time import monotonic
from typing import Any, Literal, cast

from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import ASGIApp, Message, Receive, Send
from litestar.types import Scope as LitestarScope

from pointsbank.kit import crypto
from pointsbank.kit.db import replayed
from pointsbank.kit.errors import Refusal
from pointsbank.web import assets, cookies, current, limits, problems, render
from pointsbank.web.assets import PREFIX
from pointsbank.web.current import Scope
from pointsbank.web.forms import UPLOAD_BYTES_MAX
from pointsbank.web.i18n import N_, translate
from pointsbank.web.problems import Problem

Sort = Literal["cookie", "bearer"]
FindSession = Callable[[bytes, Sort], object]
Headers = dict[bytes, bytes]

BODY_BYTES_MAX = 64 * 1024
PARAMETER = re.compile(r"\{\w+:\w+\}")
LENGTH_DIGITS_MAX = 18
TOKEN_LENGTH_MAX = 200
SAFE = {"GET", "HEAD", "OPTIONS"}
SAME_SITE = {b"same-origin", b"none"}
LOOPBACK = {b"localhost", b"127.0.0.1", b"[::1]"}
HOSTS_REMEMBERED_MAX = 1000
DIGESTS_REMEMBERED_MAX = 10_000
HOST_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"
SECURITY_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # `no-referrer` would turn the Origin of our own forms into "null".
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
]
HSTS = (b"strict-transport-security", b"max-age=31536000")
NO_STORE = (b"cache-control", b"no-store")
REPLAYED = (b"idempotent-replayed", b"true")

CROSS_SITE = N_("这个请求不是从本站页面发出的，没有执行。请打开本站页面再试。")


class Security:
    def __init__(
        self,
        app: ASGIApp,
        *,
        find_session: FindSession,
        https: bool,
        limit: limits.Limits | None = None,
        trusted_proxies: Collection[str] = (),
        hosts: Collection[str] = (),
        body_bytes_max: int = BODY_BYTES_MAX,
        uploads: Collection[str] = (),
        upload_bytes_max: int = UPLOAD_BYTES_MAX,
    ) -> None:
        """`hosts`: the names people use for us (empty: any). Needed where a proxy sends another Host than the browser.

        `trusted_proxies`: addresses or networks whose X-Forwarded-For is believed. `uploads`: paths, as routes write
        them, that take a body of `upload_bytes_max`.
        """
        known = limit or limits.Limits()
        self.app, self.find_session = app, find_session
        self.by_session, self.by_bearer = limits.Buckets(known.session), limits.Buckets(known.bearer)
        self.by_address = limits.Buckets(known.address)
        self.cookie = f"{cookies.session_cookie_name(https)}=".encode()
        self.scheme = b"https://" if https else b"http://"
        self.proxies = tuple(ip_network(proxy) for proxy in trusted_proxies)
        self.hosts = frozenset(host.lower().encode() for host in hosts)
        self.good_hosts: set[bytes] = set()
        self.digests: dict[bytes, bytes] = {}
        self.body_bytes_max = body_bytes_max
        self.upload_bytes_max = upload_bytes_max
        self.uploads = [re.compile(PARAMETER.sub("[^/]+", path)) for path in uploads]
        self.headers = [*SECURITY_HEADERS, HSTS] if https else SECURITY_HEADERS
        self.no_store_headers = [NO_STORE, *self.headers]
        self.shelf = assets.shelf()

    async def __call__(self, scope: LitestarScope, receive: Receive, send: Send) -> None:
        kind: str = scope["type"]
        if kind != "http":
            await self._other(kind, scope, receive, send)
            return
        mine = cast("Scope", scope)
        headers: Headers = dict(mine["headers"])
        path: str = mine["path"]
        if path.startswith(PREFIX):
            await self._static(path, mine["method"], headers, send)
            return

        current.scope.set(mine)
        replayed.set(False)
        client = mine["client"]
        address: str = client[0] if client else "?"
        mine["address"] = self._forwarded(address, headers) if self.proxies else address
        mine["session"] = None
        send = self._with_headers(send)

        refused = self._refuse_request(mine, path, headers)
        if refused is None:
            try:
                refused = await self._recognise(mine, path, headers)
            except Refusal as later:  # the database is away: nobody knows who this is
                refused = problems.of_refusal(later)
        if refused is not None:
            await _send(refused, mine, send)
            return
        if b"transfer-encoding" in headers:
            receive = _counted(receive, self._body_bytes_max(path))
        await self.app(scope, receive, send)

    async def _recognise(self, mine: Scope, path: str, headers: Headers) -> Problem | None:
        """Whose request it is, and whether that was one too many."""
        is_api = path.startswith("/api/")
        raw = headers.get(b"authorization" if is_api else b"cookie", b"")
        digest = self.digests.get(raw) or self._presented(raw, is_api=is_api)
        if digest is not None:
            session = self.find_session(digest, "bearer" if is_api else "cookie")
            if hasattr(session, "__await__"):
                session = await cast("Awaitable[object]", session)
            if session is not None:
                mine["session"] = session
                self._remember(raw, digest)
                return self._refuse_haste(self.by_bearer if is_api else self.by_session, digest)
        return self._refuse_haste(self.by_address, limits.network(mine["address"]))

    async def _other(self, kind: str, scope: LitestarScope, receive: Receive, send: Send) -> None:
        if kind == "websocket":  # none of ours; closing before accepting is the protocol's 403
            await send({"type": "websocket.close", "code": 1008, "reason": None})
        else:
            await self.app(scope, receive, send)

    def _presented(self, raw: bytes, *, is_api: bool) -> bytes | None:
        """The digest of the token in an Authorization or Cookie header."""
        if is_api:
            return _digest(raw[7:]) if raw[:7].lower() == b"bearer " else None
        if self.cookie in raw:
            for part in raw.split(b"; "):
                if part.startswith(self.cookie):
                    return _digest(part[len(self.cookie) :])
        return None

    def _remember(self, raw: bytes, digest: bytes) -> None:
        """Spare the next request the parsing and hashing. Only headers of live sessions, so nobody can fill this up."""
        if raw not in self.digests:
            if len(self.digests) >= DIGESTS_REMEMBERED_MAX:
                self.digests.clear()
            self.digests[raw] = digest

    def _forwarded(self, address: str, headers: Headers) -> str:
        """The nearest address that is not one of our proxies; what stands further left anybody may have written."""
        for hop in reversed(str(headers.get(b"x-forwarded-for", b""), "latin-1").split(",")):
            if hop.strip() and self._is_proxy(address):
                address = hop.strip()
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self.proxies)

    def _refuse_request(self, scope: Scope, path: str, headers: Headers) -> Problem | None:
        host = headers.get(b"host", b"")
        if host not in self.good_hosts and not self._learn_host(host):
            return problems.of_status(400)
        if ".." in path or "\\" in path or "\x00" in path or "//" in path:
            return problems.of_status(404)
        length = headers.get(b"content-length")
        if scope["method"] in SAFE:
            has_body = (length is not None and length != b"0") or b"transfer-encoding" in headers
            return problems.of_status(400) if has_body else None
        if not path.startswith("/api/") and not self._is_own_page(host, headers):
            return problems.Problem(403, "cross_site", translate(CROSS_SITE))
        if length is not None and not self._is_modest(length, path):
            return problems.of_status(413)
        return None

    def _is_modest(self, length: bytes, path: str) -> bool:
        if not (length.isdigit() and len(length) <= LENGTH_DIGITS_MAX):
            return False
        announced = int(length)
        return announced <= self.body_bytes_max or announced <= self._body_bytes_max(path)

    def _learn_host(self, host: bytes) -> bool:
        name = host.lower().rpartition(b":")[0] if host[-1:].isdigit() and b":" in host else host.lower()
        if not host or host.translate(None, HOST_LETTERS):
            return False
        if self.hosts and not {host.lower(), name} & (self.hosts | LOOPBACK):
            return False
        if len(self.good_hosts) >= HOSTS_REMEMBERED_MAX:
            self.good_hosts.clear()
        self.good_hosts.add(host)
        return True

    def _is_own_page(self, host: bytes, headers: Headers) -> bool:
        """Whether one of our own pages sent this; what the browser says of itself, best witness first."""
        origin = headers.get(b"origin")
        if origin is not None and origin != b"null":
            return self._is_own_origin(origin, host)
        said = headers.get(b"sec-fetch-site")
        if said is not None:
            return said in SAME_SITE
        scheme, _, rest = headers.get(b"referer", b"").partition(b"//")
        return self._is_own_origin(scheme + b"//" + rest.partition(b"/")[0], host)

    def _is_own_origin(self, origin: bytes, host: bytes) -> bool:
        return origin == self.scheme + host or (
            origin.startswith(self.scheme) and origin[len(self.scheme) :] in self.hosts
        )

    def _body_bytes_max(self, path: str) -> int:
        is_upload = any(upload.fullmatch(path) for upload in self.uploads)
        return self.upload_bytes_max if is_upload else self.body_bytes_max

    def _refuse_haste(self, buckets: limits.Buckets, who: bytes | str) -> Problem | None:
        """A session is counted by itself, so that neighbours behind one address do not use up each other's share."""
        wait = buckets.take(who, monotonic())
        return None if wait == 0.0 else problems.of_status(429, {"Retry-After": str(int(wait) + 1)})

    def _with_headers(self, send: Send) -> Send:
        def answer(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                ours = self.no_store_headers
                for name, _ in message["headers"]:
                    if name == b"cache-control":
                        ours = self.headers
                again = [REPLAYED] if replayed.get() else []
                message["headers"] = [*message["headers"], *ours, *again]
                if again and message["status"] == HTTPStatus.CREATED:
                    message["status"] = 200
            return send(message)

        return answer

    async def _static(self, path: str, method: str, headers: Headers, send: Send) -> None:
        asset = self.shelf.by_url.get(path)
        if asset is None:
            await _raw(send, 404, [(b"content-type", b"text/plain"), *self.no_store_headers], b"")
            return
        if method not in {"GET", "HEAD"}:
            await _raw(send, 405, [(b"allow", b"GET, HEAD"), *self.no_store_headers], b"")
            return
        status, answered, body = asset.answer(headers)
        await _raw(send, status, answered, b"" if method == "HEAD" else body)


def _digest(token: bytes) -> bytes | None:
    return crypto.token_digest(str(token, "latin-1")) if 0 < len(token) <= TOKEN_LENGTH_MAX else None


async def _raw(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send(problem: Problem, scope: Scope, send: Send) -> None:
    """Answer without Litestar; whoever is refused here has no view of their own."""
    response = problem.answer(scope, view=render.bare_view(scope))
    body: bytes = response.content if isinstance(response.content, bytes) else response.content.encode()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    kind = f"{response.media_type}; charset=utf-8".encode()
    length = (b"content-length", b"%d" % len(body))
    await _raw(send, problem.status, [*headers, (b"content-type", kind), length], body)


def _counted(receive: Receive, bytes_max: int) -> Receive:
    """A body of unannounced length may not grow beyond the limit either."""
    seen = 0

    async def counting() -> Any:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message["body"])
            if seen > bytes_max:
                raise RequestEntityTooLarge
        return message

    return cast("Receive", counting)
