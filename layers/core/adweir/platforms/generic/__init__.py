"""Any reporting API by a spec that is stored through the API (`platforms.described`); no code per API.

A credential names its spec, which is the route of all that it reaches: brakes, raw objects and ad accounts carry it.
"""

from __future__ import annotations

from adweir.model.platforms import Platform
from adweir.platforms.base import PlatformSpec
from adweir.platforms.described.serving import DATASETS, THROTTLES, DescribedCredential

SPEC = PlatformSpec(
    name=Platform("generic"),
    title="Any other API",
    package=__name__,
    credential=DescribedCredential,
    urls={"api": ""},
    datasets=DATASETS,
    throttles=THROTTLES,
    described=True,
)
