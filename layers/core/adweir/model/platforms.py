"""The platforms and the names people use for them."""

from __future__ import annotations

from enum import StrEnum

from adweir.model.errors import Unprocessable


class Platform(StrEnum):
    """Stored values (design section 3)."""

    GOOGLE_ADS = "google_ads"
    META_ADS = "meta_ads"
    AMAZON_ADS = "amazon_ads"
    TIKTOK_ADS = "tiktok_ads"
    TRADE_DESK = "trade_desk"


_ALIASES = {
    "facebook": Platform.META_ADS,
    "meta": Platform.META_ADS,
    "google": Platform.GOOGLE_ADS,
    "amazon": Platform.AMAZON_ADS,
    "tiktok": Platform.TIKTOK_ADS,
    "ttd": Platform.TRADE_DESK,
    "the_trade_desk": Platform.TRADE_DESK,
} | {p.value: p for p in Platform}


def parse_platform(name: str) -> Platform:
    """`facebook`, `meta`, `meta_ads` … → Platform. Raises Unprocessable that lists the known names."""
    try:
        return _ALIASES[name.strip().lower()]
    except KeyError:
        raise Unprocessable(
            f"unknown platform {name[:40]!r}; known: {', '.join(sorted(_ALIASES))}", [{"field": "platform"}]
        ) from None
