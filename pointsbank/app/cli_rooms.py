"""Commands about users, tokens of programs and scoring tables."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from pointsbank.app import database as databases
from pointsbank.app import installation, local
from pointsbank.app.commands import find_place
from pointsbank.app.passwords import ask_password
from pointsbank.app.shell import Failure, run, settings_now
from pointsbank.kit import crypto
from pointsbank.kit.clock import ZONE, Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.ledger.rules import MAIN
from pointsbank.people import queries_staff
from pointsbank.people.rules import LOGIN_LENGTH_MAX, TOKEN_DAYS_MAX, normal_login
from pointsbank.people.rules_roles import Role
from pointsbank.scoring import facts_file, queries, rules, scheme_file, scheme_schema
from pointsbank.web import i18n


def send(name: str, **facts: Any) -> dict[str, Any]:
    return run(local.send(settings_now(), name, **facts))


@click.group(help="工作人员的登录。")
def user() -> None:
    pass


@user.command("add", help="给一个人开通登录和岗位。")
@click.option("--login", required=True, help="登录名")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="岗位")
@click.option("--place", default="", help="在哪里：街道或社区的名称；只有一个时可以不写")
@click.option("--name", default="", help="新工作人员的姓名")
@click.option("--number", default="", help="名册里已有的人：9 位存折号")
@click.option("--generate-password", is_flag=True, help="生成一次性密码，只显示一次，登录后必须改")
def add_user(*, login: str, role: str, place: str, name: str, number: str, generate_password: bool) -> None:
    if bool(name) == bool(number):
        raise Failure("请写 --name（新的工作人员）或 --number（名册里的人），只写其中一个。")
    plain = normal_login(login)
    if not 0 < len(plain) <= LOGIN_LENGTH_MAX:
        raise Failure(f"登录名要有 1 到 {LOGIN_LENGTH_MAX} 个字符。")
    password = ask_password(plain, generate=generate_password)
    made = send(
        "user.add",
        login=plain,
        password_hash=crypto.hash_password(password),
        must_change=generate_password,
        role=role,
        place=place,
        number=number,
        person_name=name,
    )
    click.echo(f"开通了：{plain}，{made['place']}")
    if generate_password:
        click.echo(f"一次性密码（只显示这一次，登录后必须改）：{password}")


@user.command("reset", help="给一个登录名设一次性密码；停用的也重新打开。只有一位管理员、他忘了密码时用。")
@click.argument("login", metavar="登录名")
def reset_user(login: str) -> None:
    plain = normal_login(login)
    password = ask_password(plain, generate=True)
    send("user.reset", login=plain, password_hash=crypto.hash_password(password))
    click.echo(f"{plain} 的一次性密码（只显示这一次，登录后必须改）：{password}")


@user.command("second-step-off", help="解除一个登录名的登录验证码。只有一位管理员、他的手机丢了时用。")
@click.argument("login", metavar="登录名")
def second_step_off(login: str) -> None:
    send("user.second_step_off", login=normal_login(login))
    click.echo("已解除。下次登录只要密码；社区要求验证码的，登录后会先请他重新设置。")


@click.group(help="给其他程序用的令牌，只能用于 /api。")
def token() -> None:
    pass


@token.command("issue", help="发一个令牌；它只显示这一次。")
@click.option("--login", required=True, help="以谁的身份")
@click.option("--role", default="", help="以哪个岗位；只有一个岗位时可以不写")
@click.option("--name", default="", help="给哪个程序用，写给以后的自己看")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, TOKEN_DAYS_MAX), help="多少天后失效")
def issue_token(login: str, role: str, name: str, days: int) -> None:
    secret = crypto.new_token()
    digest = crypto.token_digest(secret).hex()
    made = send("token.issue", login=normal_login(login), role=role, purpose=name, digest=digest, days=days)
    click.echo(f"令牌编号 {made['token_id']}，{days} 天有效。令牌只显示这一次：", err=True)
    click.echo(secret)


@token.command("list", help="列出所有令牌（不含令牌本身）。")
def list_tokens() -> None:
    async def find(settings: Settings) -> list[queries_staff.Token]:
        async with databases.opened_to_read(settings):
            await installation.check(settings)
            return await queries_staff.list_tokens()

    now = Clock().now()
    for one in run(find(settings_now())):
        state = "已作废" if one.ended_at else "已过期" if one.expires_at <= now else "有效"
        until = one.expires_at.astimezone(ZONE).date().isoformat()
        click.echo(f"{one.id}\t{one.login}\t{one.role}\t{state}\t到 {until}\t{one.name}")


@token.command("revoke", help="作废一个令牌，立即生效。")
@click.argument("token_id", type=int, metavar="编号")
def revoke_token(token_id: int) -> None:
    if not send("token.revoke", token_id=token_id)["was_alive"]:
        raise Failure(f"没有编号是 {token_id} 的有效令牌。用 pointsbank token list 看编号。")
    click.echo(f"已作废：{token_id}")


@click.group(help="积分表文件。写法见 seed_data/scoring/README.md。")
def scoring() -> None:
    pass


@scoring.command("check", help="检查一个积分表文件，逐条指出第几行、怎么改。")
@click.argument("file", type=click.Path(path_type=Path), metavar="文件")
def check_scheme(file: Path) -> None:
    text = _text_of(file)
    problems = scheme_file.check(text)
    for problem in problems:
        where = f"（{problem.where}）" if problem.where else ""
        click.echo(f"第 {problem.line} 行{where}：{problem.message}", err=True)
    if problems:
        raise Failure(f"共 {len(problems)} 处要改。")
    bars = scheme_file.bars(text)
    for bar in bars:
        where = f"（{bar.where}）" if bar.where else ""
        click.echo(f"第 {bar.line} 行{where}：{bar.message}")
    click.echo(f"可以导入成草稿；公布以前，还有上面 {len(bars)} 处要定。" if bars else "没有问题。")


@scoring.command("evaluate", help="按一个积分表文件给做过的事算分，写出怎么算的。")
@click.argument("file", type=click.Path(path_type=Path), metavar="文件")
@click.option("--facts", required=True, type=click.Path(path_type=Path), help="做过的事（JSON）：一件，或依次的几件")
def evaluate_scheme(file: Path, facts: Path) -> None:
    table = scheme_file.parse(_text_of(file))
    acts = facts_file.parse(_text_of(facts))
    facts_file.check(table, acts)
    items, again = {item.code: item for item in table.items}, rules.Replay()
    total, unscored = 0, 0
    for number, act in enumerate(acts, start=1):
        item = items.get(act.item_code)
        try:
            if item is None:
                raise rules.UnknownItem(item_code=act.item_code)
            result = again.score(table, item, act)
        except Refusal as refused:
            click.echo(f"第 {number} 件：{i18n.t(refused)}", err=True)
            unscored += 1
            continue
        written = partial(_written, table, item)
        less = "扣 " if item.deduction else ""
        click.echo(f"{item.code} {item.name}，{act.facts.day}：{less}{written(result.points)}")
        for step in result.steps:
            click.echo(f"  {rules.told(step, written)}")
        total += -result.points if item.deduction else result.points
    if len(acts) > 1:
        click.echo(f"合计 {total}")
    if unscored:
        raise Failure(f"有 {unscored} 件算不出分，没有计入。")


@scoring.command("schema", help="打印积分表文件的 JSON Schema。")
def print_schema() -> None:
    click.echo(scheme_schema.text(), nl=False)


def _written(table: rules.Table, item: rules.Item, points: int) -> str:
    """A file knows the unit of the main passbook alone."""
    return f"{points} {table.unit_name}" if item.book_kind == MAIN else f"{points}（{item.book_kind} 的最小单位）"


@scoring.command("import", help="把积分表文件放进社区的草稿；发布要由社区管理员在页面上做。")
@click.argument("file", type=click.Path(path_type=Path), metavar="文件")
@click.option("--community", default="", help="社区的名称；只有一个时可以不写")
def import_scheme(file: Path, community: str) -> None:
    made = send("scoring.import", text=_text_of(file), community=community)
    click.echo(f"放进了草稿：{made['community']}，{made['items']} 项。请管理员核对后发布。")


@scoring.command("export", help="打印社区的积分表文件：执行中的一版，或 --version 写的那一版。")
@click.option("--community", default="", help="社区的名称；只有一个时可以不写")
@click.option("--version", "number", type=int, help="第几版，草稿也可以")
def export_scheme(community: str, number: int | None) -> None:
    async def find(settings: Settings) -> queries.Version | None:
        async with databases.opened_to_read(settings):
            await installation.check(settings)
            place = await find_place(community, ("community",), option="community")
            if number is not None:
                return await queries.numbered(place["id"], number)
            return await queries.current(place["id"], local_day(Clock().now()))

    found = run(find(settings_now()))
    if found is None:
        raise Failure(
            "这个社区还没有执行中的积分标准。请用 --version 写第几版。"
            if number is None
            else f"这个社区没有第 {number} 版积分标准。请在“积分标准”页看有哪几版。"
        )
    click.echo(scheme_file.write(found.table), nl=False)


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise Failure(f"文件 {file} 不是 UTF-8 文字。请另存为 UTF-8 再试。") from None
