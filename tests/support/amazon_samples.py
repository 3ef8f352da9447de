"""Which of tests/samples/amazon_ads is an answer for which pull."""

from __future__ import annotations

from adweir.model.datasets import Dataset

OBJECTS = {
    (Dataset.CAMPAIGNS, "sp"): ["sp_campaigns"],
    (Dataset.AD_GROUPS, "sp"): ["sp_ad_groups"],
    (Dataset.ADS, "sp"): ["sp_product_ads"],
    (Dataset.KEYWORDS, "sp"): ["sp_keywords"],
    (Dataset.TARGETS, "sp"): ["sp_targets"],
    (Dataset.NEGATIVES, "sp"): [
        "sp_negative_keywords",
        "sp_campaign_negative_keywords",
        "sp_negative_targets",
        "sp_campaign_negative_targets",
    ],
    (Dataset.CAMPAIGNS, "sb"): ["sb_campaigns"],
    (Dataset.AD_GROUPS, "sb"): ["sb_ad_groups"],
    (Dataset.ADS, "sb"): ["sb_ads"],
    (Dataset.CREATIVES, "sb"): ["sb_ads"],
    (Dataset.KEYWORDS, "sb"): ["sb_keywords"],
    (Dataset.TARGETS, "sb"): ["sb_targets", "sb_themes"],
    (Dataset.NEGATIVES, "sb"): ["sb_negative_keywords", "sb_negative_targets"],
    (Dataset.CAMPAIGNS, "sd"): ["sd_campaigns"],
    (Dataset.AD_GROUPS, "sd"): ["sd_ad_groups"],
    (Dataset.ADS, "sd"): ["sd_product_ads"],
    (Dataset.CREATIVES, "sd"): ["sd_creatives"],
    (Dataset.TARGETS, "sd"): ["sd_targets"],
    (Dataset.NEGATIVES, "sd"): ["sd_negative_targets"],
}
"""(dataset, slice) → a sample per list, in the order of the lists."""
METRICS = {
    (Dataset.AD_DAILY, "sp"): "report_spAdvertisedProduct",
    (Dataset.AD_DAILY, "sb"): "report_sbAds",
    (Dataset.AD_DAILY, "sd"): "report_sdAdvertisedProduct",
    (Dataset.CAMPAIGN_DAILY, "sp"): "report_spCampaigns",
    (Dataset.CAMPAIGN_DAILY, "sb"): "report_sbCampaigns",
    (Dataset.CAMPAIGN_DAILY, "sd"): "report_sdCampaigns",
    (Dataset.KEYWORD_DAILY, "sp"): "report_spTargeting",
    (Dataset.KEYWORD_DAILY, "sb"): "report_sbTargeting",
    (Dataset.KEYWORD_DAILY, "sd"): "report_sdTargeting",
    (Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, "sp"): "report_spSearchTerm",
    (Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, "sb"): "report_sbSearchTerm",
    (Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, "sp"): "report_spCampaigns_campaignPlacement",
    (Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, "sb"): "report_sbCampaignPlacement",
}
"""(dataset, slice) → the sample of its report."""
