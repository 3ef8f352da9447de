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


def queues_of(settings: Settings, platforms: Platforms) -> dict[str, bool]:
    """The URL of every queue and dead-letter queue in the settings, and whether it is one for dead letters."""
    urls = dict.fromkeys(settings.queue_urls(platforms).values(), False)
    return urls | dict.fromkeys(settings.dead_letter_urls(platforms), True)


def queue_depth(sqs: SQSClient, url: str, *, dead_letters: bool) -> QueueDepth:
    """A queue's numbers of messages. Raises Unavailable, with AWS's word for it."""
    try:
        found = sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
    except ClientError as error:
        raise Unavailable(f"the queue answers {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise Unavailable(f"the queue does not answer: {type(error).__name__}") from error
    return QueueDepth(
        visible=int(found["ApproximateNumberOfMessages"]),
        in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
        dead_letters=dead_letters,
    )
