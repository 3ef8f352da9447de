"""What was changed, and by whom: `audit` / `<time>#<token>`, kept like other history.

What the system does by itself is recorded once an hour for each thing that it does to each subject: a brake that is set
and cleared every minute would bury the rest. `audit-own` / `<action>#<subject>` remembers for that long.
"""

from __future__ import annotations

from datetime import timedelta

from adweir.model import limits, trace
from adweir.model.deeds import Deed, FieldChange, Wanted
from adweir.model.errors import Unavailable
from adweir.model.log import log
from adweir.model.times import Clock, epoch, iso
from adweir.store.dynamo.keyed import new_token
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.ledger.rows import Row, Rows

_PK = "audit"
_OWN = "audit-own"
_LAST = "~"
"""Sorts behind each sort key of the audit."""
_FIELDS = frozenset(Deed._fields)


class Audit(Rows):
    """Written where something is changed, read by people. `noted` counts what this one wrote.

    `service` is the function that works here: it did what nobody asked for.
    """

    def __init__(self, clock: Clock, service: str) -> None:
        super().__init__(clock)
        self.noted = 0
        self.service = service

    def note(self, deed: Deed) -> Deed:
        """Record a deed of now; texts that are too long are cut. Raises Unavailable."""
        at, most = iso(self._clock.now()), limits.MAX_REASON_CHARS
        within = trace.current().get("request_id", "")
        deed = deed._replace(at=at, outcome=deed.outcome[:most], reason=deed.reason[:most], request_id=within)
        self._put(self._row(_PK, f"{at}#{new_token()}", body=deed._asdict()))
        self.noted += 1
        return deed

    def note_own(self, deed: Deed) -> None:
        """Record what this function does by itself, at most once an hour for the same action and subject.

        A worker that dies in between records it twice rather than never. What cannot be recorded is in the log: the
        work goes on.
        """
        deed = deed._replace(who=self.service)
        sk = f"{deed.action}#{deed.subject}"[: limits.MAX_NAME_CHARS]
        try:
            known = self._fetch(_OWN, sk)
            if known is not None and (known.until or 0) > self._now():
                return
            self.note(deed)
            row = self._row(_OWN, sk, until=self._now() + limits.MIN_OWN_DEED_SECONDS)
            row.expires = epoch(self._clock.now() + timedelta(seconds=limits.MIN_OWN_DEED_SECONDS))
            self._put(row)
        except Unavailable as error:
            log.warning("not in the audit: %s %s: %s (%s)", deed.action, deed.subject, deed.outcome, error.message)

    def page(self, limit: int, token: str, wanted: Wanted = Wanted()) -> tuple[list[Deed], str]:  # noqa: B008
        """Those wanted, the newest first, and the token of the next page, "" after the last.

        It looks at `limits.MAX_DEEDS_LOOKED_AT` at most, so that a page may have fewer, and even none. Raises BadInput
        for a wrong token.
        """
        found: list[Deed] = []
        first, last = (iso(wanted.since) if wanted.since else "0"), (iso(wanted.until) if wanted.until else "") + _LAST
        place, looked_at, after = "", 0, from_token(_PK, token)
        most = limits.MAX_DEEDS_LOOKED_AT if wanted.chooses else min(limits.MAX_DEEDS_LOOKED_AT, limit)
        for row in self._query(_PK, first, up_to=last, after=after, newest_first=True, limit=most + 1):
            if len(found) == limit or looked_at == most:
                return found, to_token(_PK, place)
            place, looked_at = row.sk, looked_at + 1
            found += [deed for deed in self._readable([row], _deed) if wanted.has(deed)]
        return found, ""


def _deed(row: Row) -> Deed:
    """A stored deed. Fields that another version added are left out."""
    body = {name: value for name, value in (row.body or {}).items() if name in _FIELDS}
    return Deed(**body | {"changes": tuple(FieldChange(*each) for each in body.get("changes", ()))})
