"""Any reporting API by a spec that is stored through the API (`platforms.described`); no code per API.

A credential names its spec, which is the route of all that it reaches: brakes, raw objects and ad accounts carry it.
"""

from __future__ import annotations

from adweir.platforms.described.serving import described_platform

SPEC = described_platform("generic", "Any other API", __name__)
