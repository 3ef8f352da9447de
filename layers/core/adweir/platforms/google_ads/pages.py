"""Pages of numbers → batches of rows: one page by itself, or the parts of answers that are added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain
from adweir.platforms.connector import PullContext, RawPage, RowBatch
from adweir.platforms.google_ads import added
from adweir.platforms.google_ads.added import OWN, PLACES, PartLabel
from adweir.platforms.google_ads.options import GoogleOptions
from adweir.platforms.google_ads.rows import GoogleReader, RowReading, Segments
from adweir.platforms.row_sums import RowSums

_REGIONS = frozenset({Dataset.CAMPAIGN_BY_REGION_DAILY})


def batches(page: RawPage, context: PullContext) -> Iterator[RowBatch]:
    """One batch per page; of answers that are added up, the bad rows and then the sums."""
    options = context.options if isinstance(context.options, GoogleOptions) else GoogleOptions()
    options = options.on(context.dataset)
    label, counts = PartLabel.parse(page.label), _has_region if context.dataset in _REGIONS else None
    known = options.part in (OWN, *label.parts) and not (options.part and context.dataset.grain is Grain.HOUR)
    if not options.part:
        own = RowReading(options.columns, counts=counts)
    else:
        own = RowReading(None, 0 if known else None, counts=counts)
    reader = GoogleReader(context, label.about, own)
    if not label.parts and not counts:
        yield reader.batch(page.stream.read())
        return
    readers = {OWN: reader}
    if options.part in label.parts:
        chosen = partial(_counts, _chosen(options), counts)
        readers[options.part] = GoogleReader(
            context, label.about, RowReading(options.columns, has_traffic=False, counts=chosen)
        )
    yield from _sums(page.stream, label, readers)


def _sums(stream: BinaryIO, label: PartLabel, readers: dict[str, GoogleReader]) -> Iterator[RowBatch]:
    """The parts of a page, added up."""
    sums, names = RowSums(), dict[str, str]()
    for part, answer in added.read(stream) if label.parts else [(OWN, stream.read())]:
        if part == PLACES:
            names.update(added.names_in(answer))
        elif part in readers:
            bad = sums.add(readers[part].batch(answer))
            if bad and PLACES in label.parts:
                bad = [row._replace(entity_id="") for row in bad]  # its region's name is not known yet
            if bad:
                yield RowBatch([], bad)
    if names:
        sums = sums.renamed(partial(_named, names))
    yield from sums.batches()


def _has_region(segments: Segments) -> bool:
    """Google leaves the segment out where it knows no region: that stays the campaign's."""
    return bool(segments.geo_target_region)


def _counts(chosen: Callable[[Segments], bool], also: Callable[[Segments], bool] | None, segments: Segments) -> bool:
    return chosen(segments) and (also is None or also(segments))


def _chosen(options: GoogleOptions) -> Callable[[Segments], bool]:
    """Whether a row's conversion action is one of the options'; each row is, where they name none."""
    names = frozenset(options.actions)

    def chosen(segments: Segments) -> bool:
        action = segments.conversion_action.rpartition("/")[2]
        return bool(names & {action, segments.conversion_action_name, segments.conversion_action_category})

    return chosen if names else lambda _segments: True


def _named(names: dict[str, str], entity: str) -> str:
    """`111~21137` → `111~California`; a region without a name keeps its number."""
    campaign, _, region = entity.partition("~")
    return f"{campaign}~{names.get(region, region)}"
