"""How a platform sends numbers through Amazon SNS: the hooks that its folder offers as `stream.HOOKS`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class StreamHooks(Protocol):
    """What the stream's door needs to know about the platform that sends."""

    def route(self, topic_arn: str, further: Collection[str]) -> str:
        """The route (region) of the platform whose topic this is; `further` are accounts that a deployment trusts too.

        Raises BadInput that says why for the topic of anybody else.
        """
        ...
