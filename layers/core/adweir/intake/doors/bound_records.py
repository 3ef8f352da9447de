"""Records that name a cross-platform campaign or an arm (`cmp_…`, `arm_…`) → the same, of the object that is bound.

No number is stored under these ids (docs/decisions.md, "Campaigns across platforms"): a record becomes one of the only
object that is bound. Of several, nobody can tell how the number is divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adweir.model.campaigns import Binding, Campaign
from adweir.model.entities import SHOWN_OWN, own_profile_id
from adweir.model.ids import IdKind

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_ARM, _CAMPAIGN, _PROFILE = "arm_id", "campaign_id", "profile_id"
_IDS = (_PROFILE, _CAMPAIGN, "ad_group_id", "ad_id")


def _named(record: Mapping[str, Any]) -> tuple[str, str]:
    """The field in which a record names a campaign or an arm of ours, and its id; empty texts for none."""
    arm, campaign = record.get(_ARM), record.get(_CAMPAIGN)
    if isinstance(arm, str) and IdKind.ARM.names(arm):
        return _ARM, arm
    if isinstance(campaign, str) and IdKind.CAMPAIGN.names(campaign):
        return _CAMPAIGN, campaign
    return "", ""


def of_bound_objects(
    catalog: Catalog, account_id: str, records: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], dict[int, tuple[str, str]]]:
    """The records by what they are of, and for those that cannot be told the field and why, by their place."""
    ids = {_named(record)[1] for record in records} - {""}
    known = catalog.named_campaigns(sorted(ids)) if ids else {}
    found, faults = list[Mapping[str, Any]](), dict[int, tuple[str, str]]()
    for number, record in enumerate(records):
        field, id_ = _named(record)
        if not id_:
            found.append(record)
            continue
        bindings = _bindings(known.get(id_), id_, account_id)
        if bindings is None:
            faults[number] = field, "is no cross-platform campaign or arm of the client"
        elif len(bindings) != 1:
            faults[number] = field, f"is bound to {len(bindings)} objects: name the one that is meant by its own ids"
        elif other := _contradicted(record, bindings[0], known[id_]):
            faults[number] = other, f"is not that of what {id_} is bound to, {bindings[0]}"
        found.append(record if number in faults or not bindings else _of(record, bindings[0], known[id_]))
    return found, faults


def _bindings(campaign: Campaign | None, id_: str, account_id: str) -> list[Binding] | None:
    """What an id is bound to; None of one that the client has not."""
    if campaign is None or campaign.account_id != account_id:
        return None
    if id_ != campaign.campaign_id and campaign.arm(id_) is None:
        return None
    return [each.binding for each in campaign.claims if id_ in {campaign.campaign_id, each.arm_id}]


def _contradicted(record: Mapping[str, Any], binding: Binding, campaign: Campaign) -> str:
    """The field of a record that names another object than the one that is bound, or another campaign of ours; "" for
    none. What lies in the bound object may be named beside it."""
    also = {_PROFILE: SHOWN_OWN} if binding.profile_id == own_profile_id(campaign.account_id) else {}
    for name, value in binding.model_dump(include={*_IDS}).items():
        said = str(record.get(name) or "")
        is_other = said not in {value, also.get(name, value)} if value else IdKind.CAMPAIGN.names(said)
        if said and is_other and said != campaign.campaign_id:
            return str(name)
    return ""


def _of(record: Mapping[str, Any], binding: Binding, campaign: Campaign) -> dict[str, Any]:
    """A record with the ids of an object in place of ours."""
    ours = (_CAMPAIGN, campaign.campaign_id)
    own = {name: value for name, value in record.items() if name != _ARM and (name, value) != ours}
    return own | {name: str(value) for name, value in binding.model_dump().items() if value}
