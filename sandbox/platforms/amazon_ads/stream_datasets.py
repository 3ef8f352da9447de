"""Marketing Stream's datasets, the AWS regions of its queues and the accounts whose topics send.

Source: docs/en-us/guides/amazon-marketing-stream/data-guide, and each dataset's page.
"""

from __future__ import annotations

from typing import Final

AWS_REGIONS: Final = {"NA": "us-east-1", "EU": "eu-west-1", "FE": "us-west-2"}
"""Where a destination has to be, by the advertiser's region."""
REVIEWER: Final = "arn:aws:iam::926844853897:role/ReviewerRole"
"""Who looks at a queue's attributes before anything is sent there."""
_ACCOUNTS: Final = {
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
DATASETS: Final = tuple(_ACCOUNTS)


def topic_arn(dataset: str, region: str) -> str:
    """The topic that sends a dataset's records to an advertiser's region."""
    account = dict(zip(AWS_REGIONS, _ACCOUNTS[dataset], strict=True))[region]
    return f"arn:aws:sns:{AWS_REGIONS[region]}:{account}:{dataset}"
