"""What is done for a client after its pulls, in stories of which it is no part: it takes longer than all else."""

from __future__ import annotations

from typing import Any

from adweir.insight.ad_features.recorder import FeatureCounts
from adweir.insight.anomalies.watch import Watched
from adweir.runtime.app import App

DOERS = ("publisher", "scorer", "curator", "anomaly_watch", "learner", "enricher", "feature_recorder")
"""The parts of an app that work for an account."""


class AccountStandIn:
    """What is done for an account in place of datasets, scores, tables and all that is found: it stores an object."""

    def __init__(self, app: App) -> None:
        self._app = app

    def publish(self, account_id: str, *_how: object) -> list[Any]:
        self._app.raw.put(f"work/etl/{account_id}", b"done")
        return []

    def score(self, account_id: str, _remaining: object, _margin: float) -> int:
        self._app.raw.put(f"work/reconcile/{account_id}", b"done")
        return 0

    def curate(self, account_id: str, *_how: object) -> dict[str, int]:
        self._app.raw.put(f"work/curate/{account_id}", b"done")
        return {}

    def look(self, account_id: str, *_how: object) -> Watched:
        self._app.raw.put(f"work/detect/{account_id}", b"done")
        return Watched(0, 0, [])

    def learn(self, account_id: str, *_how: object) -> dict[str, int]:
        self._app.raw.put(f"work/learn/{account_id}", b"done")
        return {"arms": 0, "stored": 0, "outdated": 0}

    def enrich(self, account_id: str, *_how: object) -> dict[str, int]:
        self._app.raw.put(f"work/enrich/{account_id}", b"done")
        return {"ads": 0, "stored": 0, "left_out": 0}

    def record(self, account_id: str, *_how: object) -> FeatureCounts:
        self._app.raw.put(f"work/features/{account_id}", b"done")
        return FeatureCounts()
