"""An advertiser's own numbers, by a spec: an HTTPS address with the days in it, or objects below a prefix in S3."""

from __future__ import annotations

from adweir.model.platforms import Platform
from adweir.platforms.base import PlatformSpec
from adweir.platforms.described.serving import DATASETS, THROTTLES, DescribedCredential

SPEC = PlatformSpec(
    name=Platform("internal"),
    title="Your own feed",
    package=__name__,
    credential=DescribedCredential,
    urls={"api": ""},
    datasets=DATASETS,
    throttles=THROTTLES,
    described=True,
)
