"""Which task of a run tries narrower reports of a kind that failed: `trial#<run>` / `<profile>#<dataset>#<slice>`."""

from __future__ import annotations

from adweir.model.tasks import Task
from adweir.store.ledger.rows import Rows


class Trials(Rows):
    """One trial per run and kind of report: were every failed report narrowed, a broken kind would grow a tree."""

    def begin(self, task: Task) -> bool:
        """Whether the task may try: it is the first of its kind, or was so before."""
        pk, sk = f"trial#{task.run_id}", f"{task.profile_key}#{task.dataset}#{task.slice}"
        if self._put(self._row(pk, sk, text=task.id), self._absent()):
            return True
        known = self._fetch(pk, sk)
        return known is not None and known.text == task.id
