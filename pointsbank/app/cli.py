"""The command `pointsbank`. Every expected failure is one line on standard error and an exit code other than 0."""

from pathlib import Path

import click
import msgspec

from pointsbank.app import (
    address,
    cli_backup,
    cli_init,
    cli_ledger,
    cli_rooms,
    demo,
    demo_facts,
    installation,
    logs,
    server,
)
from pointsbank.app import database as databases
from pointsbank.app.first_run import FirstRun
from pointsbank.app.lock import held
from pointsbank.app.shell import Program, run, settings_now
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import Keys
from pointsbank.kit.settings import Settings, documentation
from pointsbank.ledger.sealing import Sealer


def _settings_table() -> str:
    rows = [f"  {each.name}\n      {each.doc}（不设：{each.shown_default}）" for each in documentation()]
    return "\b\n设置（环境变量）：\n" + "\n".join(rows)


@click.group(
    cls=Program,
    invoke_without_command=True,
    epilog=_settings_table(),
    help="积分银行：社区志愿服务积分的记录、核算与兑换。不写命令就启动；第一次启动，浏览器里会一步一步问。",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve)


@main.command(help="启动服务，直到按 Ctrl+C；还没有建好时，先在浏览器里一步一步问。")
def serve() -> None:
    settings = settings_now()
    logs.configure(settings.log_level)
    run(server.serve(settings, lambda: _say_open(settings), lambda first: _say_first_run(settings, first)))


def _say_open(settings: Settings) -> None:
    click.echo(f"积分银行在 {address.from_here(settings)} ，按 Ctrl+C 停止。", err=True)
    if address.from_elsewhere(settings) is not None:
        click.echo(f"{address.announced(settings)}\n", err=True)


def _say_first_run(settings: Settings, first: FirstRun) -> None:
    code = first.kept.setup_code
    lines = [
        "积分银行第一次运行。请用浏览器打开下面的地址，按步骤填写，约五分钟：",
        "",
        address.announced(settings, f"/first-run/{code}"),
        "",
        f"设置码：{code}（也在 {first.path} 里）。知道它的人才能建，请不要转发。",
        f"数据放在：{settings.data}。填到一半可以按 Ctrl+C 停止，下次接着填。",
        "",
    ]
    click.echo("\n".join(lines), err=True)


@main.command(help="把到期的定时工作做一遍：公示、入账、到期、新积分表生效。")
def tick() -> None:
    done = cli_rooms.send("tick")
    click.echo("、".join(f"{name} {count}" for name, count in done.items()) or "现在没有到期的工作。")


@main.command(help="把数据库升级到这个版本；已是最新就什么也不做。")
@click.option("--yes", is_flag=True, help="已经备份，不再问")
def migrate(yes: bool) -> None:
    settings = settings_now()
    where = "PostgreSQL 数据库" if settings.database_url else str(databases.path_of(settings))
    waiting = run(databases.missing_migrations(settings))
    if not waiting:
        click.echo("已是最新，没有改动。")
        return
    click.echo(f"要升级 {len(waiting)} 步：{where}。升级前请先停止服务，并备份（pointsbank backup 文件）。")
    if not yes:
        click.confirm("已经备份，现在升级？", abort=True)
    if settings.database_url:
        run(_migrated(settings))
    else:
        with held(settings.data):
            run(_migrated(settings))
    click.echo("升级好了。")


async def _migrated(settings: Settings) -> None:
    """What was booked before there were seals is sealed at once, so that the books verify."""
    await databases.migrate(settings)
    async with databases.opened(settings, Clock()):
        await Sealer().run()


@main.group(help="根密钥。")
def key() -> None:
    pass


@key.command("check", help="核对密钥文件与数据库是否配套。")
def check_key() -> None:
    settings = settings_now()

    async def check() -> None:
        async with databases.opened_to_read(settings):
            await installation.check(settings)

    run(check())
    click.echo(f"配套。指纹：{Keys.load(settings.key_path).fingerprint}  文件：{settings.key_path}")


@main.command("demo", help="看演示：一个街道、三个社区、一年的数据。人和地方都是编的。")
@click.option("--folder", default=Path(".demo"), type=click.Path(path_type=Path), help="演示数据放在哪里")
@click.option("--lan", is_flag=True, help="同一局域网里的手机也能打开")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="端口")
@click.option("--facts", is_flag=True, help="用 JSON 输出演示数据里的登录、卡号、商品，然后结束")
def show_demo(folder: Path, lan: bool, port: int, facts: bool) -> None:
    settings = demo.settings_of(folder, port=port, lan=lan)
    if facts:
        click.echo(msgspec.json.format(msgspec.json.encode(run(demo_facts.facts(settings)))).decode())
        return
    logs.configure("WARNING")
    run(demo.prepare(settings))
    welcome = run(demo.welcome(settings, lan=lan))
    run(server.serve(settings, lambda: click.echo(welcome)))


main.add_command(cli_init.init)
main.add_command(cli_backup.back_up)
main.add_command(cli_backup.restore)
main.add_command(cli_rooms.user)
main.add_command(cli_rooms.token)
main.add_command(cli_rooms.scoring)
main.add_command(cli_ledger.ledger)
