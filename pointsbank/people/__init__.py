"""Who there is, where they belong, and what lets them in: cards, phones, sign-ins, roles.

Words: place (a node of the one org tree), community (a place that keeps books), household, person (provisional until
staff have settled who it is, then member), canonical person (who a merged one turned out to be), alias (a merged
one), card (generation), household card (spends what a household holds), print run (the cards of one print), plate (at
a door; names the household), device (a phone's browser), activation (the slip apart from the card), pairing (digits
that a phone shows to staff), grant (a role at a place), second step (a code from a phone, after the password), ticket
(a right password that still lacks its code), use (when a session was last asked for), import (a roster from a file),
tag (what a community notes of people beside who they are, with their consent), session (one person, one grant).
Invariants:
  1. Everyone is reached through the communities of a session; somebody else's record is NotFound.
  2. A merge is an alias: every look-up by person ends at the canonical one.
  3. Only an activation code, or staff typing the digits that a phone shows, binds a phone to a member.
  4. A card or phone code is good for one community; a phone code for one use of each purpose.
  5. A person, and a household, has at most one live card; a new one ends the old one and its activation at once. What
     has ended never lives again. A household card checks nobody in; a plate neither spends nor tells.
  6. Names, phones and doors lie sealed under the person's or household's own key; what is shown is masked here.
  7. A session's token is chosen by the server, kept as a digest, and dies with its login, grant or device.
  8. Nobody changes his own roles.
  9. A roster from a file enters everybody whom it has right at once, or nobody; what the file brought lies sealed, and
     is forgotten within a day. The same file again enters nobody.
  10. Whoever leaves is erased: codes, phones, sign-ins and roles end, and the key of every sealed field is deleted;
     number and books stay. Consent that is withdrawn holds at once, and only a new consent brings it back.
  11. With a second step the password alone opens nothing; a code is good once, and wrong ones are counted before they
      are looked at.
  12. Who serves at a counter of a community holds no role there that issues cards.
  13. Looking for a session writes nothing: its use stays in memory until a job writes it down.
"""
