"""The invented residents of the demo: families behind invented doors, with cards."""

from dataclasses import dataclass, field
from random import Random

from pointsbank.app.demo_scene import Scene
from pointsbank.kit import db
from pointsbank.people import actions as people
from pointsbank.people import actions_cards as cards

# Surnames that people have, given names of seasons and plants: they read well, and each of these people is invented.
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
)
GIVEN_FIRST = "春夏秋冬晓晚初素雪雨云月"
GIVEN_LAST = "兰梅竹菊松柏桂荷莲杏桃槐榆柳枫桐薇蓉芷芸萱楠杉棠"
FIRST_NAME = "王秀兰"
CONSENT_SHARE = 0.8


@dataclass(slots=True)
class Resident:
    name: str
    phone: str
    birth_year: int
    is_head: bool
    household: int  # the number of the household in the community, from 0
    household_id: int = 0
    person_id: int = 0
    code: str = field(default="", repr=False)


def invent(dice: Random, households: int, *, phones_from: int) -> list[Resident]:
    """Families of one to four; nobody shares a name in one community."""
    taken = {FIRST_NAME}
    invented: list[Resident] = []
    for household in range(households):
        surname = dice.choice(SURNAMES)
        for place in range(dice.choice((1, 2, 2, 2, 3))):
            # The second of a family brought a name of their own.
            name = _name(dice, dice.choice(SURNAMES) if place == 1 else surname, taken)
            year = 1990 + dice.randrange(20) if place > 1 else 1945 + dice.randrange(40)
            phone = f"100{phones_from + len(invented):08}"
            invented.append(Resident(name, phone, year, is_head=place == 0, household=household))
    invented[0].name, invented[0].birth_year = FIRST_NAME, 1954
    return invented


def _name(dice: Random, surname: str, taken: set[str]) -> str:
    while True:
        name = surname + dice.choice(GIVEN_FIRST) + dice.choice(GIVEN_LAST)
        if name not in taken:
            taken.add(name)
            return name


async def register(scene: Scene, community_id: int, building_ids: list[int], residents: list[Resident]) -> None:
    """Enter them into the roster, household by household, and give each a card."""
    households = residents[-1].household + 1
    doors = [f"{1 + number // 12} 单元 {101 + number % 12 // 2 * 100 + number % 2} 室" for number in range(households)]
    household_ids = await scene.all(
        db.write(
            people.make_household,
            community_id=community_id,
            building_id=building_ids[number % len(building_ids)],
            door=doors[number],
        )
        for number in range(households)
    )
    for resident in residents:
        resident.household_id = household_ids[resident.household]
    ids = await scene.all(
        db.write(
            people.make_person,
            community_id=community_id,
            household_id=resident.household_id,
            name=resident.name,
            phone=resident.phone,
            birth_year=resident.birth_year,
            is_head=resident.is_head,
            consent_publication=scene.dice.random() < CONSENT_SHARE,
        )
        for resident in residents
    )
    issued = await scene.all(db.write(cards.issue_card, person_id=person_id) for person_id in ids)
    for resident, person_id, card in zip(residents, ids, issued, strict=True):
        resident.person_id = person_id
        resident.code = cards.card_code_of(card.card_id, card.generation)
