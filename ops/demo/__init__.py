"""The demonstration: the whole pipeline once, through its public entrances, compared with the platforms' truth."""

PLATFORMS = ("meta_ads", "amazon_ads", "tiktok_ads", "trade_desk", "google_ads")
"""Those that it shows. Any further one is as complete, and left out so that the demonstration stays short."""
DESCRIBED = "pinterest"
"""A platform that adweir has no connector for: the first client describes it by a spec, docs/specs/pinterest.json."""
SHARED = (("meta_ads", "amazon_ads", "trade_desk", DESCRIBED), ("meta_ads", "google_ads", "tiktok_ads"))
"""The same, shared out: what each of the two clients connects where the demonstration has to be short."""
READERS = 3
"""Questions at a time when all is compared: while the API computes one answer, others are read."""
