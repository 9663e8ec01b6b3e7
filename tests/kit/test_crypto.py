import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.kit import crypto
from pointsbank.kit.crypto import KeyFileBroken, Keys, PasswordCost, Unreadable
from tests import passwords

CHEAP = PasswordCost(memory_kib=64, rounds=1)
writable_text = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def keys():
    return Keys(bytes(range(32)))


# The key file


def test_the_first_start_makes_a_key_that_later_starts_read(tmp_path):
    path = tmp_path / "new folder" / "root.key"
    made = Keys.load_or_create(path)
    assert Keys.load_or_create(path).fingerprint == made.fingerprint
    assert [each.name for each in path.parent.iterdir()] == ["root.key"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_starts_at_the_same_moment_agree_on_one_key(tmp_path):
    path = tmp_path / "root.key"
    with ThreadPoolExecutor(8) as pool:
        prints = set(pool.map(lambda _: Keys.load_or_create(path).fingerprint, range(16)))
    assert len(prints) == 1


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 32])
def test_a_broken_key_file_is_named_in_one_line_and_left_alone(tmp_path, content):
    path = tmp_path / "root.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileBroken) as caught:
        Keys.load_or_create(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_a_key_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(KeyFileBroken):
        Keys.load_or_create(tmp_path)
    with pytest.raises(KeyFileBroken):
        Keys.load(tmp_path / "missing.key")
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileBroken):
        Keys.load_or_create(tmp_path / "file" / "root.key")


def test_the_sheet_in_the_safe_brings_the_key_back(tmp_path, keys):
    path = tmp_path / "root.key"
    path.write_text(keys.for_the_safe() + "\n", "ascii")
    assert Keys.load(path).derive("any") == keys.derive("any")


def test_labels_and_roots_give_different_keys(keys):
    other = Keys(b"o" * 32)
    derived = [keys.derive("card/1"), keys.derive("card/2"), keys.derive("event/1"), other.derive("card/1")]
    assert len(set(derived)) == 4
    assert all(len(key) == 32 for key in derived)
    assert keys.fingerprint != other.fingerprint
    assert keys.fingerprint not in keys.for_the_safe().replace(" ", "")


# Sealed fields


@given(writable_text, writable_text)
def test_what_was_sealed_opens_in_its_place(text, place):
    blob = crypto.seal(b"d" * 32, text, place)
    assert crypto.unseal(b"d" * 32, blob, place) == text


@given(writable_text, writable_text)
def test_a_value_moved_elsewhere_does_not_open(place, other):
    blob = crypto.seal(b"d" * 32, "测试甲", place)
    if place != other:
        with pytest.raises(Unreadable):
            crypto.unseal(b"d" * 32, blob, other)


@given(st.data())
def test_a_damaged_value_does_not_open(data):
    blob = crypto.seal(b"d" * 32, "测试甲", "a")
    place, flip = data.draw(st.integers(0, len(blob) - 1)), data.draw(st.integers(1, 255))
    damaged = blob[:place] + bytes([blob[place] ^ flip]) + blob[place + 1 :]
    for each in (damaged, blob[:place]):
        with pytest.raises(Unreadable):
            crypto.unseal(b"d" * 32, each, "a")


def test_the_same_text_is_sealed_differently_each_time():
    assert crypto.seal(b"d" * 32, "测试甲", "a") != crypto.seal(b"d" * 32, "测试甲", "a")


def test_a_wrapped_key_opens_for_its_owner_under_its_root_only(keys):
    wrapped = crypto.new_wrapped_key(keys, "1")
    assert len(crypto.unwrap(keys, wrapped, "1")) == 32
    assert crypto.new_wrapped_key(keys, "1") != wrapped
    with pytest.raises(Unreadable):
        crypto.unwrap(keys, wrapped, "2")
    with pytest.raises(Unreadable):
        crypto.unwrap(Keys(b"o" * 32), wrapped, "1")
    with pytest.raises(Unreadable):
        crypto.unseal(b"short", wrapped, "1")


def test_a_blind_index_is_equal_for_equal_values_of_one_field_and_community(keys):
    index = crypto.blind_index(keys, "phone", 1, "19900000001")
    assert len(index) == 16
    assert crypto.blind_index(keys, "phone", 1, "19900000001") == index
    others = [
        crypto.blind_index(keys, "phone", 1, "19900000002"),
        crypto.blind_index(keys, "phone", 2, "19900000001"),
        crypto.blind_index(keys, "phone4", 1, "19900000001"),
        crypto.blind_index(Keys(b"o" * 32), "phone", 1, "19900000001"),
    ]
    assert index not in others


# Tokens and passwords


def test_tokens_are_long_and_fit_into_addresses():
    token = crypto.new_token()
    assert len(token) >= 22
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(crypto.token_digest(token)) == 32
    assert crypto.token_digest("\ud800")


def test_a_password_matches_its_own_hash():
    hashed = crypto.hash_password("正确的马电池", CHEAP)
    assert crypto.password_matches(hashed, "正确的马电池")
    assert not crypto.password_matches(hashed, "正确的马电油")
    assert not crypto.password_matches(hashed, "\ud800")
    assert not crypto.password_matches("", "正确的马电池")


def test_a_password_typed_in_full_width_is_the_same_password():
    assert crypto.password_matches(crypto.hash_password("Ｓecret２０２６", CHEAP), "Secret2026")


def test_a_cheap_hash_wants_rehashing():
    hashed = crypto.hash_password("Secret2026", CHEAP)
    assert crypto.needs_rehash(hashed)
    assert not crypto.needs_rehash(hashed, CHEAP)


def test_the_default_cost_is_the_promised_one(monkeypatch):
    monkeypatch.setattr(crypto, "_hasher", passwords.dear)
    assert crypto.hash_password("Secret2026").startswith("$argon2id$v=19$m=65536,t=3,p=1$")


@pytest.mark.parametrize(
    "password", ["short77", "aaaaaaaa", "12345678", "87654321", "34567890", "wangfang88", "88gnafgnaw", "ＷangFang88"]
)
def test_weak_passwords_are_named(password):
    assert crypto.weak_password(password, "WangFang88")


@pytest.mark.parametrize("password", ["19283746", "蓝色的大象走过桥", "correct horse", "12345679"])
def test_other_passwords_pass(password):
    assert not crypto.weak_password(password, "wangfang88")
