"""How full the queues are, for the health report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import Unavailable
from adweir.pipeline.health import QueueDepth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from adweir.platforms import Platforms
    from adweir.runtime.settings import Settings


def queue_depths(sqs: SQSClient, settings: Settings, platforms: Platforms) -> dict[str, QueueDepth]:
    """Queue name → depth, of every queue and dead-letter queue in the settings. Raises Unavailable."""
    urls = dict.fromkeys(settings.queue_urls(platforms).values(), False)
    urls |= dict.fromkeys(settings.dead_letter_urls(platforms), True)
    return {url.rpartition("/")[2]: _depth(sqs, url, is_dead) for url, is_dead in urls.items()}


def _depth(sqs: SQSClient, url: str, dead_letters: bool) -> QueueDepth:  # noqa: FBT001  private
    try:
        found = sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(f"the queues do not answer: {type(error).__name__}") from error
    return QueueDepth(
        visible=int(found["ApproximateNumberOfMessages"]),
        in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
        dead_letters=dead_letters,
    )
