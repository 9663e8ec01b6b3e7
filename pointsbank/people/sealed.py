"""Fields of people and households under their own keys: sealing, opening, indexes. The one place that opens a name."""

from collections.abc import Mapping
from typing import Any

from pointsbank.kit import codes, crypto, text
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Row

FIELDS = ("name", "phone", "asked")
Record = Row | Mapping[str, Any]


def new_person_key(member_number: str) -> bytes:
    return crypto.new_wrapped_key(crypto.held(), f"person/{member_number}")


def seal_person(wrapped_key: bytes, member_number: str, field: str, value: str) -> bytes:
    """Sealed for this person and field: moved to another row or column, it does not open."""
    assert field in FIELDS
    data_key = crypto.unwrap(crypto.held(), wrapped_key, f"person/{member_number}")
    return crypto.seal(data_key, value, f"person/{member_number}/{field}/1")


def person_field(found: Record, field: str) -> str:
    """A field in clear, empty when there is none or the person was erased. Wants member_number and wrapped_key."""
    assert field in FIELDS
    blob, wrapped_key, number = found[field], found["wrapped_key"], found["member_number"]
    if blob is None or wrapped_key is None:
        return ""
    data_key = crypto.unwrap(crypto.held(), bytes(wrapped_key), f"person/{number}")
    return crypto.unseal(data_key, bytes(blob), f"person/{number}/{field}/1")


def masked_name_of(found: Record) -> str:
    """What is shown of a name; an erased person keeps only the number."""
    name = person_field(found, "name")
    return text.mask_name(name) if name else codes.shown_member_number(found["member_number"])


def phone_index(community_id: int, phone: str) -> bytes:
    return crypto.blind_index(crypto.held(), "phone", community_id, phone)


def id_index(community_id: int, id_number: str) -> bytes:
    return crypto.blind_index(crypto.held(), "id", community_id, id_number)


def new_household_key(household_id: int) -> bytes:
    return crypto.new_wrapped_key(crypto.held(), f"household/{household_id}")


def seal_door(wrapped_key: bytes, household_id: int, door: str) -> bytes:
    data_key = crypto.unwrap(crypto.held(), wrapped_key, f"household/{household_id}")
    return crypto.seal(data_key, door, f"household/{household_id}/door/1")


def door_of(household_id: int, wrapped_key: bytes | None, door: bytes | None) -> str:
    if door is None or wrapped_key is None:
        return ""
    data_key = crypto.unwrap(crypto.held(), bytes(wrapped_key), f"household/{household_id}")
    return crypto.unseal(data_key, bytes(door), f"household/{household_id}/door/1")


def seal_second_secret(person_id: int, secret: bytes) -> bytes:
    """Not under the person's own key: it is no fact about the person, and goes with the sign-in."""
    return crypto.seal(crypto.held().derive("second-step/1"), secret.hex(), f"second-step/{person_id}/1")


def second_secret(person_id: int, blob: bytes) -> bytes:
    return bytes.fromhex(crypto.unseal(crypto.held().derive("second-step/1"), blob, f"second-step/{person_id}/1"))


# What a file brought, until it is entered or thrown away: under a key of that import, which goes with it


def new_import_key(import_id: int) -> bytes:
    return crypto.new_wrapped_key(crypto.held(), f"import/{import_id}")


def import_key(import_id: int, wrapped_key: bytes) -> bytes:
    """Opened once for many rows."""
    return crypto.unwrap(crypto.held(), bytes(wrapped_key), f"import/{import_id}")


def seal_row(data_key: bytes, import_id: int, number: int, part: str, content: str) -> bytes:
    return crypto.seal(data_key, content, f"import/{import_id}/{number}/{part}/1")


def open_row(data_key: bytes, import_id: int, number: int, part: str, blob: bytes) -> str:
    return crypto.unseal(data_key, bytes(blob), f"import/{import_id}/{number}/{part}/1")


def file_digest(purpose: str, content: bytes) -> bytes:
    return crypto.mac(crypto.held().derive(f"import/{purpose}/1"), content)


# Codes that are drawn again from keys, and what is stored of them


def card_digits(card_id: int, generation: int, kind: CodeKind = CodeKind.CARD) -> str:
    return codes.card_digits(crypto.held().derive("card/1"), card_id, generation, kind)


def card_index(digits: str, kind: CodeKind = CodeKind.CARD) -> bytes:
    return codes.card_index(crypto.held().derive("card/1"), digits, kind)


def phone_secret(device_id: int) -> bytes:
    return crypto.held().derive(f"phone/{device_id}")


def activation_token(card_id: int, generation: int) -> str:
    return codes.activation_token_of(crypto.held().derive("activation/1"), card_id, generation)


def typed_activation(card_id: int, generation: int) -> str:
    return codes.typed_activation_of(crypto.held().derive("activation/1"), card_id, generation)


def pairing_digits(pairing_id: int) -> str:
    return codes.pairing_digits_of(crypto.held().derive("pairing/1"), pairing_id)


def short_digest(purpose: str, secret: str) -> bytes:
    """For stored secrets too short for a plain hash: with the database alone nobody can try them all."""
    key = crypto.held().derive(f"short/{purpose}/1")
    return crypto.mac(key, secret.encode("utf-8", "surrogatepass"))
