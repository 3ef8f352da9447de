"""Records of campaigns, ads and keywords: their names and statuses, where no platform lists them."""

from __future__ import annotations

from typing import Any

from adweir.model.data_types import DataType
from adweir.model.entities import Ad, AdCampaign, Keyword, PlatformObject, Status
from adweir.model.metrics import Level
from adweir.model.statuses import status_named
from adweir.platforms.files import cells
from adweir.platforms.files.file_rows import FileContext
from adweir.platforms.files.lines import LineFault, Record, identity

_DAYS = ("start_date", "end_date")
_IDS = ("campaign_id", "ad_group_id")


def object_of(record: Record, data_type: DataType, context: FileContext) -> PlatformObject:
    """The object of a record. Raises LineFault, also for one of an ad account that its platform lists."""
    cell = record.cell
    for name in data_type.required:
        if not cell.get(name):
            raise LineFault(name, "required", "is required")
    platform = context.platform(cell["platform"]) if cell.get("platform") else context.source
    profile_id = identity(cell, "profile_id") or context.own
    if context.is_listed(platform) and cell.get("profile_id") != context.own:
        raise LineFault("platform", "listed", f"is {platform}: what its ad accounts have comes from the platform")
    status = cells.text(cell, "status")
    common: dict[str, Any] = {name: cells.day(cell[name], name) for name in _DAYS if cell.get(name)}
    common |= {name: identity(cell, name) for name in _IDS}
    common |= {
        "platform": platform,
        "profile_id": profile_id,
        "status": status_named(status) or Status.UNKNOWN,
        "status_raw": status,
    }
    if data_type.level is Level.CAMPAIGN:
        return AdCampaign(id=common["campaign_id"], name=cells.text(cell, "campaign_name"), **common)
    if data_type.level is Level.AD:
        return Ad(id=identity(cell, "ad_id"), name=cells.text(cell, "ad_name"), **common)
    return Keyword(id=identity(cell, "keyword_id"), text=cells.text(cell, "keyword_text"), **common)
