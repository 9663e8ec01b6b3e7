"""Good files as people have them, and what becomes of them."""

import io
from datetime import date, datetime, time

import pytest
import xlsxwriter
from PIL import Image, PngImagePlugin

from pointsbank.kit import intake
from pointsbank.kit.rules_intake import BYTES_MAX, FileEmpty, FileTooLarge, NoSheet, TooManyRows
from tests.kit import hostile


def workbook(*tables: list[list[object]]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        day, clock = book.add_format({"num_format": "yyyy/m/d"}), book.add_format({"num_format": "hh:mm"})
        for rows in tables:
            page = book.add_worksheet()
            page.set_column(0, 16_000, 12, book.add_format({"border": 1}))
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    kind = clock if isinstance(value, time) else day if isinstance(value, date | datetime) else None
                    page.write(number, column, value, kind)
    return made.getvalue()


async def test_a_workbook_is_read_with_its_kinds_of_cells():
    rows = [["登记表"], [], ["测试甲", 13800138000, 1.5, True, date(1990, 1, 1), time(14, 30)], [110105199001010000]]
    sheet = await intake.read_sheet(workbook([], rows))
    assert (sheet.kind, sheet.encoding, sheet.name) == ("xlsx", None, "Sheet2")
    assert sheet.rows == [
        ["登记表"],
        [],
        ["测试甲", 13800138000, 1.5, True, "1990-01-01", "14:30:00"],
        [110105199001010000.0],
    ]
    assert isinstance(sheet.rows[2][1], int)
    assert isinstance(sheet.rows[3][0], float)


async def test_merged_cells_keep_their_value_in_the_first():
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        page = book.add_worksheet("名册")
        page.merge_range("A1:D1", "某社区居民名册")
        page.write_row(1, 0, ["姓名", "电话"])
        page.write_url(2, 0, "https://example.test/", string="测试甲")
    assert (await intake.read_sheet(made.getvalue())).rows == [["某社区居民名册"], ["姓名", "电话"], ["测试甲"]]


async def test_merged_areas_and_formulas_are_told_of_the_sheet_that_is_read():
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        notes, page = book.add_worksheet("说明"), book.add_worksheet("积分")
        page.activate()
        page.set_first_sheet()
        notes.hide()
        notes.write_formula("A1", "=1+1", None, 2)
        page.merge_range("B2:B3", "环境")
        page.write_formula("C3", "=1+1", None, 2)
    sheet = await intake.read_sheet(made.getvalue())
    assert (sheet.merged, sheet.formulas) == ([(2, 2)], [(3, 3)])
    assert sheet.rows[2][2] == 2


async def test_a_hidden_sheet_is_passed_over():
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        hidden, shown = book.add_worksheet("选项"), book.add_worksheet("名册")
        shown.activate()
        shown.set_first_sheet()
        hidden.hide()
        hidden.write(0, 0, "男")
        shown.write(0, 0, "姓名")
    assert (await intake.read_sheet(made.getvalue())).name == "名册"


async def test_an_old_workbook_is_read():
    sheet = await intake.read_sheet(hostile.xls(hostile.number(0, 0, 7) + hostile.number(2, 1, 2.5)))
    assert (sheet.kind, sheet.rows) == ("xls", [[7], [], [None, 2.5]])


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("gbk", ","), ("gb18030", "\t"), ("utf-16", "\t"), ("utf-8", ";")],
)
async def test_separated_text_is_read_in_every_spelling(encoding, separator):
    name = "测试乙" if encoding == "gbk" else "测试㙍"
    text = f'姓名{separator}地址\r\n测试甲{separator}"1栋{separator}2单元"\r\n\r\n{name}{separator}\r\n'
    sheet = await intake.read_sheet(text.encode(encoding))
    assert sheet.rows == [["姓名", "地址"], ["测试甲", f"1栋{separator}2单元"], [], [name]]
    assert (sheet.kind, sheet.encoding) == ("csv", {"utf-8-sig": "utf-8", "gbk": "gb18030"}.get(encoding, encoding))


async def test_words_that_other_programs_would_run_are_words():
    sheet = await intake.read_sheet(b"=cmd|'/c calc'!A0,+86 100,@SUM(1),+AGE-\n")
    assert sheet.rows == [["=cmd|'/c calc'!A0", "+86 100", "@SUM(1)", "+AGE-"]]


async def test_the_limits_of_a_reader_may_be_narrower():
    with pytest.raises(TooManyRows) as refused:
        await intake.read_sheet(b"1\n2\n3\n", rows_max=2)
    assert refused.value.facts == {"rows": 2}
    assert len((await intake.read_sheet(b"1\n2\n" + b"\n" * 50, rows_max=2)).rows) == 2


async def test_sizes_are_asked_before_anything_is_started(monkeypatch):
    monkeypatch.setattr(intake, "COMMAND", ("/nowhere",))
    with pytest.raises(FileEmpty):
        await intake.read_sheet(b"")
    with pytest.raises(FileTooLarge):
        await intake.read_sheet(b"a" * (BYTES_MAX + 1))


async def test_what_a_file_looks_like_is_named():
    with pytest.raises(NoSheet) as refused:
        await intake.read_sheet(b"%PDF-1.7")
    assert refused.value.facts == {"looks": "PDF 文件"}


def opened(photo: intake.Photo) -> Image.Image:
    image = Image.open(io.BytesIO(photo.content))
    image.load()
    assert (image.format, image.size) == ("JPEG", (photo.width, photo.height))
    return image


async def test_a_photo_is_made_anew_upright_and_small():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (39.0, 54.0, 0.0)
    sent = hostile.picture("JPEG", (2400, 1200), exif=exif, comment=b"SecretComment", icc_profile=b"SecretProfile")
    assert sent.count(b"Secret") == 3
    photo = await intake.read_photo(sent)
    assert (photo.width, photo.height) == (640, 1280)
    assert b"Secret" not in photo.content
    image = opened(photo)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}


async def test_text_and_places_in_a_png_are_gone():
    info = PngImagePlugin.PngInfo()
    info.add_text("Location", "SecretPlace")
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    photo = await intake.read_photo(hostile.picture("PNG", pnginfo=info, exif=exif))
    assert b"Secret" not in photo.content
    opened(photo)


async def test_what_follows_a_picture_is_gone():
    photo = await intake.read_photo(hostile.picture("JPEG") + hostile.book())
    assert b"PK\x03\x04" not in photo.content


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
async def test_every_mode_becomes_a_plain_photo(mode):
    made = io.BytesIO()
    image = Image.new(mode, (40, 30))
    image.save(made, "JPEG" if mode == "CMYK" else "PNG", **({"transparency": 0} if mode == "P" else {}))
    seen = opened(await intake.read_photo(made.getvalue()))
    assert seen.mode == "RGB"
    if mode in {"RGBA", "LA", "P"}:  # nothing stands there, so paper shows
        assert seen.getpixel((3, 3)) == (255, 255, 255)


async def test_a_small_picture_is_not_blown_up_and_a_list_gets_a_light_one():
    sent = io.BytesIO()
    Image.effect_noise((600, 400), 80).convert("RGB").save(sent, "WEBP")
    assert (await intake.read_photo(sent.getvalue())).width == 600
    light = await intake.read_photo(sent.getvalue(), side_max=160, bytes_max=5000)
    assert (light.width, light.height) == (160, 107)
    assert len(light.content) <= 5000
