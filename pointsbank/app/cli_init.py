"""`pointsbank init`: asks for whatever no flag gave."""

from typing import Any

import click

from pointsbank.app import init as founding
from pointsbank.app.commands import clean_name
from pointsbank.app.init import HOLDERS
from pointsbank.app.passwords import ask_password
from pointsbank.app.shell import Failure, run, settings_now
from pointsbank.awards import rules as awards
from pointsbank.kit import crypto
from pointsbank.people.rules import LOGIN_LENGTH_MAX, normal_login


def _given(value: str | None, question: str, default: str | None = None) -> str:
    return clean_name(value if value is not None else click.prompt(question, default=default, type=str))


@click.command(help="建立第一个社区：地点、积分表、超市、第一位管理员；没写的逐项问。")
@click.option("--district", default="", help="区县；可以不写")
@click.option("--street", help="街道")
@click.option("--community", help="社区")
@click.option("--building", "buildings", multiple=True, help="楼栋，如 3 号楼；可以写多次，也可以以后再加")
@click.option("--template", "template_name", help="积分表模板的文件名；用 --templates 列出")
@click.option("--templates", is_flag=True, help="列出积分表模板，然后结束")
@click.option("--unit-name", help="单位名称，写在页面和公示的抬头")
@click.option("--holder", type=click.Choice(list(HOLDERS)), help="存折归个人还是家庭")
@click.option("--notice-days", type=click.IntRange(0, 30), help="公示天数")
@click.option("--service-phone", help="服务电话")
@click.option("--oversight-phone", help="监督电话")
@click.option("--outlet", help="爱心超市的名称")
@click.option("--hours", default=founding.OUTLET_HOURS, show_default=True, help="开门时间")
@click.option("--counter", help="兑换台的名称")
@click.option("--admin-name", help="第一位社区管理员的姓名")
@click.option("--admin-login", help="他的登录名")
@click.option("--generate-password", is_flag=True, help="生成一次性密码，只显示一次，登录后必须改")
def init(**given: Any) -> None:
    if given["templates"]:
        _list_templates()
        return
    settings = settings_now()
    run(founding.refuse_if_founded(settings))
    name = given["template_name"] or click.prompt("积分表模板（文件名）", type=click.Choice(founding.templates()))
    table = founding.template(name)
    holder = given["holder"] or click.prompt("存折归谁", type=click.Choice(list(HOLDERS)), default=table.passbook)
    days = given["notice_days"]
    if days is None:
        days = click.prompt("公示天数", type=click.IntRange(0, 30), default=awards.notice_days(table))
    street = _given(given["street"], "街道")
    community = _given(given["community"], "社区")
    login = normal_login(_given(given["admin_login"], "管理员的登录名"))
    if not 0 < len(login) <= LOGIN_LENGTH_MAX:
        raise Failure(f"登录名要有 1 到 {LOGIN_LENGTH_MAX} 个字符。")
    plan = founding.Plan(
        district=clean_name(given["district"]) if given["district"] else "",
        street=street,
        community=community,
        buildings=[clean_name(building) for building in given["buildings"]],
        unit_name=_given(given["unit_name"], "单位名称", community),
        holder=holder,
        notice_days=days,
        service_phone=_given(given["service_phone"], "服务电话"),
        oversight_phone=_given(given["oversight_phone"], "监督电话"),
        outlet=_given(given["outlet"], "爱心超市的名称", founding.outlet_of(community)),
        hours=clean_name(given["hours"]),
        counter=_given(given["counter"], "兑换台的名称", founding.COUNTER),
        admin_name=_given(given["admin_name"], "管理员的姓名"),
        admin_login=login,
        must_change=given["generate_password"],
    )
    password = ask_password(login, generate=plan.must_change)
    click.echo("正在建库 …")
    outcome = run(founding.carry_out(settings, plan, table, crypto.hash_password(password)))
    click.echo(f"建好了：{street} {community}。管理员登录名：{login}")
    if plan.must_change:
        click.echo(f"一次性密码（只显示这一次，登录后必须改）：{password}")
    click.echo(f"\n{founding.key_sheet(settings, outcome)}\n")
    click.echo("下一步：pointsbank serve")


def _list_templates() -> None:
    for name in founding.templates():
        table = founding.template(name)
        click.echo(f"{name:28} {table.name}，{len(table.items)} 项，{HOLDERS[table.passbook]}")
