"""The made-up ad platforms in this process, for examples and for trying a script out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sandbox.outside import Outside
from sandbox.platforms import platform_urls, population, stand_ins
from sandbox.server import PlatformServer

_REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class Playground:
    """Platforms that answer at `urls`: `adweir.local(urls=…)`; those of one platform are `adweir.client`'s."""

    server: PlatformServer

    @property
    def urls(self) -> dict[str, dict[str, str]]:
        """Platform → what for → URL."""
        return platform_urls(self.server.url)

    def credential(self, platform: str) -> Mapping[str, str]:
        """The fields of a credential with one ad account at least."""
        return self.server.outside.world.companies[0].credentials[platform]


@contextmanager
def playground(today: date | None = None) -> Iterator[Playground]:
    """Serve the platforms; their numbers are the same each time on the same day (`today`: this one)."""
    present = stand_ins()
    outside = Outside(anchor=today, report_seconds=_REPORT_SECONDS, population=population(present))
    with PlatformServer(outside, present) as server:
        yield Playground(server)
