"""adweir's own columns, in any order: what a file has that was made for adweir."""

from adweir.model.data_types import DATA_TYPES, StoredAs
from adweir.model.mappings import Mapping
from adweir.platforms.files.builtin.parts import column

_ALSO = {"spend": ("cost",), "date": ("day",), "ad_group_id": ("adset_id",), "invoice_id": ("invoice",)}

MAPPINGS = tuple(
    Mapping(
        source="adweir",
        data_type=name,
        columns=tuple(
            column(each.name, each.name, *_ALSO.get(each.name, ()), required=each.required) for each in known.columns
        ),
        header_from="docs/data-model.md",
    )
    for name, known in DATA_TYPES.items()
    if known.stored_as is not StoredAs.BILLS or name == "invoices"
)
