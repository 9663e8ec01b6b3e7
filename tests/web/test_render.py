"""Pages: what templates can read, how values are written, and that nothing typed becomes markup."""

from datetime import UTC, date, datetime

import pytest
from jinja2 import UndefinedError

from pointsbank.kit import paths
from pointsbank.kit.errors import Busy
from pointsbank.web import charts, current, forms, i18n, printing, render

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)  # already the 22nd in Shanghai
STAFF = render.View(
    unit_name="测试里社区",
    person=render.Reader("测*甲", "社区管理员", "测试里社区"),
    nav=[render.NavEntry("/todo", "list", "今日待办", is_on=True, count=1300)],
    is_demo=True,
    is_plain_http=True,
    phones=render.Phones("100 0000 0001", "100 0000 0009"),
    now=NOW,
)
RESIDENT = render.View(unit_name="测试里社区", person=render.Reader("测*乙"), phones=STAFF.phones, now=NOW)


def draw(source: str, view: render.View = RESIDENT, **context) -> str:
    token = render._view.set(view)
    try:
        return render.environment().from_string(source).render(context)
    finally:
        render._view.reset(token)


@pytest.fixture
def english():
    token = current.scope.set({"method": "GET", "path": "/", "headers": [(b"cookie", b"lang=en; type=large")]})
    yield
    current.scope.reset(token)


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("{{ 1234567|points }}", "1,234,567"),
        ("{{ 63|signed }} {{ (-5)|signed }} {{ 0|signed }}", "＋63 －5 0"),
        ("{{ now|day }}", "11 月 22 日"),
        ("{{ last_year|day }}", "2025 年 1 月 2 日"),
        ("{{ now|weekday }}", "周日"),
        ("{{ now|clock }}", "02:30"),
        ("{{ now|when }}", "11 月 22 日 02:30"),
        ("{{ now|iso_day }} {{ last_year|iso_day }}", "2026-11-22 2025-01-02"),
        ("{{ 136|minutes }} {{ 120|minutes }} {{ 5|minutes }} {{ 0|minutes }}", "2 小时 16 分 2 小时 5 分 0 分"),
    ],
)
def test_values_are_written_as_people_write_them(source, written):
    assert draw(source, now=NOW, last_year=date(2025, 1, 2)) == written


def test_english_writes_its_own_way(english):
    view = render.bare_view(current.scope.get(), now=NOW)
    source = "{{ now|day }}; {{ now|weekday }}; {{ now|when }}; {{ 136|minutes }}; {{ last_year|day }}; {{ t(busy) }}"
    written = draw(source, view, now=NOW, last_year=date(2025, 1, 2), busy=Busy())
    assert written.startswith("22 Nov; Sun; 22 Nov, 02:30; 2 h 16 min; 2 Jan 2025; Too busy")
    assert view.type_size == "large"


def test_english_counts(english):
    assert [i18n.translate("有 {n} 处要改", n=n) for n in (1, 2)] == ["1 thing to change", "2 things to change"]


def test_a_fact_is_never_a_format_and_a_missing_one_is_no_crash():
    assert i18n.translate("还差 {missing} 分。{why}", missing="{why}") == "还差 {why} 分。…"
    assert i18n.translate("{label}", label=None) == ""


def test_what_was_typed_is_escaped_everywhere():
    typed = '"><script>alert(1)</script>'
    form = forms.blank(name=typed)
    form.refuse("name", "不对：{typed}", typed=typed)
    source = """{% from "_macros.html" import field, area, select, choices, errors %}
    {{ errors(form) }}{{ field(form, "name", typed, hint=typed) }}{{ area(form, "name", typed) }}
    {{ select(form, "name", typed, [(typed, typed)]) }}{{ choices(form, "name", typed, [(typed, typed)]) }}
    {% trans typed=typed %}跳到 {{ typed }}{% endtrans %}{{ _("{x}", x=typed) }}"""
    written = draw(source, form=form, typed=typed)
    assert "<script" not in written
    assert written.count("&lt;script&gt;") > 8


def test_a_name_that_no_one_handed_in_is_an_error():
    with pytest.raises(UndefinedError):
        draw("{{ nobody }}")
    with pytest.raises(UndefinedError):
        draw("{{ view.nothing }}")


def test_a_field_says_what_is_wrong_and_keeps_what_was_typed():
    form = forms.blank(seats="十二")
    form.refuse("seats", "名额要填整数，例如 12")
    source = """{% from "_macros.html" import field, errors %}
    {{ errors(form) }}{{ field(form, "seats", "名额", attrs={"inputmode": "numeric"}) }}"""
    written = draw(source, form=form)
    assert "有 1 处要改" in written
    assert 'href="#seats"' in written
    assert 'value="十二"' in written
    assert ' aria-invalid="true" aria-describedby="seats-wrong" inputmode="numeric"' in written


def test_a_password_is_never_shown_again():
    source = '{% from "_macros.html" import field %}{{ field(form, "word", "密码", type="password") }}'
    assert "geheim" not in draw(source, form=forms.blank(word="geheim"))


def test_a_page_with_mistakes_says_so_in_its_title():
    form = forms.blank()
    form.refuse("name", "请填写名称")
    page = '{% extends "phone.html" %}{% block title %}补报{% endblock %}'
    assert "<title>有误：补报 · 测试里社区积分银行</title>" in draw(page, form=form)
    assert "<title>补报 · 测试里社区积分银行</title>" in draw(page, form=forms.blank())


def test_the_resident_s_frame_has_its_way_back_tabs_and_phones():
    page = '{% extends "phone.html" %}{% set tab = "shop" %}{% block title %}商店{% endblock %}'
    written = draw(page)
    assert '<a href="/shop" class="is-on" aria-current="page">' in written
    assert 'href="tel:10000000009"' in written
    assert 'href="/type?size=large&amp;next=/"' in written
    back = draw('{% extends "phone.html" %}{% set back = "/ledger" %}{% block title %}明细{% endblock %}')
    assert 'class="masthead-back" href="/ledger"' in back
    assert "<h1>明细</h1>" in back
    stranger = draw(page, render.View())
    assert 'class="tabs"' not in stranger


def test_the_staff_frame_has_navigation_sign_out_and_its_warnings():
    written = draw('{% extends "desk.html" %}{% block title %}今日待办{% endblock %}', STAFF)
    assert '<a href="/todo" class="is-on" aria-current="page">' in written
    assert "<span>1,300</span>" in written
    assert '<form method="post" action="/sign-out">' in written
    assert "演示数据" in written
    assert "没有加密" in written


@pytest.mark.parametrize("frame", ["phone", "desk", "counter", "door", "print"])
@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_frame_can_be_drawn(frame, locale, english):
    scope = current.scope.get()
    scope["locale"] = locale
    written = draw(f'{{% extends "{frame}.html" %}}{{% block title %}}题{{% endblock %}}', STAFF)
    assert written.startswith("<!doctype html>")
    assert "style=" not in written
    assert "onclick" not in written
    assert written.count("<h1") <= 1


def test_a_page_is_never_cached_and_a_partial_has_no_frame():
    problem = {"title": "题", "detail": "文", "status": 404, "incident": None}
    page = render.page("problem.html", status=404, headers={"X-More": "1"}, problem=problem)
    assert (page.status_code, page.headers) == (404, {"Cache-Control": "no-store", "X-More": "1"})
    assert "<html" not in render.partial("_problem.html", problem=problem).content


def test_every_icon_that_a_template_names_exists():
    drawn = (paths.static_dir() / "icons.svg").read_text("utf-8")
    for name in ("home", "calendar", "bag", "person", "back", "next", "lock", "print", "info", "warn", "stop", "done"):
        assert f'id="{name}"' in drawn
        assert f"#{name}" in render.icon(name)


def test_request_keys_are_fresh():
    keys = {render.request_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {22}


def test_a_receipt_is_as_long_as_what_stands_on_it():
    short, long = printing.Roll("r80"), printing.Roll("r80")
    for _line in range(30):
        long.pair("东北大米 5 kg ×1", "60")
    endless = printing.Roll("r58")
    endless.words("很" * 10_000)
    assert (short.css_url, long.css_url) == ("/print/r80-60.css", "/print/r80-174.css")
    assert endless.css_url == "/print/r58-600.css"
    assert printing.roll_css("r80-214.css") == "@page r80{size:80mm 214mm}\n"
    assert printing.roll_css("r58-60.css") == "@page r58{size:58mm 60mm}\n"
    assert printing.roll_css_url("r80", 214) == "/print/r80-214.css"
    assert [printing.rows_of(text, 190) for text in ("东北大米 5 kg", "很" * 19, "很" * 20)] == [1, 1, 2]


def test_a_text_for_one_line_keeps_its_beginning_and_its_end():
    assert printing.on_one_line("楼道清洁 2 小时", 13) == "楼道清洁 2 小时"
    assert printing.on_one_line("测试特别长的活动名称三号楼楼道清洁 2 小时", 13) == "测试特别长的…道清洁 2 小时"
    assert printing.on_one_line("测试特别长的活动名称三号楼楼道清洁 12 小时 30 分钟", 15).endswith("12 小时 30 分钟")


@pytest.mark.parametrize(
    "name", ["r80-59.css", "r80-601.css", "r80-1e2.css", "r99-100.css", "r80-100", "r80--1.css", "r80-².css"]
)
def test_no_other_roll_is_answered(name):
    assert printing.roll_css(name) is None


def test_a_line_chart_says_its_values_in_words_too():
    chart = charts.line_chart(
        "近 3 月",
        ["9 月", "10 月", "11 月"],
        [charts.Series("甲里", [0, 600, 1236]), charts.Series("乙里", [None, None, 1230])],
    )
    assert [tick.text for tick in chart.rows] == ["0", "500", "1,000", "1,500"]
    assert abs(chart.lines[0].label_y - chart.lines[1].label_y) >= charts.LABEL_GAP
    written = draw(
        '{% from "_charts.html" import lines, bars %}{{ lines(chart) }}{{ bars(entries) }}',
        chart=chart,
        entries=[charts.Bar("甲里", 56, "56"), charts.Bar("乙里", 0, "0", second=28)],
    )
    assert 'aria-label="近 3 月；甲里 1,236；乙里 1,230"' in written
    assert 'class="c2" points="540,68"' in written
    assert 'width="100.0" height="16"' in written
    assert 'width="50.0" height="7"' in written


def test_empty_charts_are_drawn_too():
    chart = charts.line_chart("空", ["11 月"], [charts.Series("甲里", [None])])
    assert chart.lines[0].last == 0
    draw('{% from "_charts.html" import lines, bars %}{{ lines(chart) }}{{ bars([]) }}', chart=chart)


@pytest.mark.parametrize(
    ("typed", "millimetres"),
    [
        (("1.5", "-0.5"), ("1.5", "-0.5")),
        (("-10", "10"), ("-10", "10")),
        (("99", "-99.9"), ("10", "-10")),
        (("", "x"), ("0", "0")),
        (("²", "1e9"), ("0", "0")),
    ],
)
def test_a_printer_is_moved_by_what_was_typed_and_never_off_the_paper(typed, millimetres):
    shift = printing.read_shift(*typed)

    assert (shift.right_mm, shift.down_mm) == millimetres
    moved = "translate({}mm,{}mm)".format(*millimetres)
    assert moved in (printing.shift_css(shift.url.removeprefix("/print/")) or "")


@pytest.mark.parametrize(
    "name", ["shift_101_0.css", "shift_0_-101.css", "shift_1.5_0.css", "shift_²_0.css", "shift_1.css"]
)
def test_a_shift_that_leaves_the_paper_has_no_stylesheet(name):
    assert printing.shift_css(name) is None


def test_the_shift_is_kept_for_one_kind_of_paper_on_one_computer():
    scope = {"type": "http", "headers": [(b"cookie", b"shift-book=1.5_-0.5")]}
    token = current.scope.set(scope)
    try:
        assert printing.shift_of("book") == printing.Shift(15, -5)
        assert not printing.shift_of("labels").is_moved
    finally:
        current.scope.reset(token)
