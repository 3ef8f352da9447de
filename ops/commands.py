"""What the operator's commands do, once the target is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adweir.model.ids import IdKind
from adweir.model.messages import StartRun, Sweep
from adweir.pipeline.engine import run_id_of
from adweir.pipeline.workflows import workflow
from ops.target import Target

ADMIN_SCOPES = ("read", "write", "admin")


def fire(target: Target, name: str, at: datetime) -> str:
    """Send what the schedule of a workflow sends at `at`; returns the run's id ("" for the sweep).

    The id comes from workflow and time, so that firing the same schedule twice is one run.
    """
    queue = target.app().queues.runs
    if name == "sweep":
        queue.send(Sweep())
        return ""
    start = StartRun(workflow=workflow(name).name, scheduled_at=at)
    queue.send(start)
    return run_id_of(start)


def create_key(target: Target, name: str, scopes: Sequence[str]) -> str:
    """Create an API key; returns it in the clear, the only time that anyone sees it."""
    plain: str
    app = target.app()
    _key, plain = app.catalog.create_key(IdKind.KEY.make(app.new_id), name, tuple(scopes))
    return plain


def drop(target: Target, name: str, content: bytes) -> str:
    """Put a file under drops/; returns its object version."""
    answer = target.app().s3.put_object(Bucket=target.outputs["Bucket"], Key=f"drops/{name}", Body=content)
    return str(answer.get("VersionId", ""))
