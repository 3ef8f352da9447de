"""How files are read without a deployment: by the mappings that come with adweir, or by one that is given.

Nothing is known of the client's ad accounts and objects. So every ad account is taken for the client's, and names of
campaigns, ad groups and ads stand for themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from adweir.intake.load.drop_keys import OWN
from adweir.model.data_types import DATA_TYPES, DataType, StoredAs
from adweir.model.entities import Profile, own_profile_id
from adweir.model.mappings import Mapping
from adweir.model.platforms import Platform
from adweir.model.ports import platform_named
from adweir.platforms import REGISTRY
from adweir.platforms.files import builtin
from adweir.platforms.files.data_types import rows_of
from adweir.platforms.files.file_rows import FileContext, NamedObject
from adweir.platforms.files.kept_files import KeptFiles
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.reading import FileReader, own_metrics
from ops.errors import CommandFailed

ACCOUNT = "acc_unknown"
"""The client account that the file is of, as long as nobody has said which it is."""
_ZONE = "UTC"


class UnknownObjects:
    """A client of whom nothing is stored; a `ClientObjects`."""

    def only_profile(self, platform: Platform, named: str = "") -> str:  # noqa: ARG002
        return named

    def timezone(self, target: Target) -> str:  # noqa: ARG002
        return ""

    def currency(self, target: Target) -> str:  # noqa: ARG002
        return ""

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:  # noqa: ARG002
        return None

    def ad_group(self, target: Target, own_id: str) -> str:  # noqa: ARG002
        return ""

    def object_id(self, target: Target, parent: str, name: str) -> str:  # noqa: ARG002
        return ""


def profile_of(account_id: str, target: Target) -> Profile:
    """The ad account of a row, in the currency that its rows say."""
    return Profile(
        account_id=account_id,
        platform=target.platform,
        profile_id=target.profile_id,
        name="",
        currency=target.currency,
        timezone=_ZONE,
    )


def data_type_of(source: str, name: str) -> tuple[Platform, DataType]:
    """A source and a data type by name. Raises CommandFailed that lists what there is."""
    if name not in DATA_TYPES:
        raise CommandFailed(f"there is no data type {name}; known: {', '.join(DATA_TYPES)}")
    try:
        return platform_named(source, REGISTRY.parse), DATA_TYPES[name]
    except ValueError:
        raise CommandFailed(f"a source is 2 to 40 lower-case letters, digits and _: {source!r}") from None


def mapping_of(source: Platform, kind: DataType) -> Mapping:
    """How such files are read where nobody has said it. Raises CommandFailed."""
    found = builtin.reading(source, kind.name)
    if found is None:
        raise CommandFailed(f"no files of {source}/{kind.name} are read")
    return found


def reader_of(source: Platform, kind: DataType, mapping: Mapping | None) -> FileReader | KeptFiles:
    """What reads such a file: its numbers, or its objects and reference data."""
    if (source, kind.name) == OWN and mapping is None:
        return own_metrics(REGISTRY.parse)
    mapping, context = mapping or mapping_of(source, kind), _context(source)
    if kind.stored_as in {StoredAs.REFERENCE, StoredAs.OBJECTS}:
        return KeptFiles(kind, context, mapping)
    make: Callable[..., FileReader] = partial(FileReader.mapped, personal=kind.personal)
    return make(mapping, partial(rows_of, kind, context, adds_up=mapping.adds_up))


def _context(source: Platform) -> FileContext:
    return FileContext(
        source=source,
        own=own_profile_id(ACCOUNT),
        timezone=_ZONE,
        parse_platform=REGISTRY.parse,
        is_listed=_nothing_is_listed,
        objects=UnknownObjects(),
    )


def _nothing_is_listed(_platform: str) -> bool:
    return False
