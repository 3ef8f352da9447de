"""What the operator's commands do, once the target is known."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adweir.intake.load.drop_keys import OWN_INVOICES, PREFIX, DropKey
from adweir.intake.load.pulls import PREFIX as RAW_PREFIX
from adweir.model.entities import ApiKey
from adweir.model.errors import BadInput, NotFound
from adweir.model.ids import IdKind
from adweir.model.messages import StartRun, Sweep
from adweir.model.tasks import Cause
from adweir.model.times import Window, iso
from adweir.pipeline.engine import run_id_of
from adweir.pipeline.recorded import key_changes
from adweir.pipeline.replays import ReplayedDataset
from adweir.pipeline.workflows import workflow
from adweir.store.ledger.replays import ReplayRecord
from adweir.store.raw.pages import StoredPage
from ops import deeds
from ops.errors import CommandFailed
from ops.target import Deployment

_POLL_SECONDS = 0.5
_KIND = re.compile("[^/]+/[^/]+")
_TEXTS = ("quarantine/", "receipts/", "stream/")
"""Where objects are text, perhaps packed; those of platforms have pages."""


def fire(target: Deployment, name: str, at: datetime) -> str:
    """Send what the schedule of a workflow sends at `at`; returns the run's id ("" for the sweep).

    The id comes from workflow and time, so firing the same schedule twice starts one run. Raises Unprocessable.
    """
    app = target.app()
    queue = app.queues.runs
    if name == "sweep":
        queue.send(Sweep())
        deeds.note(app, "start sweep", "", "sent", kind="run")
        return ""
    start = StartRun(workflow=workflow(name).name, scheduled_at=at)
    queue.send(start)
    run_id = run_id_of(start)
    deeds.note(app, "start run", run_id, f"workflow {name}, scheduled at {iso(at)}", kind="run")
    return run_id


def create_key(
    target: Deployment, name: str, scopes: Sequence[str], accounts: Sequence[str] = (), days: int = 0
) -> tuple[ApiKey, str]:
    """Create an API key; returns it and its value, which cannot be read again.

    `accounts` limits it to these client accounts; after `days` it stops working (0: never). Raises NotFound.
    """
    app = target.app()
    for account_id in accounts:
        app.catalog.account(account_id)
    end = iso(app.clock.now() + timedelta(days=days)) if days else ""
    key, plain = app.catalog.create_key(IdKind.KEY.make(app.new_id), name, tuple(scopes), accounts, end)
    whose = accounts[0] if len(accounts) == 1 else ""
    more = {"kind": "key", "account_id": whose, "changes": key_changes(None, key)}
    deeds.note(app, "create key", key.key_id, f"named {name}", **more)
    return key, plain


def raw_pages(target: Deployment, key: str) -> Iterator[StoredPage]:
    """The pages of a raw object, each readable until the next is asked for. Raises CommandFailed, BadInput."""
    if not key.startswith(RAW_PREFIX):
        raise CommandFailed(f"{key} is not a raw object: its key begins with {RAW_PREFIX}, or {', '.join(_TEXTS)}")
    try:
        with target.app().raw.open(key) as found:
            yield from found.pages()
    except NotFound:
        raise CommandFailed(f"the bucket has no object {key}") from None


def is_text(key: str) -> bool:
    """Whether an object is read by `stored_text`."""
    return key.startswith(_TEXTS)


def stored_text(target: Deployment, key: str) -> Iterator[bytes]:
    """An object of text in pieces, unpacked. Raises CommandFailed."""
    try:
        with target.app().raw.open_stream(key) as packed:
            found = gzip.GzipFile(fileobj=packed) if key.endswith(".gz") else packed
            while piece := found.read(1 << 20):
                yield piece
    except NotFound:
        raise CommandFailed(f"the bucket has no object {key}") from None


def replay_days(
    target: Deployment, platform: str, profile_id: str, window: Window, datasets: Sequence[str]
) -> tuple[str, list[ReplayedDataset]]:
    """Ask for a replay; returns its id and what it will load. Raises CommandFailed, Unprocessable."""
    app = target.app()
    profile = app.catalog.profile(app.platforms.parse(platform), profile_id)
    if profile is None:
        raise CommandFailed(f"there is no ad account {profile_id} of {platform}: adweir quality lists all")
    replay_id = IdKind.REPLAY.make(app.new_id)
    _, will = app.replayer.request(replay_id, profile, window, datasets, Cause.REPLAY)
    about = {"kind": "replay", "account_id": profile.account_id}
    deeds.note(app, "create replay", profile.key, f"replay_id {replay_id}, {window}", **about)
    return replay_id, will


def replay_of(
    target: Deployment, replay_id: str, seconds: float, show: Callable[[ReplayRecord], None]
) -> ReplayRecord | None:
    """Wait for a replay to end, and show how far it is; None when it has not ended after `seconds`."""
    replays = target.app().ledger.replays
    deadline = time.monotonic() + seconds
    while (record := replays.get(replay_id)) is not None and not record.ended:
        if time.monotonic() >= deadline:
            return None
        show(record)
        time.sleep(_POLL_SECONDS)
    return record


def drop_key(target: Deployment, file_name: str, account_id: str, kind: str) -> str:
    """The object key for a dropped file of a client account and of a kind, `<source>/<data_type>`; "" for adweir's own
    columns. Raises CommandFailed for what the loader would reject."""
    if kind and not _KIND.fullmatch(kind):
        raise CommandFailed(f"--as takes a source and a data type, such as shopify/orders: {kind!r} is not both")
    key = "/".join([PREFIX + account_id, kind, file_name] if kind else [PREFIX + account_id, file_name])
    try:
        parsed = DropKey.parse(key)
        files = target.app().file_readers
        if (parsed.source, parsed.data_type) != OWN_INVOICES and files.kept(*parsed[:3]) is None:
            files.reader(*parsed[:3])
        return str(parsed)
    except BadInput as error:
        raise CommandFailed(error.message) from None


def put_drop(target: Deployment, key: str, content: bytes | Path) -> str:
    """Store a file under its key in `drops/`; returns the name of its receipt."""
    app, bucket = target.app(), target.outputs["Bucket"]
    s3 = app.s3
    if isinstance(content, bytes):
        answer = s3.put_object(Bucket=bucket, Key=key, Body=content)
    else:
        with content.open("rb") as stream:
            answer = s3.put_object(Bucket=bucket, Key=key, Body=stream)
    version = answer["VersionId"]
    deeds.note(app, "drop file", key, f"version {version}", kind="file", account_id=DropKey.parse(key).account_id)
    return f"{key}.{version}"


def receipt_of(target: Deployment, name: str, seconds: float) -> dict[str, Any] | None:
    """Wait for a drop's receipt; None when there is none after `seconds`."""
    receipts = target.app().ledger.receipts
    deadline = time.monotonic() + seconds
    while (receipt := receipts.get(name)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return receipt
