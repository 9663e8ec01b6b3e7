"""The shell as a person at it sees it: arguments in, lines and an exit code out."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Self

from click.testing import CliRunner, Result

from pointsbank.app.cli import main

PROGRAM = (sys.executable, "-c", "from pointsbank.app.cli import main; main()")
CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 60

ANSWERS = {
    "--street": "测试街道",
    "--community": "测试社区",
    "--building": "测试 1 号楼",
    "--template": "hailin-community-volunteer",
    "--unit-name": "测试社区",
    "--holder": "person",
    "--notice-days": "3",
    "--service-phone": "100 0000 0001",
    "--oversight-phone": "100 0000 0009",
    "--outlet": "测试爱心超市",
    "--counter": "一号台",
    "--admin-name": "测试甲",
    "--admin-login": "Admin",
}

Shell = Callable[..., Result]


def init_arguments(**changed: str) -> list[str]:
    given = ANSWERS | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return ["init", *(part for pair in given.items() for part in pair), "--generate-password"]


def shell_in(folder: Path) -> Shell:
    def invoke(*arguments: str, answers: str = "", **env: str) -> Result:
        given = {"POINTSBANK_DATA": str(folder)} | {f"POINTSBANK_{name}": value for name, value in env.items()}
        return CliRunner().invoke(main, arguments, input=answers, env=given)

    return invoke


def said(result: Result) -> str:
    """The one line of an expected failure."""
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.strip().splitlines()
    return line


def number_of(issued: Result) -> str:
    """The number of a token that was issued."""
    found = re.search(r"令牌编号 ([0-9]+)", issued.stderr)
    assert found, issued.output
    return found[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Server:
    """A server in a process of its own."""

    def __init__(self, folder: Path, port: int, arguments: tuple[str, ...] = ("serve",)) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.errors = ""
        env = {**os.environ, "POINTSBANK_DATA": str(folder), "POINTSBANK_PORT": str(port)}
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=CHECKOUT, env=env, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        until = time.monotonic() + START_SECONDS
        while self.status("/livez") != 200:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """Tell it to stop, and wait until it has."""
        self.process.terminate()
        _, self.errors = self.process.communicate(timeout=30)

    def status(self, path: str, token: str = "") -> int:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0
