"""Media-mix datasets: where they are, and making them anew."""

from __future__ import annotations

import json

from adweir.model.messages import BuildDataset
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Request, Route


def listing(request: Request) -> Answer:
    """The manifests of an account's datasets, one a currency, each file with a link that lives 15 minutes."""
    account_id = request.app.catalog.account(request.params["account_id"]).account_id
    raw = request.app.raw
    manifests = []
    for found in raw.list(f"mmm/{account_id}/"):
        if found.key.endswith("/mmm_manifest.json"):
            manifest = json.loads(raw.get_bytes(found.key))
            for entry in [*manifest["files"].values(), *(t.get("files", {}) for t in manifest["tables"].values())]:
                for file in (entry[kind] for kind in ("csv", "parquet") if kind in entry):
                    file["url"] = raw.presign(file["key"])
            manifests.append(manifest)
    return answer({"datasets": manifests})


def build(request: Request) -> Answer:
    """Queue the making of the datasets of one account, or of all."""
    named = request.params.get("account_id")
    accounts = (request.app.catalog.account(named).account_id,) if named else ()
    request.app.queues.etl.send(BuildDataset(accounts=accounts), group=named or "all")
    return answer({"accounts": list(accounts)}, 202)


_ONE = "/api/v1/accounts/{account_id}/mmm"
ROUTES = (
    Route("GET", _ONE, listing, "An account's media-mix datasets"),
    Route("POST", _ONE, build, "Make an account's media-mix datasets anew", "write", status=202),
    Route("POST", "/api/v1/etl", build, "Make the media-mix datasets of all accounts anew", "write", status=202),
)
