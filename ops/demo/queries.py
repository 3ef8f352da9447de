"""Three queries to paste: an analyst's first questions, with this sandbox's URL and key."""

from __future__ import annotations

import json
import shlex
from typing import Any


def queries(description: dict[str, Any], start: str, end: str) -> list[str]:
    """Lines for a shell: where and who, then spend and ROAS by platform as CSV, the top of a campaign table, health."""
    report = {
        "name": "spend",
        "time_range": {"start_date": start, "end_date": end},
        "metrics": [{"name": name} for name in ("spend", "conversions", "roas")],
        "dimensions": [{"name": "platform"}],
        "format": "csv",
    }
    retrieve = {"data_type": "campaign_performance", "filters": {"date_range": {"start": end, "end": end}}, "limit": 3}
    ask = 'curl -s -H "Authorization: Bearer $KEY" "$API/api/v1'
    return [
        f"API={description['api_url']}",
        f"KEY={description['api_key']}",
        f'{ask}/reports" -d {shlex.quote(json.dumps(report))}',
        f'{ask}/data_pipeline/retrieve" -d {shlex.quote(json.dumps(retrieve))}',
        f'{ask}/pipeline/health"',
    ]
