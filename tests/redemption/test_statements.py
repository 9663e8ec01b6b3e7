"""What a hot order costs, counted at the one door that statements go through."""


async def test_an_order_of_one_line_by_card_takes_this_many_statements(shop, said):
    """The bench counts the same; the house allows 28, the two of the command's key included."""
    salt = await shop.good(points=5, monthly_max=50)
    await shop.order((salt, 1), member=await shop.member(30))  # the outlet's account is opened by its first order
    member = await shop.member(30)
    said.clear()
    await shop.order((salt, 1), member=member, key="counted-01")
    assert len(said) == 26, said
