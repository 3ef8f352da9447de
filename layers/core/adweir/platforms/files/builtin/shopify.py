"""Orders that Shopify's admin exports as CSV, whose header is English in every language.

An order takes a line per item; its totals stand in the first only. Counted are orders that were paid, less what was
given back. `Total` includes shipping and taxes.
"""

from adweir.model.mappings import Mapping, RowRule
from adweir.platforms.files.builtin.parts import column, empty

MAPPINGS = (
    Mapping(
        source="shopify",
        data_type="orders",
        columns=(
            column("order_id", "Name", required=True),
            column("date", "Created at", required=True),
            column("currency", "Currency"),
            column("revenue", "Total", required=True, minus=("Refunded Amount",)),
        ),
        skip=(empty("Total"),),
        keep=(
            RowRule(column=("Financial Status",), equals=("paid", "partially_refunded", "refunded", "partially_paid")),
            RowRule(column=("Cancelled at",), empty=True),
        ),
        header_from="zhangerson/shopify_parsing orders_export.csv",
    ),
)
