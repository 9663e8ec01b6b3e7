"""The main menu marks where one is, wherever a page's address lies."""

import pytest

from pointsbank.app.nav import DOORS, door_of


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/people", "居民与家庭"),
        ("/people/7", "居民与家庭"),
        ("/people/staff/new", "工作人员"),
        ("/peoples", None),
        ("/ledger/passbooks/7/adjust", "居民与家庭"),
        ("/ledger/vouchers/7", "账目"),
        ("/ledger/gifts/new", "账目"),
        ("/governance/months/2/202611", "账目"),
        ("/overview/liability", "账目"),
        ("/overview", "总览"),
        ("/governance/people/7/move", "居民与家庭"),
        ("/governance/objections/7", "公示与异议"),
        ("/awards/7", "审核"),
        ("/home", None),
    ],
)
def test_a_page_belongs_to_the_door_with_the_longest_fitting_address(path, label):
    door = door_of(path)
    assert (door and door.label) == label


def test_only_doors_that_one_may_open_are_marked():
    assert door_of("/overview/liability", [door for door in DOORS if door.label == "总览"]).label == "总览"
