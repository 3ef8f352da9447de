"""Marketing Stream as an advertiser's program uses it: it subscribes, and confirms what its queue receives."""

from __future__ import annotations

from typing import Any

import requests

from sandbox.platforms.amazon_ads.stream import send_burst, stream_truth
from sandbox.server import PlatformServer
from support.amazon_caller import AmazonCaller
from support.queue_list import QueueList

QUEUE = "arn:aws:sqs:us-east-1:111122223333:ads"
PATH = "/streams/subscriptions"


class StreamCaller:
    """Halden's program, with queues that are lists."""

    def __init__(self, server: PlatformServer) -> None:
        self.server = server
        self.outside = server.outside
        self.caller = AmazonCaller(server, "halden")
        self.queues = QueueList()
        self.outside.queues = self.queues

    def asked(self, dataset: str = "sp-traffic", number: int = 0, queue: str = QUEUE, **more: Any) -> requests.Response:
        """POST of a subscription; equal numbers make equal tokens."""
        token = f"{dataset}-{number}".ljust(24, "-")[:36]
        return self.caller.ask(
            "POST", PATH, {"clientRequestToken": token, "dataSetId": dataset, "destinationArn": queue} | more
        )

    def made(self, dataset: str = "sp-traffic", number: int = 0, queue: str = QUEUE) -> str:
        """A subscription that is pending, its confirmation in the queue."""
        answer = self.asked(dataset, number, queue)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["subscriptionId"])

    def confirmed(self, message: dict[str, Any]) -> requests.Response:
        """What the link of a confirmation answers, at the server instead of its host."""
        link = message["SubscribeURL"]
        assert link.startswith("https://sns.us-east-1.amazonaws.com/?")
        return requests.get(link.replace("https://sns.us-east-1.amazonaws.com/", f"{self.server.url}/sns"), timeout=5)

    def active(self, *datasets: str) -> list[str]:
        """Subscriptions that deliver from now on."""
        made = [self.made(dataset) for dataset in datasets]
        for message in self.queues.taken():
            assert self.confirmed(message).status_code == 200
        return made

    def status(self, subscription_id: str) -> str:
        """As Amazon shows it, once it is provisioned."""
        shown = self.caller.got(f"{PATH}/{subscription_id}").json()["subscription"]["status"]
        return "PENDING_CONFIRMATION" if shown == "PROVISIONING" else str(shown)

    def burst(self, **wish: Any) -> list[dict[str, Any]]:
        """The records of the last two days' changes, as the queue has them."""
        send_burst(self.outside, {"days": 2} | wish)
        return self.queues.taken()

    def truth(self, **query: str) -> dict[str, Any]:
        """What the records sum to."""
        return stream_truth(self.outside, query)
