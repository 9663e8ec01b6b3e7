from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from pointsbank.kit import settings
from pointsbank.kit.settings import BadSettings, Settings


def test_nothing_set_is_a_shop_on_its_own_pc():
    chosen = Settings.from_env({"PATH": "/bin", "POINTSBANK_PORT": " "})
    assert (chosen.host, chosen.port, chosen.allow_http) == ("127.0.0.1", 8000, False)
    assert chosen.database_url is None
    assert chosen.database_file == chosen.data / "pointsbank.db"
    assert chosen.key_path == chosen.data / "root.key"
    assert chosen == Settings()


def test_everything_can_be_set():
    chosen = Settings.from_env(
        {
            "POINTSBANK_DATA": "here",
            "POINTSBANK_DATABASE_URL": "postgresql://u:p@db/points?host=/run/x",
            "POINTSBANK_HOST": "0.0.0.0",
            "POINTSBANK_PORT": "9000",
            "POINTSBANK_KEY_FILE": "safe/root.key",
            "POINTSBANK_ALLOW_HTTP": "1",
            "POINTSBANK_PUBLIC_URL": "https://jf.example.cn/",
            "POINTSBANK_TRUSTED_PROXIES": "10.0.0.1, 192.168.0.0/16",
            "POINTSBANK_LOG_LEVEL": "warning",
        }
    )
    assert chosen == Settings(
        data=Path("here").absolute(),
        database_url="postgresql://u:p@db/points?host=/run/x",
        host="0.0.0.0",
        port=9000,
        key_file=Path("safe/root.key").absolute(),
        allow_http=True,
        public_url="https://jf.example.cn",
        trusted_proxies=("10.0.0.1/32", "192.168.0.0/16"),
        log_level="WARNING",
    )
    assert chosen.key_path == Path("safe/root.key").absolute()
    with pytest.raises(FrozenInstanceError):
        chosen.port = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POINTSBANK_PROT", "9000"),
        ("POINTSBANK_port", "9000"),
        ("POINTSBANK_DATA", "~nobody-of-that-name/x"),
        ("POINTSBANK_DATABASE_URL", "mysql://u:hidden@db/points"),
        ("POINTSBANK_DATABASE_URL", "postgresql://u:hidden@[db/points"),
        ("POINTSBANK_DATABASE_URL", "postgresql://u:hidden℀@db/points"),
        ("POINTSBANK_DATABASE_URL", "postgresql://u:x@db:hidden/points"),
        ("POINTSBANK_HOST", "a b"),
        ("POINTSBANK_PORT", "0"),
        ("POINTSBANK_PORT", "65536"),
        ("POINTSBANK_PORT", "８０００"),
        ("POINTSBANK_PORT", "http"),
        ("POINTSBANK_ALLOW_HTTP", "maybe"),
        ("POINTSBANK_PUBLIC_URL", "jf.example.cn"),
        ("POINTSBANK_PUBLIC_URL", "https://u:hidden@jf.example.cn"),
        ("POINTSBANK_PUBLIC_URL", "https://jf.example.cn?x=1"),
        ("POINTSBANK_PUBLIC_URL", "https://[jf"),
        ("POINTSBANK_TRUSTED_PROXIES", "proxy.example.cn"),
        ("POINTSBANK_LOG_LEVEL", "loud"),
    ],
)
def test_a_mistake_is_named_in_one_line_without_secrets(name, value):
    with pytest.raises(BadSettings) as caught:
        Settings.from_env({name: value})
    assert name in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_setting_is_documented_with_its_true_default():
    lines = {line.name: line for line in settings.documentation()}
    assert set(lines) == {f"POINTSBANK_{each.name.upper()}" for each in fields(Settings)}
    assert all(line.doc and line.shown_default for line in lines.values())
    for name in ("host", "port", "log_level", "allow_http"):
        shown = {f"POINTSBANK_{name.upper()}": lines[f"POINTSBANK_{name.upper()}"].shown_default}
        assert getattr(Settings.from_env(shown), name) == getattr(Settings(), name)
