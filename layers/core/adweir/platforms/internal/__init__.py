"""An advertiser's own numbers, by a spec: an HTTPS address with the days in it, or objects below a prefix in S3."""

from __future__ import annotations

from adweir.platforms.described.serving import described_platform

SPEC = described_platform("internal", "Your own feed", __name__)
