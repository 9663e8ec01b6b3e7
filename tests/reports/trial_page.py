"""What the page of a trial run says of each category."""

import re

ROW = re.compile(r"<tr([^>]*)>(.*?)</tr>", re.DOTALL)
FIGURE = re.compile(r'<td class="right">([\d,]+)</td>')


def of_categories(page: str) -> dict[str, tuple[int, int]]:
    """Old and new points of each category, as its own line says."""
    found = {}
    for attributes, row in ROW.findall(page):
        if "group" in attributes and len(figures := FIGURE.findall(row)) > 1:
            old, new = figures[:2]
            found[re.search(r"<td[^>]*>([^<]+)", row)[1]] = int(old.replace(",", "")), int(new.replace(",", ""))
    return found


def of_items(page: str) -> dict[str, tuple[int, int]]:
    """The same, added up from the lines of its items."""
    found, name = {}, ""
    table = page.partition('id="items"')[2].partition("</table>")[0]
    for attributes, row in ROW.findall(table):
        if "group" in attributes:
            name = re.search(r"<td[^>]*>([^<]+)", row)[1]
        elif len(figures := FIGURE.findall(row)) == 3:
            _acts, old, new = (int(one.replace(",", "")) for one in figures)
            before = found.get(name, (0, 0))
            found[name] = before[0] + old, before[1] + new
    return found
