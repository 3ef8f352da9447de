"""What finds out things of a client company: which arms convert best, what its ads say and are like."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from adweir.runtime.resources import Resources

if TYPE_CHECKING:
    from adweir.insight.ad_features.recorder import FeatureRecorder
    from adweir.insight.agents.learner import Learner
    from adweir.insight.enrichment.enricher import Enricher


class Finders(Resources):
    """The part of `App` that has them."""

    @cached_property
    def learner(self) -> Learner:
        """Learns a client's arms from its stored days."""
        from adweir.insight.agents.learner import Learner, LearnParts

        return Learner(LearnParts(self.catalog, self.queries, self.metrics, self.findings.agents, self.clock))

    @cached_property
    def enricher(self) -> Enricher:
        """Has models say of a client's ads what there is to say."""
        from adweir.insight.enrichment.enricher import Enricher, EnrichParts

        return Enricher(EnrichParts(self.catalog, self.findings.enrichments))

    @cached_property
    def feature_recorder(self) -> FeatureRecorder:
        """Records features of a client's ad accounts and ads."""
        from adweir.insight.ad_features.offline import OfflineFeatures
        from adweir.insight.ad_features.recorder import FeatureRecorder, RecorderParts
        from adweir.store.raw.curated import CuratedObjects

        connected = [str(spec.name) for spec in self.platforms.specs()]
        offline, found = OfflineFeatures(CuratedObjects(self.raw), connected), self.findings
        parts = RecorderParts(self.catalog, self.queries, found.scores, found.features, offline, self.clock)
        if self.settings.feature_group:
            from adweir.store.feature_group import FeatureGroup

            client = self.client("sagemaker-featurestore-runtime")
            parts = parts._replace(taker=FeatureGroup(client, self.settings.feature_group))
        return FeatureRecorder(parts)
