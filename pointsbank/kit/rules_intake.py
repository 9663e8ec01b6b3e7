"""What is refused of a stranger's file, and why. Nothing here is read: it is told from the outside what was found."""

from pointsbank.kit.errors import Kind, Refusal

BYTES_MAX = 5 * 1024 * 1024
PDF_HEAD, PDF_END = b"%PDF-", b"%%EOF"
PDF_END_WITHIN = 1024
# Names of a PDF that a paper from a meeting has no use for; those of packed objects are not seen, so it is never opened
# in one of our pages.
PDF_ACTIVE = (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/RichMedia", b"/Encrypt")
ROWS_MAX, COLUMNS_MAX = 20_000, 50
CELL_LENGTH_MAX = 32_767  # Excel's own
TEXT_LENGTH_MAX = 16_000_000  # of a whole sheet: one shared text may be shown in a million cells
PARTS_MAX = 200
UNPACKED_BYTES_MAX = 100 * 1024 * 1024
RATIO_MAX = 100
XML_DEPTH_MAX = 60
PIXELS_MAX = 20_000_000
LOOKS = {
    "pdf": "PDF 文件",
    "picture": "图片",
    "bmp": "BMP 图片",
    "heic": "HEIC 图片",
    "gif": "GIF 图片",
    "tiff": "TIFF 图片",
    "svg": "SVG 图片",
    "word": "Word 文档",
    "slides": "演示文稿",
    "xlsb": "二进制工作簿（.xlsb）",
    "ods": "ODS 表格",
    "sheet": "表格",
    "archive": "压缩包",
    "program": "程序",
    "web": "网页（有的系统把网页导出成 .xls）",
    "xml": "XML 文件",
    "sylk": "SYLK 文件",
    "old": "很旧的 Excel 格式",
    "text": "文字",
    "utf-32": "UTF-32 文字",
    "unknown": "看不出格式的文件",
}


class FileRefused(Refusal):
    """Any file that is not taken; the file itself is forgotten."""

    kind = Kind.INVALID
    code = "kit.file_refused"
    message = "这个文件不能收。请另存为 .xlsx（不带宏）再试。"


class FileEmpty(FileRefused):
    code = "kit.file_empty"
    message = "文件里什么也没有。请检查是不是选错了文件。"


class FileTooLarge(FileRefused):
    code = "kit.file_too_large"
    message = "文件太大，最多 {megabytes} MB。请删掉用不到的图片和表，再试。"


class NoSheet(FileRefused):
    code = "kit.file_no_sheet"
    message = "这是{looks}，不是能收的表格。请用 Excel 或 WPS 打开，另存为 .xlsx（不带宏）再试。"


class NoPhoto(FileRefused):
    code = "kit.file_no_photo"
    message = "这是{looks}，不是能收的照片。请换成 JPG、PNG 或 WebP 图片再试。"


class NoDocument(FileRefused):
    code = "kit.file_no_document"
    message = "只收照片（JPG、PNG、WebP）和 PDF。请拍成照片，或另存为 PDF 再试。"


class ActiveDocument(FileRefused):
    code = "kit.file_active_document"
    message = "这个 PDF 里有会自己运行的内容、附件或打开密码，不能收。请用“打印到 PDF”另存一份，或拍成照片。"


class FileDamaged(FileRefused):
    code = "kit.file_damaged"
    message = "文件坏了，或者没有传完整。请重新打开、另存一份再试。"


class FileLocked(FileRefused):
    code = "kit.file_locked"
    message = "文件有打开密码。请先在 Excel 或 WPS 里去掉密码，再试。"


class HasMacros(FileRefused):
    code = "kit.file_macros"
    message = "文件里有宏。请另存为 .xlsx（不带宏）再试。"


class HasLinks(FileRefused):
    code = "kit.file_links"
    message = "文件里有连到别的文件的链接。请全选、复制，在新表里“选择性粘贴—数值”，存好再试。"


class FileSuspect(FileRefused):
    code = "kit.file_suspect"
    message = "文件的内部结构不正常，不能收。请把内容复制到新建的表格里，另存为 .xlsx 再试。"


class TooManyRows(FileRefused):
    code = "kit.file_too_many_rows"
    message = "表里超过 {rows} 行。请分成几个文件，一个一个导入。"


class TooManyColumns(FileRefused):
    code = "kit.file_too_many_columns"
    message = "表里超过 {columns} 列。请只留下要导入的列，再试。"


class TooMuchText(FileRefused):
    code = "kit.file_too_much_text"
    message = "有的格子里字太多。请检查是不是把整篇文字粘进了一个格子。"


class FileTooMuch(FileRefused):
    code = "kit.file_too_much"
    message = "这个文件展开后太大，读不完。请把要导入的内容复制到新建的表格里，再试。"


class TooManyPixels(FileRefused):
    code = "kit.file_too_many_pixels"
    message = "照片太大，最多 {millions} 百万像素。请用手机把照片改小，再试。"


class PhotoMoves(FileRefused):
    code = "kit.file_photo_moves"
    message = "这是会动的图片。请换一张普通照片再试。"
