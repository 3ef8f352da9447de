"""The world for a browser: one page without scripts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

_COLUMNS = {
    "company_name": "Company",
    "platform": "Platform",
    "profile_id": "Ad account",
    "name": "Name",
    "currency": "Currency",
    "timezone": "Time zone",
    "campaigns": "Campaigns",
    "ads": "Ads",
    "today": "Today there",
}


def world_page(overview: dict[str, Any], links: Sequence[str]) -> bytes:
    """The overview's ad accounts and switches as tables, with links to the doors that a browser can read."""
    switches = [f"{s['kind']} {s['platform'] or 'everywhere'} {s['profile_id']}" for s in overview["switches"]]
    kinds = "".join(
        f"<tr><td><code>{html.escape(kind)}</code></td><td>{html.escape(text)}</td></tr>"
        for kind, text in overview["switch_kinds"].items()
    )
    head = "".join(f"<th>{title}</th>" for title in _COLUMNS.values())
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(profile[name]))}</td>" for name in _COLUMNS) + "</tr>"
        for profile in (*overview["profiles"], *overview["elsewhere"])
    )
    doors = "".join(f'<li><a href="/_world/{door}">/_world/{door}</a></li>' for door in links)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>adweir: the sandbox\'s world</title>'
        "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem .8rem;text-align:left}</style>"
        f"<h1>The sandbox's world</h1><p>Seed {overview['seed']}. It is {html.escape(overview['now'])} there; "
        f"the history begins on {overview['first_day']}.</p>"
        f"<h2>Ad accounts</h2><table><tr>{head}</tr>{rows}</table>"
        f"<h2>Switches that are on</h2><p>{html.escape(', '.join(switches)) or 'None: every platform behaves.'}</p>"
        f"<h2>Switches</h2><p>POST /_world/switches</p><table>{kinds}</table>"
        f"<h2>More</h2><ul>{doors}</ul>"
    ).encode()
