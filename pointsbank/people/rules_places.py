"""What is refused about the grids and buildings of a community."""

from pointsbank.kit.errors import Kind, Refusal

PLACE_NAME_LENGTH_MAX = 30


class PlaceNameTaken(Refusal):
    kind = Kind.CONFLICT
    code = "people.place_name_taken"
    message = "社区里已经有「{name}」。请换一个名称。"


class PlaceEnded(Refusal):
    kind = Kind.CONFLICT
    code = "people.place_ended"
    message = "这个地方已经停用。请刷新页面，先重新启用再改。"


class PlaceInUse(Refusal):
    kind = Kind.CONFLICT
    code = "people.place_in_use"
    message = "这里还有 {count} 户或 {buildings} 栋楼，不能停用。请先把他们改到别处。"


class NoSuchGrid(Refusal):
    kind = Kind.INVALID
    code = "people.no_such_grid"
    message = "请选择一个还在用的网格，或者「不分网格」。"
