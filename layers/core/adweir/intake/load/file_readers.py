"""Who reads the files of an account's source and data type, and whose their rows are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from adweir.intake.load.client_objects import StoredObjects
from adweir.intake.load.drop_keys import OWN
from adweir.model.data_types import DATA_TYPES, DataType, StoredAs
from adweir.model.entities import Profile, own_profile_id
from adweir.model.errors import BadInput
from adweir.model.mappings import Mapping
from adweir.model.metrics import AD_LEVELS
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser, ServedPlatforms, platform_named
from adweir.platforms.files import builtin
from adweir.platforms.files.data_types import rows_of
from adweir.platforms.files.file_rows import FileContext
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.reading import FileReader, own_metrics

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

MappingOf = Callable[[str, str, str], Mapping | None]
"""Account, source and data type → the mapping that was stored for them, None for none."""
UnlistedProfile = Callable[..., Profile | None]
"""`Catalog.unlisted_profile`, or what only says what it would give."""
_NUMBERS = (StoredAs.ADS, StoredAs.SERIES)
_KEPT = (StoredAs.REFERENCE, StoredAs.OBJECTS)


class ClientFiles:
    """Reads every data type that has numbers; a `FileReaders`.

    `stored` gives the mappings that were stored. Where there is none, the one that is built in counts, and a source
    that has none has adweir's own columns.
    """

    def __init__(self, catalog: Catalog, platforms: ServedPlatforms, stored: MappingOf) -> None:
        self.parse_platform: PlatformParser = platforms.parse
        self._catalog = catalog
        self._platforms = platforms
        self._stored = stored
        self._metrics = own_metrics(platforms.parse)

    def reader(self, account_id: str, source: str, data_type: str, /) -> FileReader:
        """Raises BadInput for a source or data type that there is not, NotFound for an unknown account."""
        if (source, data_type) == OWN:
            return self._metrics
        kind = self._data_type(source, data_type)
        if kind.stored_as not in _NUMBERS:
            message = f"no files of {source[:64]}/{data_type[:64]} are read"
            raise BadInput(message, [{"field": "key", "rule": "format"}])
        mapping, context = self._mapping(account_id, source, kind), self._context(account_id, source)
        return FileReader.mapped(
            mapping, partial(rows_of, kind, context, adds_up=mapping.adds_up), personal=kind.personal
        )

    def kept(self, account_id: str, source: str, data_type: str, /) -> KeptFiles | None:
        """How files of reference data and of objects are read; None for other data types. Raises BadInput."""
        kind = DATA_TYPES.get(data_type)
        if kind is None or kind.stored_as not in _KEPT:
            return None
        return KeptFiles(kind, self._context(account_id, source), self._mapping(account_id, source, kind))

    def records(self, account_id: str, source: str, data_type: str, /) -> FileReader | KeptFiles | None:
        """How records in our own columns are read, whatever the mapping of their source; None for invoices.

        Raises BadInput, NotFound for an unknown account.
        """
        kind, context = self._data_type(source, data_type), self._context(account_id, source)
        if kind.stored_as is StoredAs.BILLS:
            return None
        mapping = builtin.canonical(context.source, kind.name)
        if kind.stored_as in _KEPT:
            return KeptFiles(kind, context, mapping)
        return FileReader.mapped(mapping, partial(rows_of, kind, context), personal=kind.personal)

    def _context(self, account_id: str, source: str) -> FileContext:
        terms = self._catalog.terms(self._catalog.account(account_id))
        return FileContext(
            source=self._source(source),
            own=own_profile_id(account_id),
            timezone=terms.timezone,
            currency=terms.currency,
            parse_platform=self.parse_platform,
            is_listed=self._platforms.lists,
            objects=StoredObjects(self._catalog, account_id),
        )

    def _data_type(self, source: str, name: str) -> DataType:
        """A data type by its name, of a source that can be. Raises BadInput."""
        self._source(source)
        known = DATA_TYPES.get(name)
        if known is None:
            message = f"no files of {source[:64]}/{name[:64]} are read; data types: {', '.join(sorted(DATA_TYPES))}"
            raise BadInput(message, [{"field": "key", "rule": "format"}])
        return known

    def _mapping(self, account_id: str, source: str, kind: DataType) -> Mapping:
        """How the columns of such files are named and written. Raises BadInput for bills of another source."""
        own = self._source(source)
        stored = (self._stored(account_id, name, kind.name) for name in dict.fromkeys((source, str(own))))
        found = next(filter(None, stored), None) or builtin.reading(own, kind.name)
        if found is None:
            message = f"no mapping is known of {source[:64]}/{kind.name}"
            raise BadInput(message, [{"field": "key", "rule": "format"}])
        return found

    def profile(self, account_id: str, target: Target, /) -> Profile | None:
        """The profile of a row's target; one that no platform lists is made. None where the account has no such one."""
        return self._profile(account_id, target, self._catalog.unlisted_profile)

    def profile_to_be(self, account_id: str, target: Target, /) -> Profile | None:
        """What `profile` would give; nothing is made."""
        return self._profile(account_id, target, self._catalog.unlisted_profile_to_be)

    def _profile(self, account_id: str, target: Target, unlisted: UnlistedProfile) -> Profile | None:
        profile_id = target.profile_id
        if target.platform in self._platforms and profile_id != own_profile_id(account_id):
            found = self._catalog.profile(target.platform, profile_id)
            return found if found is not None and found.account_id == account_id else None
        account = self._catalog.account(account_id)
        terms = self._catalog.terms(account)
        if profile_id != own_profile_id(account_id) and target.currency:
            terms = terms._replace(currency=target.currency)
        has_ads = target.level in AD_LEVELS
        return unlisted(account, target.platform, profile_id, terms, has_ads=has_ads)

    def _source(self, source: str) -> Platform:
        try:
            return platform_named(source, self.parse_platform)
        except ValueError:
            message = f"a source is 2 to 40 lower-case letters, digits and _: {source[:64]!r}"
            raise BadInput(message, [{"field": "key", "rule": "format"}]) from None
