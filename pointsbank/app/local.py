"""Commands of the shell that write: here if the database is free, else by the server that has it.

On SQLite one process writes at a time. A command that finds the lock taken is posted to that server on the loopback
address, and proves by a secret of the data folder that it may read the folder.
"""

import hmac
import json
import urllib.error
import urllib.request
from typing import Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import JSONBody

from pointsbank.app import commands, installation, lock
from pointsbank.app import database as databases
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound
from pointsbank.kit.settings import Settings
from pointsbank.web.handlers import post

SECONDS_MAX = 60
PATH = "/api/local/commands"


class LocalCommand(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    facts: dict[str, Any]


class CommandRefused(Exception):
    """One line for the person at the shell."""


@post(PATH, opt={"public": True}, status_code=200, include_in_schema=False)
async def run_for_shell(
    request: Request[Any, Any, Any], data: JSONBody[LocalCommand], settings: NamedDependency[Settings]
) -> dict[str, Any]:
    """Run a command of the shell; to anyone without the data folder's secret this page does not exist."""
    given = request.headers.get("x-local-secret", "")
    client = request.client
    is_near = client is not None and client.host in {"127.0.0.1", "::1"}
    if not is_near or not given or not hmac.compare_digest(given.encode(), lock.local_secret(settings.data).encode()):
        raise NotFound
    return await commands.run(data.name, data.facts)


async def send(settings: Settings, name: str, **facts: Any) -> dict[str, Any]:
    """Run a command in this process if it may write, else in the server that does."""
    if settings.database_url:
        return await _run_here(settings, name, facts)
    try:
        with lock.held(settings.data):
            return await _run_here(settings, name, facts)
    except lock.LockTaken as taken:
        if taken.address is None:
            raise
        return _post(taken.address, lock.local_secret(settings.data), name, facts)


async def _run_here(settings: Settings, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    async with databases.opened(settings, Clock()):
        await installation.check(settings)
        return await commands.run(name, facts)


def _post(address: str, secret: str, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    assert address.startswith("http://127.0.0.1:")
    body = json.dumps({"name": name, "facts": facts}).encode()
    headers = {"Content-Type": "application/json", "X-Local-Secret": secret}
    request = urllib.request.Request(address + PATH, body, headers)  # noqa: S310  asserted above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310  asserted above
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        with error:
            problem = json.load(error)
        raise CommandRefused(problem.get("detail") or problem.get("title") or "没有做成。") from error
    except OSError as error:
        raise CommandRefused("正在运行的积分银行没有应答。请稍后再试。") from error


handlers = [run_for_shell]
