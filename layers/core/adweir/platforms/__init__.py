"""One folder per platform, the same files in each; the rooms above reach them through this file.

`REGISTRY` holds the platforms that come with adweir, one line per platform. A folder's `__init__.py` is imported for
its SPEC, the rest of it only when a function works on the platform: a cold start pays for what it uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform
from adweir.model.slices import ALL

if TYPE_CHECKING:
    from adweir.model.datasets import Dataset
    from adweir.model.entities import Credential, Profile
    from adweir.model.metrics import Series
    from adweir.platforms.base import DatasetSpec, PlatformSpec
    from adweir.platforms.connector import Connector, InvoiceReader, Normalizer, Wiring
    from adweir.platforms.streams import StreamHooks
    from adweir.platforms.webhooks import Webhook


class Platforms:
    """The platforms that a deployment knows: stored name → its folder as a module."""

    def __init__(self, packages: Mapping[str, str]) -> None:
        self._packages = {Platform(name): package for name, package in packages.items()}

    def __iter__(self) -> Iterator[Platform]:
        return iter(self._packages)

    def __contains__(self, name: object) -> bool:
        return name in self._packages

    def with_platform(self, name: str, package: str) -> Platforms:
        """These platforms and one more, whose folder may lie anywhere on `sys.path`."""
        return Platforms({**{str(known): folder for known, folder in self._packages.items()}, name: package})

    def specs(self) -> Iterator[PlatformSpec]:
        """Every platform's SPEC, in the order of the registry."""
        return (self.spec(name) for name in self._packages)

    def spec(self, platform: Platform) -> PlatformSpec:
        """What a platform says about itself. Raises Unprocessable for one that is not connected."""
        package = self._packages.get(platform)
        if package is None:
            known = ", ".join(sorted(self._packages))
            message = f"{platform} is not connected; connected: {known}"
            raise Unprocessable(message, [{"field": "platform", "message": message}])
        return cast("PlatformSpec", import_module(package).SPEC)

    def datasets(self, platform: Platform) -> Mapping[Dataset, DatasetSpec]:
        """The datasets that the platform serves, and how. Raises Unprocessable."""
        return self.spec(platform).datasets

    def lists(self, platform: str) -> bool:
        """Whether a platform's ad accounts are those that its API lists, so that a file can name no other."""
        return platform in self._packages and not self.spec(Platform(platform)).described

    def served(self, profile: Profile) -> Mapping[Dataset, DatasetSpec]:
        """The datasets of one ad account, and how; none of one that no platform lists, or none that is known."""
        from adweir.platforms.base import told_of  # noqa: PLC0415  most of those who parse names need no more

        known = self.datasets(profile.platform) if profile.is_listed and profile.platform in self else {}
        return {dataset: spec.under(profile.pulled_by) for dataset, spec in told_of(profile, known).items()}

    def slices(self, series: Series) -> tuple[str, ...]:
        """The slices whose pulls together answer for everything of a series."""
        served = self.datasets(series.platform) if series.platform in self else {}
        asked = (series.level, series.grain, series.breakdown)
        same = (spec for each, spec in served.items() if (each.level, each.grain, each.breakdown) == asked)
        return next((spec.slices for spec in same), (ALL,))

    def parse(self, name: str) -> Platform:
        """A stored name or an alias, in any case → Platform. Raises Unprocessable that lists the known names."""
        wanted = name.strip().lower()
        if wanted in self._packages:
            return Platform(wanted)
        for spec in self.specs():
            if wanted in spec.aliases:
                return spec.name
        known = ", ".join(self.names())
        raise Unprocessable(
            f"unknown platform {name[:40]!r}; known: {known}",
            [{"field": "platform", "message": f"is unknown; known: {known}"}],
        )

    def names(self) -> list[str]:
        """Every name that `parse` takes, in alphabetical order."""
        return sorted([*self._packages, *(alias for spec in self.specs() for alias in spec.aliases)])

    def recognize(self, values: Mapping[str, str]) -> Platform | None:
        """The only platform whose credential these values can be; None when they do not say."""
        return next((spec.name for spec in self.specs() if spec.recognizes(values)), None)

    def connect(self, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> Connector:
        """The platform's API for one credential, whose values are `secret`; none of them is in what it answers.

        Raises Unprocessable for a platform that is not connected, AuthExpired when the values are not what it needs.
        """
        guarded = import_module("adweir.platforms.guarded")  # half of the functions never connect
        fields, connect = self.spec(credential.platform).credential, self._part(credential.platform, "client").connect
        return cast("Connector", guarded.connect(connect, fields, credential, secret, wiring))

    def normalizer(self, platform: Platform) -> Normalizer:
        """What turns the platform's raw pages into our vocabulary. Raises Unprocessable."""
        return cast("Normalizer", self._part(platform, "normalize").NORMALIZER)

    def invoices(self, platform: Platform) -> InvoiceReader:
        """What reads the platform's raw pages of invoices. Raises Unprocessable."""
        return cast("InvoiceReader", self._part(platform, "invoices").READER)

    def webhook(self, platform: Platform) -> Webhook | None:
        """The hooks for the platform's own deliveries; None when it sends none. Raises Unprocessable."""
        if not self.spec(platform).webhook:
            return None
        return cast("Webhook", self._part(platform, "webhook").HOOKS)

    def stream(self, platform: Platform) -> StreamHooks:
        """The hooks for what the platform sends through Amazon SNS. Raises Unprocessable."""
        return cast("StreamHooks", self._part(platform, "stream").HOOKS)

    def _part(self, platform: Platform, part: str) -> Any:
        return import_module(f"{self.spec(platform).package}.{part}")


REGISTRY = Platforms(
    {
        "meta_ads": "adweir.platforms.meta",
        "amazon_ads": "adweir.platforms.amazon_ads",
        "tiktok_ads": "adweir.platforms.tiktok_ads",
        "trade_desk": "adweir.platforms.trade_desk",
        "google_ads": "adweir.platforms.google_ads",
        "microsoft_ads": "adweir.platforms.microsoft_ads",
        "generic": "adweir.platforms.generic",
        "internal": "adweir.platforms.internal",
    }
)
"""The platforms that come with adweir."""
