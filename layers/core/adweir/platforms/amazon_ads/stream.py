"""Amazon Marketing Stream: whose topics are Amazon's, and what its records say (`stream_records`).

Amazon publishes each dataset from an AWS account of its own in each region (Amazon Marketing Stream, "Data guide", the
IAM policies of each dataset). template.yaml has the same accounts in the policy of the queue; a test compares the two.
The accounts of `ads-campaign-management-*` are not documented: the parameter `StreamAccounts` adds them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from adweir.model.errors import BadInput
from adweir.model.metrics import Slot
from adweir.platforms.amazon_ads import stream_records
from adweir.platforms.base import ProfileOptions
from adweir.platforms.streams import ChangedLists, HourDelta

REGIONS: Mapping[str, str] = {"us-east-1": "na", "eu-west-1": "eu", "us-west-2": "fe"}
"""By the AWS region of a topic and its queue, the region of Amazon Ads."""
ACCOUNTS: Mapping[str, tuple[str, str, str]] = {
    "sp-traffic": ("906013806264", "668473351658", "074266271188"),
    "sp-conversion": ("802324068763", "562877083794", "622939981599"),
    "sb-traffic": ("709476672186", "623198756881", "485899199471"),
    "sb-conversion": ("154357381721", "195770945541", "112347756703"),
    "sb-clickstream": ("091028706140", "219513501272", "632322331982"),
    "sb-rich-media": ("010312603579", "662188760626", "618223300352"),
    "sd-traffic": ("370941301809", "947153514089", "310605068565"),
    "sd-conversion": ("877712924581", "664093967423", "818973306977"),
    "budget-usage": ("055588217351", "675750596317", "100899330244"),
    "campaigns": ("570159413969", "834862128520", "527383333093"),
    "adgroups": ("118846437111", "130948361130", "668585072850"),
    "ads": ("305370293182", "648558082147", "802070757281"),
    "targets": ("644124924521", "503759481754", "248074939493"),
    "sp-budget-recommendations": ("678715897637", "158915609581", "007292432803"),
    "sponsored-ads-campaign-diagnostics-recommendations": ("084590724871", "059061853903", "489995134625"),
}
"""By dataset the account that publishes it: in us-east-1 (NA), eu-west-1 (EU) and us-west-2 (FE)."""
_TOPIC = re.compile(r"arn:aws:sns:([a-z0-9-]+):([0-9]{12}):[A-Za-z0-9_.-]{1,256}")


def accounts(region: str) -> frozenset[str]:
    """The AWS accounts that publish in an AWS region."""
    place = list(REGIONS).index(region)
    return frozenset(each[place] for each in ACCOUNTS.values())


class AmazonStream:
    """Implements `platforms.streams.StreamHooks`."""

    products: Mapping[str, str] = {dataset: kind.product for dataset, kind in stream_records.KINDS.items()}

    def read(self, line: bytes) -> HourDelta | ChangedLists | None:
        return stream_records.read(line)

    def numbers(self, dataset: str, amounts: tuple[int, ...], options: ProfileOptions, profile_kind: str) -> Slot:
        return stream_records.numbers(dataset, amounts, options, profile_kind)

    def route(self, topic_arn: str, further: Collection[str]) -> str:
        """na, eu or fe."""
        found = _TOPIC.fullmatch(topic_arn)
        if found is None:
            raise BadInput(f"no topic of Amazon SNS: {topic_arn[:80]!r}")
        region, account = found.groups()
        if region not in REGIONS:
            raise BadInput(f"Amazon Ads has no topics in {region[:40]}")
        if account not in accounts(region) and account not in further:
            raise BadInput(f"account {account} is none from which Amazon Ads publishes in {region}")
        return REGIONS[region]


HOOKS = AmazonStream()
