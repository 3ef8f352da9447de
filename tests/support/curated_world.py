"""A world of stored metrics whose tables in `curated/` a test has made, and reads with DuckDB."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from adweir.insight.curated.curator import Curator
from adweir.insight.curated.layout import PREFIX, STATE, tables
from adweir.insight.curated.parts import CuratorParts
from adweir.model.entities import Account, AdCampaign, PlatformObject, Profile
from adweir.model.errors import NotFound
from adweir.model.terms import Terms
from adweir.store.findings.day_scores import DayScores
from adweir.store.raw.curated import CuratedObjects
from adweir.store.raw.store import ObjectHead, ObjectInfo, RawStore
from support.crash import Crash
from support.duck import connected
from support.listed import ListedCatalog
from support.reading_world import ACCOUNT, CAMPAIGN, EXACT, LOSSY, ONE, ReadingWorld, a_profile, account, campaign

CONNECTED = (LOSSY, EXACT)
TABLES = tables(tuple(sorted(CONNECTED)))


class _Client(ListedCatalog):
    name = "Acme"

    def account(self, account_id: str) -> Account:
        return Account(account_id=account_id, company_name=self.name, primary_contact_email="data@acme.example")

    def terms(self, account: Account) -> Terms:
        return Terms("USD", "UTC")


class FakeBucket(RawStore):
    """Objects with their metadata. `puts` and `requests` name what was asked, in order, `after_each` is what there was
    after each write; a `crash` may end one."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.puts: list[str] = []
        self.requests: list[str] = []
        self.after_each: list[dict[str, tuple[bytes, Mapping[str, str]]]] = []
        self.crash = Crash()
        self.put_at = datetime(2026, 1, 1, tzinfo=UTC)
        """S3's time of every object."""

    def metadata(self, key: str) -> dict[str, str]:
        self.requests.append(f"HEAD {key}")
        return dict(self._found(key)[1])

    def get_bytes(self, key: str, version_id: str = "") -> bytes:
        self.requests.append(f"GET {key}")
        return self._found(key)[0]

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        if key not in self.objects:
            self.requests.append(f"GET {key}")
            return None
        return self.get_bytes(key), self._tag(key)

    def swapped(
        self, key: str, body: bytes, tag: str, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> str:
        if self._tag(key) != tag:
            return ""
        self.put(key, body, metadata)
        return self._tag(key)

    def _tag(self, key: str) -> str:
        return hashlib.md5(self.objects[key][0], usedforsecurity=False).hexdigest() if key in self.objects else ""

    def head(self, key: str, version_id: str = "") -> ObjectHead:
        data, metadata = self._found(key)
        return ObjectHead(len(data), self.put_at, "", dict(metadata))

    def open_stream(self, key: str, version_id: str = "", begin: int = 0) -> BinaryIO:
        return BytesIO(self.get_bytes(key)[begin:])

    def put(
        self,
        key: str,
        body: bytes | BinaryIO,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        self.requests.append(f"PUT {key}")
        data = body if isinstance(body, bytes) else body.read()
        self.crash.around(self.objects.__setitem__)(key, (data, dict(metadata or {})))
        self.puts.append(key)
        self.after_each.append(dict(self.objects))
        return ""

    def delete(self, keys: Any) -> None:
        for key in keys:
            self.requests.append(f"DELETE {key}")
            self.crash.around(self.objects.pop)(key, None)
            self.after_each.append(dict(self.objects))

    def list(self, prefix: str, start_after: str = "") -> Any:
        self.requests.append(f"LIST {prefix}")
        return (
            ObjectInfo(key, 1, datetime(2026, 1, 1, tzinfo=UTC))
            for key in sorted(self.objects)
            if key.startswith(prefix)
        )

    def _found(self, key: str) -> tuple[bytes, Mapping[str, str]]:
        if key not in self.objects:
            raise NotFound(f"no object {key}")
        return self.objects[key]


class FakeScores(DayScores):
    """Scores by profile and day."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], float | None] = {}

    def days(self, profile_key: str, first: str, last: str) -> list[dict[str, Any]]:
        return [
            {"date": day, "score": score}
            for (key, day), score in sorted(self.known.items())
            if key == profile_key and first <= day <= last
        ]


class CuratedWorld(ReadingWorld):
    """A world of one client. `curate` makes its tables, `table` and `ask` read them."""

    def __init__(self, *profiles: Profile, objects: Sequence[PlatformObject] = (), **more: Any) -> None:
        super().__init__(*profiles, objects=objects, **more)
        self.listed = list(objects)
        self._client = _Client(list(profiles or (a_profile(), a_profile(EXACT))), self.listed)
        self.catalog = self._client
        self.bucket = FakeBucket()
        self.scores = FakeScores()

    def curate(self, seconds: float = 60.0, **more: Any) -> dict[str, int]:
        remaining = more.pop("remaining", lambda: seconds)
        return Curator(self.parts).curate("acc_a", remaining, 30.0)

    def call_client(self, name: str) -> None:
        """Have the client be called otherwise."""
        self._client.name = name

    @property
    def parts(self) -> CuratorParts:
        """What makes its tables."""
        return CuratorParts(
            self.catalog,
            self.queries,
            self.store,
            self.scores,
            CuratedObjects(self.bucket),
            CONNECTED,
            lambda platform: {"meta_ads": "facebook_ads"}.get(platform, platform),
        )

    @property
    def keys(self) -> list[str]:
        """The objects of the tables."""
        return [key for key in sorted(self.bucket.objects) if key.startswith(PREFIX) and not key.startswith(STATE)]

    @property
    def content(self) -> dict[str, bytes]:
        """The bytes of the objects of the tables."""
        return {key: self.bucket.objects[key][0] for key in self.keys}

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """What DuckDB answers about the tables, each by its name; it is given those that the question names."""
        named = {name: table for name, table in TABLES.items() if name in sql}
        with TemporaryDirectory() as folder, connected() as reader:
            for name, table in named.items():
                keys = [key for key in self.keys if key.startswith(table.prefix)]
                for key in keys:
                    path = Path(folder) / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(self.bucket.objects[key][0])
                if keys:
                    types = ", ".join(f"'{each.name}': VARCHAR" for each in table.keys)
                    hive = (
                        f"hive_partitioning = true, hive_types = {{{types}}}" if types else "hive_partitioning = false"
                    )
                    source = f"read_parquet('{folder}/{table.prefix}**/*.parquet', {hive})"
                    reader.execute(f"CREATE TEMP VIEW {name} AS FROM {source}")
            found = reader.execute(sql)
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def has(self, table: str) -> bool:
        """Whether a table has any object."""
        return any(key.startswith(f"{PREFIX}{table}/") for key in self.keys)


THREE_MONTHS = ("2026-09-10", "2026-10-10", "2026-11-10")


def a_campaign(campaign_id: str, name: str) -> AdCampaign:
    """A campaign of the ad account, as its platform lists it."""
    return AdCampaign(platform=LOSSY, profile_id="p1", id=campaign_id, name=name)


def three_months() -> CuratedWorld:
    """A day in each of three months: campaign c1 in the first, c2 in the others."""
    world = CuratedWorld(ONE, objects=[a_campaign("c1", "Spring"), a_campaign("c2", "Autumn")])
    for number, day in enumerate(THREE_MONTHS, 1):
        world.pull(CAMPAIGN, campaign(f"c{min(number, 2)}", number, day), days=(day, day))
        world.pull(ACCOUNT, account(number, day), days=(day, day))
    return world


def one_month() -> CuratedWorld:
    """A day of an account's own numbers."""
    world = CuratedWorld(ONE)
    world.pull(ACCOUNT, account(4))
    return world
