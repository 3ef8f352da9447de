"""Words for statuses in rows of any origin. A platform's own answers are read by its folder, which knows more."""

from __future__ import annotations

import re

from adweir.model.entities import Status

_WORDS: dict[Status, str] = {
    Status.ACTIVE: "enabled enable approved on live running delivering eligible serving",
    Status.PAUSED: "pause disabled disable inactive off suspended stopped frozen adset_paused campaign_paused",
    Status.PENDING: "pending_review in_review under_review in_process draft scheduled preapproved",
    Status.REJECTED: "disapproved not_approved denied with_issues",
    Status.ENDED: "completed complete finished expired done",
    Status.ARCHIVED: "archive",
    Status.REMOVED: "deleted delete user_deleted",
}
_NAMED = {str(status): status for status in Status} | {
    word: status for status, words in _WORDS.items() for word in words.split()
}
_PREFIX = re.compile("(?:campaign|adgroup|ad)_status_")


def status_named(text: str) -> Status | None:
    """The status that a word stands for, in any case: `ENABLED` is active. None for a word that is not known."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return _NAMED.get(_PREFIX.sub("", word, count=1))
