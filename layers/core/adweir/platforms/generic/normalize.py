"""Pages of a described API → metric rows and catalog objects, by the spec as it is stored now."""

from __future__ import annotations

from adweir.platforms.described.normalizer import DescribedNormalizer
from adweir.platforms.generic import SPEC

NORMALIZER = DescribedNormalizer(SPEC.name)
