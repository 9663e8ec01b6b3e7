"""What all commands of the shell share: one line for every expected failure, the settings, the loop."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from pointsbank.app.address import NoLan
from pointsbank.app.backup import NoBackup
from pointsbank.app.database import DatabaseUnfit
from pointsbank.app.demo import NotADemo, NotFresh
from pointsbank.app.init import AlreadyFounded, UnknownTemplate
from pointsbank.app.installation import NotFounded, WrongKey
from pointsbank.app.local import CommandRefused
from pointsbank.app.lock import LockTaken
from pointsbank.app.server import OpenHttp, PortTaken, WriterDied
from pointsbank.kit.crypto import KeyFileBroken
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import BadSettings, Settings
from pointsbank.web import i18n

R = TypeVar("R")


class Failure(click.ClickException):
    """An expected failure: its one line, and nothing of where in the program it was found."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


EXPECTED = (
    AlreadyFounded,
    BadSettings,
    CommandRefused,
    DatabaseUnfit,
    KeyFileBroken,
    LockTaken,
    NoBackup,
    NoLan,
    NotADemo,
    NotFresh,
    NotFounded,
    OpenHttp,
    PortTaken,
    UnknownTemplate,
    WriterDied,
    WrongKey,
)


class Program(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise Failure(i18n.t(refusal)) from refusal
        except EXPECTED as error:
            raise Failure(str(error)) from error
        except OSError as error:
            # A folder that cannot be written, a full disk: the system names the file and the reason.
            raise Failure(
                f"文件或文件夹打不开：{error.filename or ''} {error.strerror or error}。请检查路径和权限。"
            ) from error


def settings_now() -> Settings:
    return Settings.from_env(os.environ)


def run(work: Coroutine[Any, Any, R]) -> R:
    """Run to the end, on the fast loop where there is one."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop  # noqa: PLC0415  not to be had on Windows

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
