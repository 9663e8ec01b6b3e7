"""`pointsbank backup` and `pointsbank restore`."""

from pathlib import Path

import click

from pointsbank.app import backup, backup_daily
from pointsbank.app.backup import Manifest
from pointsbank.app.shell import run, settings_now


@click.command(
    "backup",
    help="备份数据库，服务运行时也可以用。不写文件就做今天的那份，放进备份文件夹，每天那份服务自己会做。",
)
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[文件]")
def back_up(file: Path | None) -> None:
    settings = settings_now()
    manifest: Manifest | None
    if file is None:
        backup.refuse_postgres(settings)
        file, manifest = run(backup_daily.make(settings))
        if manifest is None:
            click.echo(f"今天的备份已经有了：{file}")
            return
        _tell(file, manifest)
    else:
        manifest = run(backup.make(settings, file))
        _tell(file, manifest)
        run(backup_daily.tell(settings, manifest))


def _tell(file: Path, manifest: Manifest) -> None:
    click.echo(f"备份好了：{file}，{manifest.bytes / 1_000_000:.1f} MB")
    click.echo(f"清单：{backup.manifest_of(file)}，SHA-256 {manifest.sha256}")
    click.echo("两个文件要放在一起。密钥不在里面，请另外保管。")
    if manifest.findings:
        click.echo(f"注意：备份留着，但{backup.told_of(manifest.findings)}。", err=True)
        click.echo("请运行 pointsbank ledger verify，联系维护人员；更早的备份不要删。", err=True)


@click.command(help="把一份备份恢复到新的地方，先和清单核对。不覆盖任何已有的文件。")
@click.argument("file", type=click.Path(path_type=Path), metavar="文件")
@click.option("--to", "to", required=True, type=click.Path(path_type=Path), help="新的数据库文件，或已有的文件夹")
@click.option("--with-findings", is_flag=True, help="里面的账有不对的地方，也照样恢复")
def restore(file: Path, to: Path, *, with_findings: bool) -> None:
    target, manifest = run(backup.restore(file, to, with_findings=with_findings))
    click.echo(f"与清单相符，恢复到：{target}")
    click.echo(f"里面是 {manifest.made_at.astimezone():%Y-%m-%d %H:%M} 以前的全部数据。")
    if not backup.is_current(manifest.schema):
        click.echo("它是旧版本的：请先运行 pointsbank migrate，再运行 pointsbank ledger verify。")
    click.echo(f"密钥另外放好（指纹 {manifest.key_fingerprint}），用 pointsbank key check 核对，再启动。")
