"""Points for goods at a counter. Goods and points move in one transaction, or not at all.

Words: outlet (爱心超市), counter (a till of it), visit (a member who has shown a code, before one staff person at one
counter, for ten minutes), basket (goods and quantities, held by the page), order, undo,
day sheet (日结单: what a counter gave out on one day, to sign and keep).
Invariants:
  1. An order takes its goods, its points and its limits together, or nothing; and no other price than was shown.
  2. A code opens one visit; a visit serves only the counter and the staff person it was opened for, and ends;
     nor does it pay from a household's passbook for one who does not live there any more.
  3. Points per holder and day and pieces per good, holder and month stay within the limits, whoever orders at once.
  4. An order is undone at most once, by who made it, as the counter's last, within ten minutes; everything goes back
     where it came from, limits too.
  5. Nobody serves himself or his household.
  6. A payment code is neither kept nor logged.
  7. What was used of the limits follows: an order counts, once, for each passbook that those who lived on the one that
     paid came to while its month ran. So nobody gains by splitting or joining; passbooks that become one may have used
     more together than one may, and then have nothing left. Undone, it counts nowhere; a merge that is parted takes
     along what it brought. The heir of somebody inherits points, and nothing that was used.
"""
