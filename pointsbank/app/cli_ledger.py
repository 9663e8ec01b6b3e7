"""Commands about the books: verify, export, heads. They only read, also beside a server that writes."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from pointsbank.app import database as databases
from pointsbank.app import verifying
from pointsbank.app.shell import Failure, run, settings_now
from pointsbank.kit.settings import Settings
from pointsbank.ledger import export as books_out
from pointsbank.ledger import queries_seal, verify_seals
from pointsbank.ledger.queries_seal import Head
from pointsbank.ledger.verify_seals import Deposited

COPY = click.option("--database", "file", type=click.Path(path_type=Path), help="检查一个拷贝出来的数据库文件")
ROOMS = {"": "", "stock": "货架", "redemption": "兑换", "awards": "计分", "events": "活动", "trail": "记录"}


@click.group(help="账本。")
def ledger() -> None:
    pass


def _settings(file: Path | None) -> Settings:
    """Somebody who was handed a copy has no settings of ours."""
    return Settings() if file else settings_now()


@ledger.command("verify", help="把账、货架和封存的链从头算一遍。只读，服务运行时也可以用；有问题时退出码是 1。")
@click.option("--json", "as_json", is_flag=True, help="用 JSON 输出")
@click.option("--head", "heads", multiple=True, help="留存的链头，像 3-1024-9f2c1a2b3c4d5e6f；可以写几个")
@COPY
def verify(as_json: bool, heads: Sequence[str], file: Path | None) -> None:
    report = run(verifying.verified(_settings(file), file, [_head(typed) for typed in heads], _tell))
    if as_json:
        click.echo(msgspec.json.encode({"is_clean": report.is_clean, **msgspec.structs.asdict(report)}).decode())
    else:
        for finding in report.findings:
            click.echo(f"{ROOMS[finding.room]}第 {finding.invariant} 条：{finding.what}；{finding.where}")
        click.echo(
            f"账户 {report.accounts}，分录 {report.entries}，发出 {report.points_issued}（各种积分的最小单位）。"
        )
        for hold_key in report.overdue_holds:
            click.echo(f"预留 {hold_key} 过期一天以上还没有办：请在办它的页面取消或完成。")
        click.echo(f"封存到：{'，'.join(report.heads) or '还没有'}；还没封存的 {report.waiting} 条。")
    if not report.is_clean:
        raise Failure(f"账不平：{len(report.findings)} 处。请停止兑换，保留数据库，联系维护人员。")
    if not as_json:
        click.echo("账是平的。")


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _head(typed: str) -> Deposited:
    found = verify_seals.read_head(typed)
    if found is None:
        raise Failure(f"链头写得不对：{typed}。要像 3-1024-9f2c1a2b3c4d5e6f，最后一段至少 16 个字。")
    return found


@ledger.command("head", help="每个社区的链头：抄下来，或交给街道留存，以后用它核对账有没有被改过。")
@COPY
def show_heads(file: Path | None) -> None:
    for head in run(_heads(_settings(file), file)):
        click.echo(head.shown)


async def _heads(settings: Settings, file: Path | None) -> list[Head]:
    async with databases.opened_to_read(settings, file):
        return await queries_seal.heads()


@ledger.command("export", help="把账和链导出成 CSV，放进一个空文件夹，里面带着核对用的 verify.py。")
@click.argument("folder", type=click.Path(path_type=Path), metavar="文件夹")
@COPY
def export(folder: Path, file: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Failure(f"文件夹里已经有东西：{folder}。请换一个空的，或新的名字。")
    heads = run(_exported(_settings(file), file, folder))
    for head in heads:
        click.echo(f"导出到链头 {head.shown}")
    click.echo(f"核对：python {folder / 'verify.py'}")


async def _exported(settings: Settings, file: Path | None, folder: Path) -> list[Head]:
    async with verifying.opened_giving_way(settings, file):
        return await books_out.export(folder, _tell)
