"""The demo: made once in a folder of its own, then served. All people and places in it are invented."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from pointsbank.app import database as databases
from pointsbank.app import demo_cast, demo_places, demo_today, demo_year, installation, lock
from pointsbank.app.address import code_of, lan_address
from pointsbank.app.demo_scene import Scene
from pointsbank.app.demo_sign_ins import SIGN_INS_NAME, Login, SignIns, Token
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.crypto import Keys
from pointsbank.kit.settings import Settings
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import actions_staff as staff
from pointsbank.people import queries_roster as roster
from pointsbank.people.access import ROLE_NAMES, Role
from pointsbank.people.rules import TOKEN_DAYS_MAX

MAKING = "making"
KEY_NAME = "root.key"


class NotADemo(Exception):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} 里不是演示数据，没有改动任何东西。请用 --folder 换一个文件夹。")


class NotFresh(Exception):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} 里的演示是以前的。请运行一次 pointsbank demo，再看 --facts。")


def settings_of(folder: Path, *, port: int, lan: bool) -> Settings:
    """Of the environment only the log level counts: a demo never touches what POINTSBANK_* name."""
    log_level = Settings.from_env(os.environ).log_level
    local = Settings(data=folder.absolute(), port=port, log_level=log_level)
    if not lan:
        return local
    host = lan_address()
    return replace(local, host=host, public_url=f"http://{host}:{port}", allow_http=True)


async def prepare(settings: Settings, *, weeks: int = demo_year.WEEKS) -> None:
    """Make the demo database if there is none, and bring the one there is to today."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with lock.held(settings.data):
        if not databases.path_of(settings).exists():
            await _make(settings, weeks)
        async with databases.opened(settings, Clock()):
            await check_demo(settings)
            await demo_today.freshen()


async def check_demo(settings: Settings) -> None:
    """Hold the keys of the open database, if it is a demo's; refuse any other before its keys are touched."""
    found = await db.row(installation.FIND)
    if found is None or found["kind"] != "demo":
        raise NotADemo(settings.data)
    await installation.check(settings)


async def _make(settings: Settings, weeks: int) -> None:
    """In a folder aside: what is interrupted leaves no half a demo behind, and is begun afresh."""
    if (settings.data / KEY_NAME).exists() and not (settings.data / SIGN_INS_NAME).exists():
        raise NotADemo(settings.data)  # the key of an installation whose database lies elsewhere
    aside = replace(settings, data=settings.data / MAKING)
    shutil.rmtree(aside.data, ignore_errors=True)
    click.echo("正在生成演示数据，约十几秒；以后直接用这份。", err=True)
    sign_ins = await make(aside, weeks=weeks)
    sign_ins.write(aside.data)
    for name in (SIGN_INS_NAME, KEY_NAME, databases.FILE_NAME):  # the database last: where it is, all is there
        with (aside.data / name).open("rb+") as file:
            os.fsync(file.fileno())
        (aside.data / name).replace(settings.data / name)
    shutil.rmtree(aside.data)


async def make(settings: Settings, *, weeks: int) -> SignIns:
    """Live through the weeks up to now in an empty folder; the facts are the same each time, secrets are not."""
    settings.data.mkdir(parents=True)
    await databases.migrate(settings)
    keys = Keys.load_or_create(settings.key_path)
    crypto.hold(keys)
    now = Clock().now()
    scene = Scene(now)
    async with _unhurried_disk(settings, scene.clock):
        await db.write(installation.found, kind="demo", key_fingerprint=keys.fingerprint)
        first_day = demo_year.first_monday(scene.today, weeks)
        scene.at(first_day - timedelta(days=1), 9, pace_seconds=1)
        click.echo("  居民、积分卡、货架 …", err=True)
        communities, logins = await demo_places.build(scene, from_day=first_day)
        await demo_year.Year(scene, communities).live(weeks)
        await demo_today.finish(scene, communities)
        tokens = await _issue_tokens(scene, logins)
        await Sealer().run()
        return SignIns(logins, tokens)


@contextlib.asynccontextmanager
async def _unhurried_disk(settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """Open without waiting for the disk at each of a thousand commits: the file counts only once it is whole."""
    wanted = databases.config(settings)
    wanted["connections"]["write"]["credentials"]["synchronous"] = "OFF"
    database = await db.open_database(wanted, clock)
    try:
        yield
    finally:
        await database.close()


async def _issue_tokens(scene: Scene, logins: list[Login]) -> list[Token]:
    tokens = [Token(login.role, login.login, crypto.new_token(), login.place, login.place_id) for login in logins]
    await scene.all(
        db.write(
            staff.issue_token,
            login=token.login,
            name="演示",
            token_digest=crypto.token_digest(token.token),
            days=TOKEN_DAYS_MAX,
            role=token.role,
        )
        for token in tokens
    )
    return tokens


async def welcome(settings: Settings, *, lan: bool) -> str:
    """Where the demo is and how to sign in, for the terminal."""
    sign_ins = SignIns.read(settings.data)
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    lines = ["", "积分银行演示（演示数据，人和地方都是编的）", f"打开：{base_url}", ""]
    shown: set[str] = set()
    places = {login.place_id: login.place for login in sign_ins.logins}
    first_place = sign_ins.logins[0].place_id  # all of one community's: some things need two admins
    for login in sign_ins.logins:
        if login.login not in shown and (login.place_id == first_place or login.role not in shown):
            shown |= {login.role, login.login}
            role = _padded(ROLE_NAMES[Role(login.role)], 12)
            lines.append(f"  {role}{_padded(login.login, 20)}{login.password}  {login.place}")
    async with databases.opened_to_read(settings):
        await check_demo(settings)
        slips = [(await demo_today.slip(), sign_ins.logins[0].place)]
        slips += [
            (
                await roster.printed_card((part.community_id,), part.person_id),
                f"{places[part.community_id]}　{part.words}",
            )
            for part in await demo_cast.cast(local_day(Clock().now()))
        ]
    lines += ["", "居民：打开下面的地址，点一下按钮，这个浏览器就成了这位居民的手机"]
    lines += [f"  {_padded(slip.name, 8)}{base_url}/a/{slip.activation_token}  {words}" for slip, words in slips]
    lines += ["", "其他社区的登录、卡号和商品：pointsbank demo --facts"]
    if lan:
        lines += ["", f"用手机扫，打开 {base_url}（手机要连同一个 Wi-Fi）", code_of(base_url)]
    return "\n".join([*lines, "", "按 Ctrl+C 停止。"])


def _padded(text: str, width: int) -> str:
    """Han letters take two columns of a terminal."""
    columns = sum(1 if letter.isascii() else 2 for letter in text)
    return text + " " * max(width - columns, 1)
