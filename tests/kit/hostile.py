"""Files that nobody means well with, made by code: each is bytes, and what `kit.intake` has to say of it."""

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image, PngImagePlugin

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
TYPES = (
    f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KINDS}.sheet.main+xml"/></Types>'
)
BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    f'<sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
LINKS = (
    f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>%s</Relationships>'
)
ROOT = (
    f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c></row>'
SHEET_PART, SHARED_PART, LINKS_PART = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"


def sheet(rows: str = CELL, *, before: str = "") -> str:
    return f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def shared(texts: str) -> str:
    return f'<sst xmlns="{MAIN}">{texts}</sst>'


def parts(rows: str = CELL, **more: str) -> dict[str, str | bytes]:
    """The parts of a small good workbook."""
    return {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": ROOT,
        "xl/workbook.xml": BOOK,
        LINKS_PART: LINKS % "",
        SHEET_PART: sheet(rows),
        **more,
    }


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", method) as packed:
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in files.items():
            packed.writestr(name.removesuffix("#again"), content)
    return made.getvalue()


def book(rows: str = CELL, **more: str) -> bytes:
    return zipped(parts(rows, **more))


def with_parts(**more: str | bytes) -> bytes:
    return zipped(parts() | {name.replace("__", "/"): content for name, content in more.items()})


def patched(content: bytes, signature: bytes, offset: int, value: bytes, *, at: int = -1) -> bytes:
    """A field of a zip header overwritten; `at` says which header of this signature (default: the last)."""
    places = [place for place in range(len(content)) if content.startswith(signature, place)]
    start = places[at] + offset
    return content[:start] + value + content[start + len(value) :]


def overlapping() -> bytes:
    """Every entry of the directory points at the same bytes: a little zip that unpacks to much."""
    one = zipped(parts(), zipfile.ZIP_STORED)
    body, directory = one[: one.index(b"PK\x01\x02")], one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    entries = directory
    first = directory[: 46 + len("[Content_Types].xml")]
    for number in range(100):
        name = f"xl/theme{number}.xml".encode()
        entries += first[:28] + struct.pack("<H", len(name)) + first[30:46] + name
    count = len(parts()) + 100
    return body + entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), len(body), 0)


def crowded() -> bytes:
    return zipped(parts() | {f"xl/media/{number}.png": b"" for number in range(5000)}, zipfile.ZIP_STORED)


def nested() -> bytes:
    inner = zipped({"0": b"\0" * 4_000_000})
    for _depth in range(3):
        inner = zipped({str(number): inner for number in range(16)})
    return inner


def encrypted_part() -> bytes:
    content = book()
    content = patched(content, b"PK\x03\x04", 6, b"\x01\x00")
    return patched(content, b"PK\x01\x02", 8, b"\x01\x00")


def ole(*streams: str, body: bytes = b"") -> bytes:
    """What has the header of OLE2 and the names of these streams."""
    names = b"".join(stream.encode("utf-16-le").ljust(128, b"\0") for stream in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + names + body


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def xls(cells: bytes) -> bytes:
    """A workbook of 1997: one sheet, in a compound file of one stream."""
    start = record(0x809, struct.pack("<4H2L", 0x600, 5, 0x0DBB, 0x07CC, 0, 6))
    name = b"\x02\x00A1"
    sheet_at = len(start) + 4 + 6 + len(name) + 4
    globes = start + record(0x85, struct.pack("<LBB", sheet_at, 0, 0) + name) + record(0x0A, b"")
    stream = globes + record(0x809, struct.pack("<4H2L", 0x600, 0x10, 0x0DBB, 0x07CC, 0, 6)) + cells + record(0x0A, b"")
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<9L", 0, 1, sectors + 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<L", sectors) + b"\xff" * 4 * 108
    chain = [*range(1, sectors), 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFE]
    table = b"".join(struct.pack("<L", link) for link in chain).ljust(512, b"\xff")

    def entry(title: str, kind: int, child: int, first: int, size: int) -> bytes:
        wide = title.encode("utf-16-le")
        return (
            wide.ljust(64, b"\0")
            + struct.pack("<HBB3L", len(wide) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + b"\0" * 36
            + struct.pack("<LQ", first, size)
        )

    names = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 0, len(stream))
    return head + stream + table + names.ljust(512, b"\0")


def number(row: int, column: int, value: float) -> bytes:
    return record(0x203, struct.pack("<3Hd", row, column, 0, value))


def noise(length: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(length)


def png(width: int, height: int, body: bytes | None = None) -> bytes:
    """A grey picture whose header may promise more than its body holds."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(content, zlib.crc32(kind)))
        )

    header = struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000) if body is None else body
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def picture(kind: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(made, kind, **options)
    return made.getvalue()


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    made = io.BytesIO()
    frames[0].save(made, kind, save_all=True, append_images=frames[1:], duration=100)
    return made.getvalue()


def texts_png() -> bytes:
    """Megabytes of text behind a few bytes."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "\0" * 20_000_000, zip=True)
    return picture("PNG", pnginfo=info)


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
SUSPECT, DAMAGED, TOO_MUCH, OTHER = "suspect", "damaged", "too_much", "no_sheet"

Files = dict[str, tuple[Callable[[], bytes], str]]

SHEETS: Files = {
    "a flat bomb": (lambda: with_parts(**{"xl__theme.xml": b" " * 90_000_000}), TOO_MUCH),
    "many parts that are too much together": (
        lambda: zipped(parts() | {f"xl/{n}.xml": noise(4000).hex() * 1900 for n in range(8)}),
        TOO_MUCH,
    ),
    "more declared than allowed": (
        lambda: patched(zipped(parts(), 0), b"PK\x01\x02", 20, struct.pack("<2L", 3 << 30, 3 << 30)),
        TOO_MUCH,
    ),
    "a nested bomb": (nested, OTHER),
    "overlapping entries": (overlapping, SUSPECT),
    "five thousand entries": (crowded, SUSPECT),
    "a directory that declares too little": (
        lambda: patched(book("<row/>" * 9000), b"PK\x01\x02", 24, struct.pack("<L", 50)),
        DAMAGED,
    ),
    "a size below zero": (
        lambda: patched(book(), b"PK\x01\x02", 20, struct.pack("<2L", 0xFFFFFFFF, 0xFFFFFFFF)),
        TOO_MUCH,
    ),
    "an entry that begins beyond the end": (
        lambda: patched(book(), b"PK\x01\x02", 42, struct.pack("<L", 1 << 30)),
        SUSPECT,
    ),
    "a wrong checksum": (lambda: patched(book(), b"PK\x01\x02", 16, b"\1\2\3\4"), DAMAGED),
    "an entry with a password": (encrypted_part, "locked"),
    "an exotic packing": (lambda: zipped(parts(), zipfile.ZIP_LZMA), SUSPECT),
    "an absolute path": (lambda: with_parts(**{"/etc/cron.d/a": b""}), SUSPECT),
    "a path upwards": (lambda: with_parts(**{"xl/../../a.xml": b"<a/>"}), SUSPECT),
    "a path of Windows": (lambda: with_parts(**{"C:\\a.xml": b"<a/>"}), SUSPECT),
    "one name twice": (lambda: zipped(parts() | {SHEET_PART + "#again": sheet()}), SUSPECT),
    "one name in two cases": (lambda: zipped(parts() | {SHEET_PART.upper(): sheet()}), SUSPECT),
    "a zip that contains itself in name only": (lambda: zipped({"r/r.zip": b"PK\x03\x04r/r.zip"}), OTHER),
    "a million rows": (
        lambda: book("".join(f"<row r='{n}'><c><v>1</v></c></row>" for n in range(1, 200_001, 8))),
        "too_many_rows",
    ),
    "borders in a million empty rows": (
        lambda: book(CELL + "".join(f'<row r="{n}" s="1"><c r="C{n}" s="1"/></row>' for n in range(900_000, 930_000))),
        "",
    ),
    "a cell in the last row of all": (lambda: book('<row r="1"><c r="A1048576"><v>1</v></c></row>'), "too_many_rows"),
    "a cell in the last column of all": (lambda: book('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "too_many_columns"),
    "two cells at the ends of many rows": (
        lambda: book('<row><c r="A1"><v>1</v></c><c r="AX1048576"><v>1</v></c></row>'),
        "too_many_rows",
    ),
    "two cells at the ends of many columns": (
        lambda: book('<row><c r="A1"><v>1</v></c><c r="XFD20000"><v>1</v></c></row>'),
        "too_many_columns",
    ),
    "a part in UTF-16": (lambda: zipped(parts() | {SHEET_PART: sheet().encode("utf-16")}), SUSPECT),
    "a row number like a telephone book": (lambda: book(f'<row r="{"9" * 5000}"><c><v>1</v></c></row>'), DAMAGED),
    "a place that is none": (lambda: book('<row r="1"><c r="AAAAAAAA1"><v>1</v></c></row>'), DAMAGED),
    "a giant cell": (
        lambda: book(f'<row><c t="inlineStr"><is><t>{noise(60_000).hex()}</t></is></c></row>'),
        "too_much_text",
    ),
    "a million shared texts": (
        lambda: with_parts(**{"xl__sharedStrings.xml": shared("<si><t>a</t></si>" * 400_000)}),
        TOO_MUCH,
    ),
    "one long text in every cell": (
        lambda: zipped(
            parts("".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 19_000)))
            | {SHARED_PART: shared(f"<si><t>{noise(15_000).hex()}</t></si>")}
        ),
        "too_much_text",
    ),
    "a shared text that is missing": (lambda: book('<row><c t="s"><v>7</v></c></row>'), DAMAGED),
    "a billion laughs": (lambda: zipped(parts() | {SHEET_PART: sheet(before=LAUGHS)}), SUSPECT),
    "an entity from outside": (lambda: zipped(parts() | {SHEET_PART: sheet(before=OUTSIDE)}), SUSPECT),
    "a DOCTYPE in a part nobody reads": (lambda: with_parts(**{"docProps__app.xml": "<!DOCTYPE a><a/>"}), SUSPECT),
    "a DOCTYPE hidden in UTF-16": (
        lambda: zipped(parts() | {SHEET_PART: sheet(before=LAUGHS).encode("utf-16")}),
        SUSPECT,
    ),
    "brackets without end": (lambda: book("<a>" * 5000 + "</a>" * 5000), SUSPECT),
    "a link to another workbook": (
        lambda: with_parts(**{"xl__externalLinks__externalLink1.xml": "<externalLink/>"}),
        "links",
    ),
    "a link by relation alone": (
        lambda: zipped(
            parts() | {LINKS_PART: LINKS % f'<Relationship Id="x" Type="{OFFICE}/externalLink" Target="file:///a"/>'}
        ),
        "links",
    ),
    "a workbook with macros": (lambda: with_parts(**{"xl__vbaProject.bin": b"\0"}), "macros"),
    "macros by another name": (
        lambda: zipped(
            parts() | {"[Content_Types].xml": TYPES.replace("openxmlformats", "ms-excel.sheet.macroEnabled.x")}
        ),
        "macros",
    ),
    "macros of 1992": (lambda: with_parts(**{"xl__macrosheets__sheet1.xml": "<a/>"}), "macros"),
    "an encrypted workbook": (
        lambda: ole("Root Entry", "EncryptionInfo", "EncryptedPackage", body=noise(9000)),
        "locked",
    ),
    "an old workbook with macros": (lambda: ole("Root Entry", "Workbook", "_VBA_PROJECT_CUR"), "macros"),
    "a Word document of 1997": (lambda: ole("Root Entry", "WordDocument"), OTHER),
    "an old workbook that ends at once": (lambda: ole("Root Entry", "Workbook"), DAMAGED),
    "an old workbook of noise": (lambda: ole("Workbook", body=noise(200_000)), DAMAGED),
    "a cell in the far corner of an old one": (
        lambda: xls(number(0, 0, 1) + number(65535, 255, 1)),
        TOO_MUCH,
    ),
    "an old workbook whose text is cut off": (lambda: xls(record(0x204, struct.pack("<4H", 0, 0, 0, 60_000))), DAMAGED),
    "a Word document": (lambda: zipped({"[Content_Types].xml": TYPES, "word/document.xml": "<a/>"}), OTHER),
    "a workbook in binary": (lambda: zipped({"[Content_Types].xml": TYPES, "xl/workbook.bin": b"\1"}), OTHER),
    "a table of LibreOffice": (lambda: zipped({"mimetype": b"x", "META-INF/manifest.xml": "<a/>"}), OTHER),
    "a PDF with a workbook behind it": (lambda: b"%PDF-1.7\n%%EOF\n" + book(), OTHER),
    "a picture with a workbook behind it": (lambda: picture("JPEG") + book(), OTHER),
    "a web page named .xls": (lambda: b"\xef\xbb\xbf<html><table><tr><td>=cmd|'/c calc'!A0</td></tr></table>", OTHER),
    "a mail named .xls": (lambda: b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", OTHER),
    "XML of 2003": (
        lambda: b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        OTHER,
    ),
    "SYLK": (lambda: b"ID;PWXL;N;E\r\nC;Y1;X1;K=SYSTEM()\r\n", OTHER),
    "a program": (lambda: b"MZ" + noise(3000), OTHER),
    "an archive": (lambda: b"7z\xbc\xaf\x27\x1c" + noise(100), OTHER),
    "noise": (lambda: b"\x01" + noise(300_000), OTHER),
    "text with NUL": ("姓名,电话\n测试甲\0,1\n".encode, OTHER),
    "UTF-32": (lambda: "姓名,电话\n".encode("utf-32"), OTHER),
    "half a pair in UTF-16": (lambda: b"\xff\xfe" + "姓名\n".encode("utf-16-le") + b"\x00\xd8a\x00", OTHER),
    "half a pair in UTF-8": (lambda: b"a,b\n\xed\xa0\x80,\xff\xff\n", OTHER),
    "one line of five megabytes": (lambda: b"a" * 5_000_000, "too_much_text"),
    "one row of a million columns": (lambda: b"1," * 1_000_000, "too_many_columns"),
    "a quotation without end": (lambda: b'a,"' + b"b\n" * 500_000, "too_much_text"),
    "a million lines": (lambda: b"1,2\n" * 1_000_000, "too_many_rows"),
    "blank lines alone": (lambda: b"\n" * 1_000_000, "empty"),
    "separators alone": (lambda: b",,,,\n" * 100_000, "empty"),
}
PHOTOS: Files = {
    "a picture that promises terabytes": (lambda: png(60_000, 60_000), "too_many_pixels"),
    "a picture just above the limit": (lambda: png(5000, 4001), "too_many_pixels"),
    "a picture that unpacks to more than it says": (lambda: png(10, 10, zlib.compress(b"\0" * 60_000_000, 9)), ""),
    "a picture that holds less than it says": (lambda: png(3000, 3000), DAMAGED),
    "a picture with megabytes of text": (texts_png, DAMAGED),
    "a JPEG that ends early": (lambda: picture("JPEG", (800, 600))[:3000], DAMAGED),
    "the first bytes of a JPEG": (lambda: b"\xff\xd8\xff\xe0" + noise(3000), DAMAGED),
    "a moving PNG": (lambda: moving("PNG"), "photo_moves"),
    "a moving WebP": (lambda: moving("WEBP"), "photo_moves"),
    "a GIF": (lambda: moving("GIF"), "no_photo"),
    "a TIFF": (lambda: picture("TIFF"), "no_photo"),
    "a BMP": (lambda: picture("BMP"), "no_photo"),
    "SVG with a script": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no_photo"),
    "a workbook": (book, "no_photo"),
    "a HEIC": (lambda: b"\0\0\0\x18ftypheic" + noise(2000), "no_photo"),
    "text": (lambda: b"hello", "no_photo"),
    "a WebP that ends early": (lambda: picture("WEBP", (800, 600))[:300], DAMAGED),
}
