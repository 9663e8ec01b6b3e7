"""Where the program is reached, for whoever reads the terminal: from this machine, and from others by a QR."""

import io
import socket

from qrcode.main import QRCode

from pointsbank.kit.settings import Settings

LOCAL = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  only compared with


class NoLan(Exception):
    def __init__(self) -> None:
        super().__init__("没有找到局域网地址。请先连上局域网，或不写 --lan，只在本机看。")


def lan_address() -> str:
    """This machine's address on the way out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))
        except OSError:
            raise NoLan from None
        address: str = probe.getsockname()[0]
    if address.startswith("127."):
        raise NoLan
    return address


def from_here(settings: Settings) -> str:
    """What to open on this machine: the name that people use, if there is one, since cookies go by names."""
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def from_elsewhere(settings: Settings) -> str | None:
    """What phones and other computers open; None where only this machine hears, or nobody knows its address."""
    if settings.public_url is None and settings.host in EVERYWHERE:
        try:
            return f"http://{lan_address()}:{settings.port}"
        except NoLan:
            return None
    return None if settings.public_url is None and settings.host in LOCAL else from_here(settings)


def code_of(text: str) -> str:
    """A QR drawn with letters."""
    code, drawn = QRCode(border=2), io.StringIO()
    code.add_data(text)
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue()


def announced(settings: Settings, path: str = "") -> str:
    """The addresses as lines, with a QR where somebody else than this machine can come."""
    here, elsewhere = from_here(settings), from_elsewhere(settings)
    lines = [f"  {here}{path}"]
    if elsewhere is not None:
        lines += [] if elsewhere == here else [f"  {elsewhere}{path}（同一个网里的手机和电脑）"]
        lines += ["", code_of(f"{elsewhere}{path}").rstrip("\n")]
    return "\n".join(lines)
