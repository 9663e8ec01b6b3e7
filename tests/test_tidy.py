"""House rules that no linter knows, read off the source."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
PACKAGE = TOP / "pointsbank"
LINES_MAX, FUNCTION_LINES_MAX = 400, 60
SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|VALUES)\b")
ROOMS = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()} - {"app", "kit", "web"}
FOLDERS = ("pointsbank", "tests", "migrations", "templates", "static", "seed_data", ".ci", "docs")
TEXTS = {".py", ".c", ".html", ".js", ".css", ".toml", ".md", ".txt", ".yml", ".yaml", ".po", ".json", ".sh", ""}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (TOP / folder).rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Everything that is ours to read; what tools leave behind lies elsewhere."""
    paths = [path for path in TOP.iterdir() if path.is_file() and path.name != ".git"]  # a file in a linked checkout
    for folder in FOLDERS:
        paths += (TOP / folder).rglob("*")
    for path in sorted(paths):
        is_left_behind = (
            "__pycache__" in path.parts or ".egg-info" in str(path) or path.name.startswith("pointsbank.db")
        )
        if path.is_file() and path.suffix in TEXTS and not is_left_behind and path != Path(__file__).resolve():
            yield path


def room_files(*stems: str) -> list[Path]:
    """Modules of rooms by their role: `actions` finds actions.py and actions_hold.py."""
    return [
        path
        for path in python_files("pointsbank")
        if path.relative_to(PACKAGE).parts[0] in ROOMS and path.stem.partition("_")[0] in stems
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Gone through once for all that is asked of them."""
    return list(ast.walk(tree(path)))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(TOP)}:{getattr(node, 'lineno', 0)}"


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Full names of all that a module imports."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((name.name, node) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{name.name}", node) for name in node.names)


def called(node: ast.AST) -> str:
    """The last name of what is called or raised: `asyncio.sleep(1)` gives "sleep"."""
    target = node.func if isinstance(node, ast.Call) else node
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def found(files: list[Path], is_wrong: Callable[[ast.AST], bool]) -> list[str]:
    return [where(path, node) for path in files for node in nodes(path) if is_wrong(node)]


# Size and shape.


def test_files_are_short():
    long = {
        str(path.relative_to(TOP)): count
        for path in python_files("pointsbank", "tests", "migrations")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
    }
    assert not long


def test_functions_are_short():
    def is_long(node: ast.AST) -> bool:
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        return is_function and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX

    assert not found(python_files("pointsbank", "tests", "migrations"), is_long)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_door_plate_is_a_docstring(room):
    body = tree(PACKAGE / room / "__init__.py").body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


# Walls, for the files that import-linter's patterns do not reach.


def crossing(stems: tuple[str, ...], barred: str) -> list[str]:
    wall = re.compile(barred)
    return [where(path, node) for path in room_files(*stems) for name, node in imports(path) if wall.match(name)]


def test_rules_are_pure():
    assert not crossing(("rules",), r"tortoise|litestar|asyncio|pointsbank\.(web|app|kit\.db)\b")
    assert not crossing(("rules",), r"pointsbank\.\w+\.(models|actions|queries|routes)")


def test_what_writes_and_reads_knows_nothing_of_http():
    assert not crossing(("actions", "queries", "models"), r"litestar|pointsbank\.(web|app)\b|pointsbank\.\w+\.routes")


def test_routes_know_nothing_of_tables():
    assert not crossing(("routes",), r"tortoise|pointsbank\.\w+\.models")


def test_models_stay_in_their_room():
    for path in python_files("pointsbank"):
        room = path.relative_to(PACKAGE).parts[0]
        for name, node in imports(path):
            of = re.match(r"pointsbank\.(\w+)\.models\b", name)
            assert of is None or of[1] == room or path.match("reports/queries*.py"), where(path, node)


# Actions.

WAITS = {
    "create_task", "ensure_future", "gather", "wait", "wait_for", "sleep", "to_thread", "run_in_executor", "TaskGroup",
    "timeout", "shield", "open", "read_text", "read_bytes", "write_text", "write_bytes", "hash_password",
    "password_matches", "urlopen",
}  # fmt: skip
ORM_TRAPS = {
    "get_or_create",
    "update_or_create",
    "in_transaction",
    "atomic",
    "pre_save",
    "post_save",
    "pre_delete",
    "post_delete",
}
CATCHABLE = {"BadText", "ValueError", "KeyError", "StopIteration", "ValidationError", "DecodeError"}


def takes_tx(node: ast.AsyncFunctionDef) -> bool:
    return bool(node.args.args) and node.args.args[0].arg == "tx"


def test_an_action_takes_tx_and_then_keywords():
    wrong = []
    for path in room_files("actions"):
        for node in tree(path).body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                is_action = takes_tx(node) and len(node.args.args) == 1
                is_told = node.returns is not None  # stored answers are decoded with it
                # A helper that other rooms' actions call may name its subject: trail.record(tx, "order.made", …).
                is_record = path.match("trail/actions.py")
                if not ((is_action or (is_record and takes_tx(node))) and is_told):
                    wrong.append(where(path, node))
    assert not wrong


def test_an_action_awaits_nothing_but_its_transaction():
    """Statements of `tx`, functions that are handed `tx`, and the ORM with `using_db=tx.db`."""

    def is_wrong(node: ast.AST) -> bool:
        if isinstance(node, ast.AsyncFor | ast.AsyncWith):
            return True
        if not isinstance(node, ast.Await):
            return False
        text = ast.unparse(node.value)
        return re.match(r"tx\.(row|rows|run)\(", text) is None and re.search(r"[(=,] ?tx(\.db)?[,)]", text) is None

    assert not found(room_files("actions"), is_wrong)


def test_nothing_that_waits_is_called_in_an_action():
    def is_wrong(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and called(node) in WAITS

    assert not found(room_files("actions"), is_wrong)


def test_an_action_catches_neither_database_errors_nor_refusals():
    def is_wrong(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        return not {called(each) if each is not None else "" for each in caught} <= CATCHABLE

    assert not found(room_files("actions"), is_wrong)


def test_the_orm_traps_are_not_used():
    def is_wrong(node: ast.AST) -> bool:
        return (isinstance(node, ast.Attribute) and node.attr in ORM_TRAPS) or (
            isinstance(node, ast.Name) and node.id in ORM_TRAPS
        )

    assert not found(python_files("pointsbank", "migrations"), is_wrong)
    signals = [where(p, node) for p in python_files("pointsbank") for name, node in imports(p) if "signals" in name]
    assert not signals


def test_rooms_catch_no_database_errors():
    def is_wrong(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        caught = ast.unparse(node.type) if node.type else ""
        return (
            not caught
            or re.search(r"\b(Base)?Exception\b|ORM|IntegrityError|OperationalError|sqlite3", caught) is not None
        )

    files = [path for path in python_files("pointsbank") if path.relative_to(PACKAGE).parts[0] in ROOMS]
    assert not found(files, is_wrong)


# SQL.


PLACEHOLDERS = {"marks", "_marks", "among", "_among", "placeholders"}


def is_constant_text(part: ast.AST | None, function: ast.AST) -> bool:  # noqa: C901, PLR0911  a case for each shape
    """Constants, rows of `?`, and what is put together from these in the same function."""
    match part:
        case ast.Constant() | ast.JoinedStr(values=[]):
            return True
        case ast.JoinedStr(values=parts):
            return all(is_constant_text(each, function) for each in parts)
        case ast.FormattedValue(value=value):
            return is_constant_text(value, function)
        case ast.IfExp(body=yes, orelse=no) | ast.BinOp(left=yes, op=ast.Add(), right=no):
            return is_constant_text(yes, function) and is_constant_text(no, function)
        case ast.GeneratorExp(elt=each) | ast.ListComp(elt=each):
            return is_constant_text(each, function)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[joined]):
            return is_constant_text(joined, function)
        case ast.BinOp(left=ast.Constant(value="?"), op=ast.Mult()):
            return True
        case ast.Call():
            return called(part) in PLACEHOLDERS
        case ast.Attribute(attr=name):
            return name.isupper()
        case ast.Name(id=name):
            assigned = [node.value for node in ast.walk(function) if isinstance(node, ast.Assign) and is_to(node, name)]
            return name.isupper() or (bool(assigned) and all(is_constant_text(value, function) for value in assigned))
    return False


def is_to(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def built_sql(path: Path) -> Iterator[ast.AST]:
    """Texts of SQL that are put together inside a function from anything but constants and rows of `?`."""
    for function in nodes(path):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            is_text = isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add)
            )
            if is_text and SQL.search(fixed_text(node)) and not is_constant_text(node, function):
                yield node
            is_format = isinstance(node, ast.Call) and called(node) == "format" and isinstance(node.func, ast.Attribute)
            if is_format and is_sql_text(node.func.value):
                yield node


def fixed_text(node: ast.AST) -> str:
    parts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return " ".join(part for part in parts if isinstance(part, str))


def is_sql_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value) is not None


def test_sql_is_not_built_from_values():
    wrong = [where(path, node) for path in python_files("pointsbank") for node in built_sql(path)]
    assert not wrong


# Words and calls.


def test_templates_escape_everything():
    wrong = re.compile(r"\|\s*safe\b|Markup|autoescape\s+false")
    files = sorted((TOP / "templates").rglob("*.html"))
    assert files
    assert not [path.name for path in files if wrong.search(path.read_text(encoding="utf-8"))]


def test_markup_is_made_in_web_only():
    wrong = [
        where(path, node)
        for path in python_files("pointsbank")
        for name, node in imports(path)
        if name.endswith(".Markup") and path.relative_to(PACKAGE).parts[0] != "web"
    ]
    assert not wrong


def test_nothing_prints_but_the_command_line():
    def is_print(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"

    # The verifier of exports is a program of its own.
    speaks = ("app/cli*.py", "ledger/export_verifier.py")
    silent = [path for path in python_files("pointsbank") if not any(path.match(each) for each in speaks)]
    assert not found(silent, is_print)


def test_no_moment_is_without_its_zone():
    def is_wrong(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        name = ast.unparse(node.func).removeprefix("datetime.").removeprefix("dt.")
        is_bare = name in ("now", "datetime.now", "fromtimestamp", "datetime.fromtimestamp") and len(node.args) < 1
        return is_bare or name in ("utcnow", "datetime.utcnow", "date.today", "datetime.today", "utcfromtimestamp")

    assert not found([path for path in python_files("pointsbank") if not path.match("kit/clock.py")], is_wrong)


def test_rooms_ask_the_clock():
    def is_wrong(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func) in ("datetime.now", "time.time", "date.today")

    files = [path for path in python_files("pointsbank") if path.relative_to(PACKAGE).parts[0] in ROOMS]
    assert not found(files, is_wrong)


def test_nothing_is_left_to_do():
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert not [path.name for path in text_files() if mark.search(path.read_text(encoding="utf-8"))]


def test_nobody_can_tell_on_which_machine_this_was_written():
    place = re.compile(
        r"(?<![\w.}])/(work|root|Users|home/\w+)/"
        r"|(index[-]url|extra-index|find-links|registry)\s*[=:]\s*\S*://"
        r"|\bhttps?://[\w.-]*(pypi|artifactory|nexus|mirror|packages)[\w.-]*/",
        re.IGNORECASE,
    )
    told = {}
    for path in text_files():
        if hit := place.search(path.read_text(encoding="utf-8")):
            told[str(path.relative_to(TOP))] = hit[0]
    assert not told


def test_names_of_tests_are_sentences():
    short = []
    for path in python_files("tests"):
        for node in tree(path).body:
            name = getattr(node, "name", "")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and re.fullmatch(r"test_[^_]+", name):
                short.append(f"{where(path, node)} {name}")
    assert not short
