from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from pointsbank.kit import codes, qr

CODE = codes.card_code("1234567890123456")
ADDRESS = "https://jifen.jiedao.example.cn/e/" + codes.event_code(b"k" * 32, 7, 1, 99)


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def decoded(png: bytes) -> tuple[str, zxingcpp.BarcodeFormat]:
    (found,) = zxingcpp.read_barcodes(opened(png).convert("L"))
    return found.text, found.format


@pytest.mark.parametrize("level", ["M", "Q"])
@pytest.mark.parametrize("content", [CODE, ADDRESS, "https://例子.cn/p/0123456789ABC", "A"])
def test_a_scanner_reads_what_the_qr_says(content, level):
    assert decoded(qr.qr_png(content, level=level, box=3)) == (content, zxingcpp.BarcodeFormat.QRCode)


@pytest.mark.parametrize("level", ["M", "Q"])
def test_twenty_digits_make_the_smallest_qr(level):
    assert opened(qr.qr_png(CODE, level=level, box=1)).size == (21 + 8, 21 + 8)


def test_an_event_address_stays_small_enough_for_old_phones():
    assert opened(qr.qr_png(ADDRESS, level="M", box=1)).size[0] <= 33 + 8


def test_pictures_are_black_and_white_in_whole_modules():
    image = opened(qr.qr_png(CODE, level="Q", box=7))
    assert (image.mode, image.format, image.size) == ("1", "PNG", (29 * 7, 29 * 7))
    assert image.getextrema() == (0, 255)
    assert image.crop((0, 0, 4 * 7, 29 * 7)).getextrema() == (255, 255)
    assert image.getpixel((4 * 7, 4 * 7)) == 0


@pytest.mark.parametrize("digits", [CODE, codes.phone_code(b"s", "00000000", 1), "00"])
def test_a_scanner_reads_what_the_bars_say(digits):
    assert decoded(qr.code128_png(digits)) == (digits, zxingcpp.BarcodeFormat.Code128)


def test_twenty_digits_take_ten_symbols_and_have_room_at_both_ends():
    image = opened(qr.code128_png(CODE, box=2, height=60))
    symbols = 1 + 10 + 1  # start, pairs of digits, check
    modules = symbols * 11 + 13
    assert image.size == ((10 + modules + 10) * 2, 60)
    for edge in ((0, 0, 20, 60), (image.width - 20, 0, image.width, 60)):
        assert image.crop(edge).getextrema() == (255, 255)


def test_an_odd_number_of_digits_is_a_mistake():
    with pytest.raises(AssertionError):
        qr.code128_png("123")


@pytest.mark.parametrize("code", [codes.own_barcode(42), "6901234567892"])
def test_a_scanner_reads_a_goods_label(code):
    assert decoded(qr.ean13_png(code)) == (code, zxingcpp.BarcodeFormat.EAN13)


def test_a_goods_label_with_a_wrong_check_digit_is_a_mistake():
    with pytest.raises(AssertionError):
        qr.ean13_png("6901234567893")


def test_pictures_are_kept_but_not_without_end():
    before = qr.qr_png.cache_info()
    assert before.maxsize == 256
    qr.qr_png(CODE, level="Q", box=7)
    qr.qr_png(CODE, level="Q", box=7)
    assert qr.qr_png.cache_info().hits > before.hits
