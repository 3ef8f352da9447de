"""Refused rows as breaches: one per ad account, or per client and source of files and pushes.

The sweep looks at what the quarantine was given in the last days (`store.findings.held_rows`). Rows that a replay
stored, or that a newer pull brought without a fault, are no breach any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from adweir.model.breaches import BreachKind, Judgement, Look, Subject

if TYPE_CHECKING:
    from adweir.store.findings.breaches import KeptBreach
    from adweir.store.findings.held_rows import HeldObject

TOLD = timedelta(days=7)
"""For so long a refused row is a breach: who leaves it as it is has decided so. It stays in the quarantine."""
_NAMED = 3
"""Datasets and rules that a message names."""


def refused_looks(recent: Iterable[HeldObject], known: Mapping[str, KeptBreach], *, is_whole: bool) -> Iterator[Look]:
    """What to say of the quarantine's entries of the time `TOLD`. `is_whole`: they are all of them; otherwise nothing
    that is told already is called over."""
    subjects: dict[Subject, list[HeldObject]] = {}
    for each in recent:
        if each.state in {"held", "replaying"}:
            subjects.setdefault(Subject(each.account_id, each.platform, each.profile_id), []).append(each)
    found = [_look(subject, entries) for subject, entries in subjects.items()]
    yield from found
    if is_whole:
        causes = {look.cause for look in found}
        for cause, kept in known.items():
            if kept.breach.kind is BreachKind.REFUSED and kept.breach.state.is_open and cause not in causes:
                says = f"No row that was refused in the last {TOLD.days} days is in quarantine any more."
                yield Look(BreachKind.REFUSED, kept.breach.subject, Judgement.GOOD, says)


def _look(subject: Subject, entries: list[HeldObject]) -> Look:
    rows = sum(each.rows for each in entries)
    datasets: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for each in entries:
        datasets[each.dataset] += each.rows
        rules.update(each.reasons)
    verb = "was" if rows == 1 else "were"
    return Look(
        BreachKind.REFUSED,
        subject,
        Judgement.BAD,
        f"{_count(rows, 'row')} {verb} refused: {_named(datasets)}. By rule: {_named(rules)}.",
        value=f"{_count(rows, 'row')} of {_count(len(entries), 'stored object')}",
        expected="none",
        since=min(each.held_at for each in entries),
        do="`adweir quarantine list` names the objects, `adweir quarantine show ID` prints each row with its fault."
        " Repair the mapping, the option or the file, then `adweir quarantine replay ID`. Where the platform sent a"
        " wrong row, the next daily run after its correction ends this; where a corrected file has the rows,"
        " `adweir quarantine drop ID` does.",
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _named(counts: Counter[str]) -> str:
    """`ad_daily (9), leads (2) and 1 more`: the most frequent first."""
    named = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(_NAMED))
    more = len(counts) - _NAMED
    return f"{named} and {more} more" if more > 0 else named
