import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pointsbank.kit import codes
from pointsbank.kit.codes import CodeKind

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
NOON = datetime(2026, 5, 1, 12, 0, 7, tzinfo=UTC)
COUNTER_KINDS = [CodeKind.CARD, CodeKind.PHONE, CodeKind.PICKUP, CodeKind.HOUSEHOLD]

digits16 = st.text(string.digits, min_size=16, max_size=16)
counter_codes = st.builds(codes.card_code, digits16, st.sampled_from(COUNTER_KINDS))


# Check digits


def test_check_digits_agree_with_the_standard():
    assert codes.check_digits("0794") == "44"  # the example of ISO/IEC 7064
    assert codes.is_checked("079444")


@given(counter_codes, st.integers(0, 19), st.sampled_from(string.digits))
def test_one_wrong_digit_is_found(code, place, digit):
    assume(code[place] != digit)
    damaged = code[:place] + digit + code[place + 1 :]
    assert codes.parse_scan(damaged).kind is CodeKind.UNKNOWN


@given(counter_codes, st.integers(0, 18))
def test_two_swapped_neighbours_are_found(code, place):
    assume(code[place] != code[place + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert not codes.is_checked(swapped)


@pytest.mark.parametrize("round_of_fifty", range(50))
def test_a_misheard_member_number_is_found(round_of_fifty):
    number = codes.new_member_number()
    assert codes.member_number_ok(number)
    for place in range(9):
        for digit in set(string.digits) - {number[place]}:
            assert not codes.member_number_ok(number[:place] + digit + number[place + 1 :])
    for place in range(8):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert swapped == number or not codes.member_number_ok(swapped)


def test_a_member_number_is_shown_in_threes():
    assert codes.shown_member_number("123456789") == "123 456 789"


# Scans


@given(st.text(max_size=300))
@example("\ud800")
@example("８１" * 10)
@example("/e/" + "Z" * 32)
@example("²" * 20)
@example("\N{ARABIC-INDIC DIGIT THREE}" * 13)
@example("https://例子/e/İI1")
def test_any_text_gets_an_answer(text):
    assert isinstance(codes.parse_scan(text), codes.Scan)


@given(st.text("0123456789ABCXYZabcioul/ep:?# .８１", max_size=64))
def test_anything_like_a_code_gets_an_answer(text):
    assert codes.parse_scan(text).kind in CodeKind


@given(digits16, st.sampled_from(COUNTER_KINDS))
def test_a_counter_code_is_read_as_its_own_kind_and_no_other(digits, kind):
    code = codes.card_code(digits, kind)
    scan = codes.parse_scan(code)
    assert len(code) == 20
    assert (scan.kind, scan.digits) == (kind, digits)
    for other in set(COUNTER_KINDS) - {kind}:
        assert codes.parse_scan(other.value + code[2:]).kind is CodeKind.UNKNOWN
        assert codes.card_index(KEY, digits, kind) != codes.card_index(KEY, digits, other)


@given(counter_codes)
def test_full_width_digits_and_blanks_do_not_matter(code):
    wide = code.translate(str.maketrans(string.digits, "０１２３４５６７８９"))
    assert codes.parse_scan(f" {wide[:4]} {wide[4:]}\r\n") == codes.parse_scan(code)


@pytest.mark.parametrize(
    ("prefix", "length"),
    [(prefix, 18) for prefix in range(10, 16)]
    + [(prefix, length) for prefix in range(25, 31) for length in range(16, 25)],
)
def test_a_payment_code_is_recognised_and_forgotten(prefix, length):
    scan = codes.parse_scan(f"{prefix}".ljust(length, "7"))
    assert scan == codes.Scan(CodeKind.PAYMENT)


@pytest.mark.parametrize("text", ["16".ljust(18, "7"), "09".ljust(18, "7"), "12".ljust(17, "7"), "31".ljust(20, "7")])
def test_length_and_prefix_together_make_a_payment_code(text):
    assert codes.parse_scan(text).kind is CodeKind.UNKNOWN


@given(st.sampled_from([8, 12, 13]).flatmap(lambda length: st.text(string.digits, min_size=length, max_size=length)))
@example("2812345678901")
@example("81234567")
def test_goods_always_pass(digits):
    assert codes.parse_scan(digits) == codes.Scan(CodeKind.GOODS, digits=digits)


def test_a_member_number_is_recognised_and_a_damaged_one_is_not():
    number = codes.new_member_number()
    assert codes.parse_scan(codes.shown_member_number(number)) == codes.Scan(CodeKind.MEMBER_NUMBER, digits=number)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert codes.parse_scan(wrong).kind is CodeKind.UNKNOWN


def test_what_was_scanned_stays_out_of_logs():
    code = codes.phone_code(b"secret", "12345678", 5)
    assert code[2:10] not in repr(codes.parse_scan(code))


@pytest.mark.parametrize(
    "address", ["{}", "/e/{}", "https://jf.example.cn/e/{}", "http://10.0.0.7:8000/e/{}/?from=x#y"]
)
def test_an_event_code_is_read_from_its_address_or_its_tail(address):
    token = codes.event_code(KEY, 7, 2, 99)
    assert len(token) == 32
    for written in (token, token.lower()):
        assert codes.parse_scan(address.format(written)) == codes.Scan(CodeKind.EVENT, token=token)
    assert codes.parse_scan(f"/p/{token}").kind is CodeKind.UNKNOWN


@pytest.mark.parametrize("address", ["{}", "/p/{}", "https://jf.example.cn/p/{}"])
def test_a_poster_is_read_from_its_address_or_its_tail(address):
    token = codes.new_poster_token()
    assert len(token) == 13
    assert codes.parse_scan(address.format(token)) == codes.Scan(CodeKind.POSTER, token=token)
    assert codes.parse_scan(f"/e/{token}").kind is CodeKind.UNKNOWN
    assert codes.parse_scan(f"/v/{token}").kind is CodeKind.UNKNOWN


def test_letters_that_look_like_digits_are_read_as_such():
    assert codes.poster_token("olI1000000000") == "0111000000000"
    assert codes.poster_token("u111000000000") is None
    assert codes.poster_token("ı111000000000") is None  # upper() would make it an I
    assert codes.poster_token("Z111000000000") is None  # more than 64 bits


# Cards


def test_a_card_can_be_drawn_again_and_each_generation_differs():
    first = codes.card_digits(KEY, 12, 1)
    assert first == codes.card_digits(KEY, 12, 1)
    others = [
        codes.card_digits(KEY, 12, 2),
        codes.card_digits(KEY, 13, 1),
        codes.card_digits(OTHER_KEY, 12, 1),
        codes.card_digits(KEY, 12, 1, CodeKind.HOUSEHOLD),
    ]
    assert first not in others
    assert codes.parse_scan(codes.card_code(first)).digits == first


def test_the_index_does_not_follow_from_the_digits_without_the_key():
    digits = codes.card_digits(KEY, 12, 1)
    assert codes.card_index(KEY, digits) == codes.card_index(KEY, digits, CodeKind.CARD)
    assert codes.card_index(KEY, digits) != codes.card_index(OTHER_KEY, digits)


def test_a_pickup_code_carries_its_random_digits():
    digits = codes.new_pickup_digits()
    assert codes.parse_scan(codes.pickup_code(digits)) == codes.Scan(CodeKind.PICKUP, digits=digits)


# Phone codes


@pytest.mark.parametrize(("steps_away", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phone_code_lives_one_step_to_either_side(steps_away, accepted):
    step = codes.phone_step(NOON)
    scan = codes.parse_scan(codes.phone_code(b"secret", "12345678", step + steps_away))
    assert (scan.kind, scan.handle) == (CodeKind.PHONE, "12345678")
    found = codes.matching_phone_step(b"secret", scan.otp, NOON, last_step=-1)
    assert found == (step + steps_away if accepted else None)


def test_a_screenshot_of_a_phone_code_never_works_twice():
    step = codes.phone_step(NOON)
    otp = codes.parse_scan(codes.phone_code(b"secret", "12345678", step)).otp
    assert codes.matching_phone_step(b"secret", otp, NOON, last_step=step - 1) == step
    for last in (step, step + 1):
        assert codes.matching_phone_step(b"secret", otp, NOON, last_step=last) is None


def test_a_phone_code_belongs_to_its_secret():
    otp = codes.parse_scan(codes.phone_code(b"secret", "12345678", codes.phone_step(NOON))).otp
    assert codes.matching_phone_step(b"another", otp, NOON, last_step=-1) is None


@given(st.text(max_size=12))
@example("\ud800")
def test_rubbish_matches_no_step(otp):
    assert codes.matching_phone_step(b"secret", otp, NOON, last_step=-1) is None


# Event codes and tickets


@given(st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_an_event_code_says_what_was_put_in(activity_id, station, step):
    token = codes.event_code(KEY, activity_id, station, step)
    code = codes.read_event_code(token)
    assert (code.activity_id, code.station, code.step, code.token) == (activity_id, station, step, token)


@pytest.mark.parametrize(("steps_old", "accepted"), [(-1, False), (0, True), (1, True), (2, False)])
def test_an_event_code_is_good_for_this_step_and_the_one_before(steps_old, accepted):
    token = codes.event_code(KEY, 7, 1, codes.event_step(NOON) - steps_old)
    assert codes.event_code_ok(KEY, codes.read_event_code(token), NOON) is accepted


@given(st.integers(0, 31), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_changed_event_code_is_not_accepted(place, letter):
    token = codes.event_code(KEY, 7, 1, codes.event_step(NOON))
    assume(token[place] != letter)
    forged = codes.read_event_code(token[:place] + letter + token[place + 1 :])
    assert forged is None or not codes.event_code_ok(KEY, forged, NOON)


def test_an_event_code_of_another_event_is_not_accepted():
    token = codes.event_code(OTHER_KEY, 7, 1, codes.event_step(NOON))
    assert not codes.event_code_ok(KEY, codes.read_event_code(token), NOON)


@given(st.timedeltas(timedelta(minutes=-10), timedelta(minutes=10)))
@example(timedelta(0))
@example(timedelta(minutes=5))
@example(timedelta(minutes=5, microseconds=1))
@example(timedelta(microseconds=-1))
def test_a_ticket_lives_five_minutes_and_remembers_when(age):
    text = codes.seal_ticket(KEY, 7, 2, NOON, "cookie")
    ticket = codes.open_ticket(KEY, text, NOON + age, "cookie")
    alive = timedelta(0) <= age <= timedelta(minutes=5)
    assert ticket == (codes.Ticket(7, 2, NOON) if alive else None)


def test_a_forwarded_ticket_is_of_no_use():
    text = codes.seal_ticket(KEY, 7, 2, NOON, "cookie")
    assert codes.open_ticket(KEY, text, NOON, "cookie")
    for nonce in ("another", "", "\ud800"):
        assert codes.open_ticket(KEY, text, NOON, nonce) is None
    assert codes.open_ticket(OTHER_KEY, text, NOON, "cookie") is None


@given(st.integers(0, 47), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_changed_ticket_does_not_open(place, letter):
    text = codes.seal_ticket(KEY, 7, 2, NOON, "cookie")
    assume(text[place] != letter)
    assert codes.open_ticket(KEY, text[:place] + letter + text[place + 1 :], NOON, "cookie") is None


@given(st.text(max_size=60))
def test_rubbish_opens_nothing(text):
    assert codes.open_ticket(KEY, text, NOON, "cookie") is None
    assert codes.read_event_code(text) is None or len(text) == 32


def test_an_event_code_is_no_ticket_and_a_ticket_no_event_code():
    assert codes.open_ticket(KEY, codes.event_code(KEY, 7, 2, 9), NOON, "cookie") is None
    assert codes.read_event_code(codes.seal_ticket(KEY, 7, 2, NOON, "cookie")) is None


# The rest


def test_the_lengths_are_those_that_pages_and_columns_count_on():
    assert len(codes.new_handle()) == 8
    assert len(codes.typed_activation_of(KEY, 7, 1)) == 12
    assert len(codes.pairing_digits_of(KEY, 7)) == 8
    assert len(codes.activation_token_of(KEY, 7, 1)) == 16
    assert len(codes.new_check_token()) == 13
    token = codes.activation_token_of(KEY, 7, 1)
    assert codes.activation_token(token.lower()) == token
    assert token != codes.activation_token_of(KEY, 7, 2)


def test_own_labels_are_real_bar_codes_of_the_shop_range():
    assert codes.own_barcode(0) == "2000000000008"
    assert codes.ean13_ok(codes.own_barcode(123_456_789))
    assert codes.ean13_ok("6901234567892")
    assert not codes.ean13_ok("6901234567893")
    assert not codes.ean13_ok("²901234567892")
    with pytest.raises(AssertionError):
        codes.own_barcode(10**9)
