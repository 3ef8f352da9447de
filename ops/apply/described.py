"""A deployment as a file: what `describe` writes, and `apply` reads without changing anything."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from adweir.intake.doors.webhook_secrets import webhook_secrets
from adweir.model.entities import Account, Credential
from adweir.model.errors import NotFound
from adweir.model.jobs import JobState, ScheduledJob
from adweir.model.platforms import Platform
from adweir.runtime.app import App
from adweir.store.catalog.mappings import EVERYONE
from ops.apply.accounts import OWN
from ops.apply.documents import JOB_FIELDS, document_of, short_form
from ops.apply.plan import VERSION
from ops.errors import CommandFailed

_USUAL = {"timezone": "UTC", "lookback_days": 0, "args": {}, "accounts": [], "profiles": [], "platforms": []}
"""Of a job: what it has where the file says nothing."""


class Description:
    """Reads a deployment. Without `ids`, client companies go by their names, as another deployment may read it."""

    def __init__(self, app: App, *, ids: bool = True) -> None:
        self._app = app
        self._ids = ids
        self._accounts = sorted(app.catalog.accounts(), key=lambda one: (one.company_name.casefold(), one.account_id))
        self._names = {account.account_id: account.company_name for account in self._accounts}
        self._prefixes = _prefixes(self._accounts)
        called = Counter(name.casefold() for name in self._names.values())
        twice = sorted(name for name in self._names.values() if called[name.casefold()] > 1)
        if twice and not ids:
            raise CommandFailed(f"several client companies are called {twice[0]}: only their ids tell them apart")

    def document(self) -> dict[str, Any]:
        """The whole file. A section in which there is nothing is there, too: with --prune it means that."""
        app = self._app
        doors: dict[str, list[Platform]] = {}
        for platform, account_id in app.catalog.doors():
            if platform in app.platforms:
                doors.setdefault(account_id, []).append(Platform(platform))
        credentials: dict[str, list[Credential]] = {}
        for credential in app.catalog.credentials():
            credentials.setdefault(credential.account_id, []).append(credential)
        return {
            "version": VERSION,
            "accounts": [
                self._account(account, credentials.get(account.account_id, []), doors.get(account.account_id, []))
                for account in self._accounts
            ],
            "webhooks": self._webhooks("", doors.get("", [])),
            "mappings": [each.body for each in app.catalog.list_mappings(EVERYONE)],
            "workflows": [
                {"name": each.name, **short_form(json.loads(each.body))} for each in app.catalog.stored_workflows()
            ],
            "jobs": [self._job(job) for job in app.catalog.jobs()],
        }

    def _account(self, account: Account, credentials: list[Credential], doors: list[Platform]) -> dict[str, Any]:
        own = account.model_dump(mode="json", include=set(OWN))
        found: dict[str, Any] = {"account_id": account.account_id} if self._ids else {}
        found |= {name: own[name] for name in OWN if own[name]}
        listed = [one for each in credentials if (one := self._credential(each)) is not None]
        mappings = [each.body for each in self._app.catalog.list_mappings(account.account_id)]
        parts = {
            "credentials": listed,
            "webhooks": self._webhooks(account.account_id, doors),
            "mappings": mappings,
        }
        return found | {name: part for name, part in parts.items() if part}

    def _credential(self, credential: Credential) -> dict[str, Any] | None:
        """Without its secret values, and its name alone where these are gone: then `apply` leaves it as it is. None
        where its platform is not connected any more."""
        platforms, secrets = self._app.platforms, self._app.secrets
        if credential.platform not in platforms:
            return None
        model = platforms.spec(credential.platform).credential
        try:
            values = secrets.get(credential.secret_id)
        except NotFound:
            values = {}
        label = {} if credential.label == "default" else {"label": credential.label}
        parts = [self._prefixes[credential.account_id], credential.platform, *label.values()]
        shown = {
            name: {"env": _variable(*parts, name)} if model.secrets_in({name: value or "x"}) else value
            for name, value in values.items()
        }
        return {"platform": str(credential.platform), **label, **shown}

    def _webhooks(self, account_id: str, doors: list[Platform]) -> dict[str, Any]:
        found = {}
        for platform in doors:
            names = webhook_secrets(self._app.secrets, platform, account_id)
            parts = [self._prefixes.get(account_id, ""), "WEBHOOK", platform]
            if names:
                found[str(platform)] = {name: {"env": _variable(*parts, name)} for name in sorted(names)}
        return found

    def _job(self, job: ScheduledJob) -> dict[str, Any]:
        document = document_of(job)
        if not self._ids:
            document["accounts"] = [self._names.get(one, one) for one in job.accounts]
            if "account_id" in job.args:
                meant = str(job.args["account_id"])
                document["args"] = {**document["args"], "account_id": self._names.get(meant, meant)}
        said = {name: document[name] for name in JOB_FIELDS if document[name] != _USUAL.get(name, "")}
        paused = {"state": JobState.PAUSED.value} if job.state is JobState.PAUSED else {}
        return {"name": job.name, **said, **paused}


def environment_of(document: Mapping[str, Any]) -> list[str]:
    """The variables that a document names, in its order."""
    return list(dict.fromkeys(_variables(document)))


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and list(value) == ["env"]:
        yield value["env"]
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _variables(each)


def _variable(*parts: str) -> str:
    """The name of a variable: `EXAMPLE_OUTFITTERS_META_ADS_ACCESS_TOKEN`."""
    return "_".join(word for part in parts if (word := _word(part)))[:200]


def _word(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = "".join(each if each.isalnum() else "_" for each in plain.upper()).strip("_")
    return f"_{word}" if word[:1].isdigit() else word


def _prefixes(accounts: list[Account]) -> dict[str, str]:
    """How the variables of each client company begin: with its name; with a hash of it where the name has no letters
    that a variable may have, and with its id where another has the same."""
    words = {account.account_id: _word(account.company_name)[:60] for account in accounts}
    for account in accounts:
        digest = hashlib.sha256(account.company_name.encode()).hexdigest()[:8]
        words[account.account_id] = words[account.account_id] or f"CLIENT_{digest.upper()}"
    used = Counter(words.values())
    return {account_id: word if used[word] == 1 else _word(account_id) for account_id, word in words.items()}
