"""Bodies that can be sent as they stand, by operation; only the description imports this file.

`{today-7}` stands for the date of 7 days ago and `{a-platform}` for a platform that is connected.
"""

from __future__ import annotations

from typing import Any

from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY
from adweir.platforms.credentials import CredentialFields

_WEEK = {"start_date": "{today-7}", "end_date": "{today-1}"}
_A_PLATFORM = {"name": "platform", "values": ["{a-platform}"]}


def _credentials() -> dict[str, tuple[str, Any]]:
    """Placeholders for what each platform needs. They are stored; the platform then refuses them."""
    return {
        str(spec.name): (spec.title, {"platform": str(spec.name)} | _placeholders(spec.credential))
        for spec in REGISTRY.specs()
        if not spec.described  # what such a credential needs, its spec says
    }


def _placeholders(fields: type[CredentialFields]) -> dict[str, str]:
    """The fields that have to be there, and where a platform leaves a choice those that it names when they are not."""
    needed = [name for name, field in fields.model_fields.items() if field.is_required()]
    try:
        fields.read({name: _placeholder(name) for name in needed})
    except Unprocessable as error:
        needed += [fault["field"] for fault in error.details]
    return {name: _placeholder(name) for name in needed}


def _placeholder(name: str) -> str:
    return f"replace-with-your-{name.replace('_', '-')}"


# An example with a signing secret would set a publicly known one for anyone who sends it as it stands.
_WEBHOOK_SECRETS = {
    "handshake": ("The token of a subscription's handshake", {"verify_token": "choose-a-long-random-text"})
}

_BUDGET = {"month": ("What is spent now, for a month", {"days": 30})}

_MAPPING = {
    "data_type": "campaign_performance",
    "columns": [
        {"field": "campaign_name", "names": ["Kampagne", "Campaign"], "required": True},
        {"field": "date", "names": ["Tag", "Day"]},
        {"field": "spend", "names": ["Kosten ({currency})", "Cost ({currency})"], "required": True},
        {"field": "clicks", "names": ["Klicks", "Clicks"]},
    ],
    "constants": {"platform": "{a-platform}"},
    "skip": [{"begins": ["Gesamt", "Total"]}],
}

_RECORDS = {
    "data_type": "campaign_performance",
    "data": {"records": [{"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5, "conversions": 5}]},
}

_WORKFLOW = {
    "about": "Campaigns of one platform and lists of all, then the account's own totals",
    "stages": [
        {
            "name": "days",
            "kind": "pull",
            "datasets": ["campaign_daily"],
            "platforms": ["{a-platform}"],
            "threshold": 0.5,
            "timeout_minutes": 240,
            "on_failure": "skip",
        },
        {"name": "lists", "kind": "pull", "datasets": ["campaigns", "ads"], "on_failure": "go_on"},
        {"name": "totals", "kind": "pull", "datasets": ["account_daily"], "after": ["days", "lists"]},
    ],
}

EXAMPLES: dict[str, dict[str, tuple[str, Any]]] = {
    "create_workflow": {"branches": ("Two branches that are joined", {"name": "nightly", **_WORKFLOW})},
    "put_workflow": {"branches": ("Two branches that are joined", _WORKFLOW)},
    "create_account": {
        "company": (
            "A client company",
            {"company_name": "Example Outfitters", "primary_contact_email": "ads@example.com"},
        )
    },
    "update_account": {
        "name": ("Another name", {"company_name": "Example Outdoor"}),
        "naming": ("How its campaigns are named", {"naming": {"campaign": "{market}_{channel}_{objective}"}}),
        "channels": (
            "Channels of its media mix",
            {"media_mix": {"channels": [{"channel": "search_brand", "platform": "{a-platform}", "name": ["*brand*"]}]}},
        ),
    },
    "create_credential": _credentials(),
    "put_mapping": {"agency": ("An agency's own report", _MAPPING)},
    "put_spec": {
        "days": (
            "An ad account's days",
            {
                "base_url": "https://api.example.com/v1",
                "auth": {"type": "bearer"},
                "accounts": {"named": [{"id": "1", "currency": "EUR", "timezone": "Europe/Berlin"}]},
                "datasets": {
                    "account_daily": {
                        "request": {"path": "/stats", "query": {"from": "{start}", "to": "{end}"}},
                        "records": "rows[]",
                        "fields": {"date": "day", "impressions": "views", "spend": {"path": "cost", "unit": "minor"}},
                    }
                },
            },
        )
    },
    "update_profile": {"reset": ("Nothing on request any more", {"options": {"datasets": None}})},
    "put_account_webhook_secrets": _WEBHOOK_SECRETS,
    "put_webhook_secrets": _WEBHOOK_SECRETS,
    "say_expected": {"sale": ("It was a sale", {"expected": True, "note": "the autumn sale"})},
    "check_numbers": {
        "today": (
            "Today's numbers so far",
            {"platform": "{a-platform}", "profile_id": "1042017731", "metrics": {"spend": 1250.5, "clicks": 830}},
        ),
        "lookback": (
            "Yesterday's beside two months",
            {
                "platform": "{a-platform}",
                "profile_id": "1042017731",
                "date": "{today-1}",
                "lookback_days": 60,
                "metrics": {"spend": 1250.5},
            },
        ),
    },
    "reallocate_account": _BUDGET,
    "reallocate_campaign": _BUDGET,
    "backfill": {"week": ("Last week", {"start": "{today-7}", "end": "{today-1}"})},
    "run_workflow": {
        "everything": ("Everything", {}),
        "platform": ("One platform", {"scope": {"platforms": ["{a-platform}"]}}),
    },
    "create_job": {
        "nightly": (
            "Every night",
            {
                "name": "nightly",
                "workflow": "daily",
                "schedule": {"type": "daily", "at": "05:30"},
                "timezone": "Europe/Berlin",
                "lookback_days": 7,
            },
        ),
        "workdays": (
            "On workdays, one platform",
            {
                "name": "workdays",
                "workflow": "hourly",
                "schedule": {"type": "cron", "cron": "15 8-18 ? * MON-FRI *"},
                "timezone": "America/New_York",
                "platforms": ["{a-platform}"],
            },
        ),
    },
    "change_job": {"every": ("Another rhythm", {"schedule": {"type": "interval", "every": "6 hours"}})},
    "replay_days": {
        "week": (
            "Last week of an ad account",
            {"platform": "{a-platform}", "profile_id": "1234567890", "start": "{today-7}", "end": "{today-1}"},
        )
    },
    "replay_objects": {
        "delivery": ("A stored delivery", {"key": "webhooks/meta_ads/deployment/nobody"}),
        "day": ("All files that a client dropped", {"prefix": "drops/nobody/", "reason": "the mapping was corrected"}),
    },
    **{
        name: {"year": ("Of the last year", {"lookback_days": 365})}
        for name in ("build_datasets", "build_account_datasets", "build_account_mix", "build_campaign_datasets")
    },
    "send_dead_letters": {"all": ("All, after a repair", {"reason": "the fault was mended"})},
    "drop_dead_letters": {"some": ("Some that nobody needs", {"ids": ["7f3c1f5e-2b0a-4c8e-9a55-000000000001"]})},
    "redrive_run": {"all": ("Everything that failed", {})},
    "retrieve": {
        "campaigns": ("Campaigns by day, the last 30 days", {"data_type": "campaign_performance", "limit": 100}),
        "ads": (
            "Ads of one platform in a week",
            {
                "data_type": "ads",
                "filters": {"platform": "{a-platform}", "date_range": {"start": "{today-7}", "end": "{today-1}"}},
            },
        ),
        "today": (
            "Campaigns of today so far, from its hours",
            {
                "data_type": "campaign_performance",
                "filters": {"date_range": {"start": "{today-0}", "end": "{today-0}"}},
                "include_live": True,
            },
        ),
        "orders": (
            "Orders of a shop that belong to no ad platform, by what they are attributed to",
            {"data_type": "orders", "filters": {"date_range": {"start": "{today-7}", "end": "{today-1}"}}},
        ),
        "rates": ("Exchange rates as files have them", {"data_type": "rates", "filters": {"base": "EUR"}}),
        "countries": (
            "Ads by country",
            {
                "data_type": "ad_performance_by_country",
                "filters": {"date_range": {"start": "{today-7}", "end": "{today-1}"}},
            },
        ),
    },
    "ingest_records": {"campaigns": ("Campaigns of today", _RECORDS | {"source": "{a-platform}"})},
    "process_records": {"ratios": ("Ratios", _RECORDS | {"processing_options": {"calculate_metrics": True}})},
    "store_records": {"upsert": ("Campaigns of today", _RECORDS | {"storage_options": {"upsert": True}})},
    "validate": {
        "both": (
            "Lists of fields and a schema",
            {
                "data_type": "ad_performance",
                "data": {"records": [{"ad_id": "1", "clicks": 2}, {"clicks": -1}]},
                "validation_rules": {"required_fields": ["ad_id"]},
                "schema": {"clicks": {"type": "integer", "min": 0}},
            },
        )
    },
    "create_report": {
        "json": (
            "Spend and ROAS by day and platform",
            {
                "name": "Last week",
                "time_range": _WEEK,
                "metrics": [{"name": "impressions"}, {"name": "spend"}, {"name": "roas"}],
                "dimensions": [{"name": "date"}, {"name": "platform"}],
            },
        ),
        "csv": (
            "Campaigns of one platform as CSV",
            {
                "name": "Campaigns",
                "time_range": _WEEK,
                "metrics": [{"name": "clicks"}, {"name": "spend"}, {"name": "cpc"}],
                "dimensions": [{"name": "campaign"}],
                "segments": [_A_PLATFORM],
                "format": "csv",
            },
        ),
        "people": (
            "Spend by age and gender",
            {
                "name": "People",
                "time_range": _WEEK,
                "metrics": [{"name": "spend"}, {"name": "conversions"}],
                "dimensions": [{"name": "age"}, {"name": "gender"}],
            },
        ),
    },
    "rotate_key": {"leaked": ("A value that leaked", {"overlap_hours": 0})},
    "create_campaign": {"new": ("A campaign that holds nothing yet", {"name": "Summer", "budget": 12000.5})},
    "change_campaign": {"budget": ("Another budget, and its days", {"budget": 15000, "start_date": "{today-7}"})},
    "create_arm": {"pushed": ("An arm that takes pushed metrics", {"platform": "radio", "channel": "audio"})},
    "change_arm": {"bid": ("Another bid", {"bid": 0.35})},
    "create_key": {"read": ("A key that reads", {"name": "dashboard", "scopes": ["read"]})},
}
