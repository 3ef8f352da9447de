"""The SNS topic that people subscribe to, behind `model.ports.Messenger`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import Unavailable
from adweir.model.log import log
from adweir.quality.breach_messages import MessageFormat, written

if TYPE_CHECKING:
    from adweir.model.breaches import Breach


class AlarmTopic:
    """Sends messages about breaches in the deployment's format. Without a topic they are in the log alone.

    `client` makes the client on first use: most looks have nothing to tell.
    """

    def __init__(self, client: Callable[[], Any], arn: str, form: MessageFormat) -> None:
        self._client = client
        self._arn = arn
        self._form = form

    def send(self, breach: Breach) -> None:
        message = written(breach, self._form)
        log.info("breach %s: %s", breach.cause, message.subject)
        if not self._arn:
            return
        try:
            self._client().publish(TopicArn=self._arn, Subject=message.subject, Message=message.body)
        except ClientError as error:
            raise Unavailable(f"SNS refused a message: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise Unavailable(f"SNS does not answer: {type(error).__name__}") from error
