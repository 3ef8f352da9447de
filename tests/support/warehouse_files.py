"""Tables of Fivetran's as files; the headers are those of the sources in docs/mappings.md, the numbers are made up."""

from __future__ import annotations

from support.tool_file import NUMBERS, Cases, File

LINKEDIN = (
    "campaign_id,day,action_clicks,clicks,conversion_value_in_local_currency,cost_in_local_currency,cost_in_usd,"
    "external_website_conversions,impressions,one_click_leads"
)
PINTEREST = (
    "date,campaign_id,campaign_name,campaign_status,advertiser_id,_fivetran_synced,impression_1,impression_2,"
    "clickthrough_1,clickthrough_2,spend_in_micro_dollar,total_conversions,total_conversions_quantity,"
    "total_conversions_value_in_micro_dollar"
)
SNAPCHAT = (
    "campaign_id,date,_fivetran_synced,conversion_purchases,conversion_purchases_value,impressions,spend,swipes,"
    "view_time_millis"
)
REDDIT = "account_id,campaign_id,date,_fivetran_synced,clicks,cpc,ctr,ecpm,impressions,priority,region,spend"
TWITTER = (
    "account_id,campaign_id,date,placement,_fivetran_synced,billed_charge_local_micro,clicks,"
    "conversion_custom_metric,"
    "conversion_custom_sale_amount,conversion_purchases_metric,conversion_purchases_sale_amount,impressions,"
    "url_clicks"
)
APPLE = (
    "date,id,avg_cpa_amount,avg_cpa_currency,avg_cpt_amount,avg_cpt_currency,conversion_rate,conversions,impressions,"
    "lat_off_installs,lat_on_installs,local_spend_amount,local_spend_currency,new_downloads,redownloads,"
    "tap_through_rate,taps,tap_installs,tap_new_downloads,tap_redownloads"
)
FIVETRAN = (
    "source_relation,date_day,platform,account_id,account_name,campaign_id,campaign_name,clicks,impressions,spend,"
    "conversions,conversions_value"
)

TABLES: Cases = {
    "linkedin_ads": (
        "linkedin_ads",
        "ad_group_performance",
        File(
            LINKEDIN,
            [{"campaign_id": "7", "day": "2026-09-01 00:00:00", "clicks": "56", "impressions": "1234",
              "cost_in_local_currency": "1050.5", "cost_in_usd": "1200", "external_website_conversions": "3",
              "one_click_leads": "2", "conversion_value_in_local_currency": "99.9"}],
        ),
        File(
            LINKEDIN,
            [{"campaign_id": "7", "day": "01.09.2026", "clicks": "56", "impressions": "1.234",
              "cost_in_local_currency": "1.050,50", "external_website_conversions": "5",
              "conversion_value_in_local_currency": "99,90"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "5", "revenue": "99.9"},
    ),
    "pinterest_ads": (
        "pinterest_ads",
        "campaign_performance",
        File(
            PINTEREST,
            [{"date": "2026-09-01", "campaign_id": "7", "advertiser_id": "8", "impression_1": "1000",
              "impression_2": "234",
              "clickthrough_1": "50", "clickthrough_2": "6", "spend_in_micro_dollar": "1050500000",
              "total_conversions": "5", "total_conversions_value_in_micro_dollar": "99900000"}],
        ),
        File(
            PINTEREST,
            [{"date": "9/1/2026", "campaign_id": "7", "advertiser_id": "8", "impression_1": "1,000",
              "impression_2": "234",
              "clickthrough_1": "56", "spend_in_micro_dollar": "1,050,500,000", "total_conversions": "5",
              "total_conversions_value_in_micro_dollar": "99,900,000"},
             {"date": "9/13/2026", "campaign_id": "7", "advertiser_id": "8", "spend_in_micro_dollar": "0"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "5", "revenue": "99.9"},
    ),
    "snapchat_ads": (
        "snapchat_ads",
        "campaign_performance",
        File(
            SNAPCHAT,
            [{"campaign_id": "7", "date": "2026-09-01T10:00:00", "impressions": "1000", "spend": "1050000000",
              "swipes": "50", "conversion_purchases": "5", "conversion_purchases_value": "99900000"},
             {"campaign_id": "7", "date": "2026-09-01T11:00:00", "impressions": "234", "spend": "500000", "swipes": "6",
              "conversion_purchases": "0", "conversion_purchases_value": "0"}],
        ),
        File(
            SNAPCHAT,
            [{"campaign_id": "7", "date": "2026-09-01 12:00:00 +0200", "impressions": "1.234", "spend": "1.050.500.000",
              "swipes": "56", "conversion_purchases": "5", "conversion_purchases_value": "99.900.000"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "5", "revenue": "99.9"},
    ),
    "reddit_ads": (
        "reddit_ads",
        "campaign_performance",
        File(
            REDDIT,
            [{"account_id": "t2_8", "campaign_id": "7", "date": "2026-09-01", "clicks": "50", "impressions": "1000",
              "region": "Bavaria", "spend": "1050000000", "cpc": "21000000"},
             {"account_id": "t2_8", "campaign_id": "7", "date": "2026-09-01", "clicks": "6", "impressions": "234",
              "region": "Berlin", "spend": "500000"}],
        ),
        File(
            REDDIT,
            [{"account_id": "t2_8", "campaign_id": "7", "date": "01.09.2026", "clicks": "56", "impressions": "1.234",
              "spend": "1.050.500.000"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5"},
    ),
    "twitter_ads": (
        "twitter_ads",
        "campaign_performance",
        File(
            TWITTER,
            [{"account_id": "8", "campaign_id": "7", "date": "2026-09-01 00:00:00", "placement": "ALL_ON_TWITTER",
              "billed_charge_local_micro": "1050000000", "clicks": "50", "impressions": "1000", "url_clicks": "9",
              "conversion_purchases_metric": "3", "conversion_purchases_sale_amount": "90.9"},
             {"account_id": "8", "campaign_id": "7", "date": "2026-09-01 00:00:00", "placement": "PUBLISHER_NETWORK",
              "billed_charge_local_micro": "500000", "clicks": "6", "impressions": "234",
              "conversion_custom_metric": "2", "conversion_custom_sale_amount": "9"}],
        ),
        File(
            TWITTER,
            [{"account_id": "8", "campaign_id": "7", "date": "01.09.2026", "billed_charge_local_micro": "1.050.500.000",
              "clicks": "56", "impressions": "1.234", "conversion_purchases_metric": "5",
              "conversion_purchases_sale_amount": "99,9"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "5", "revenue": "99.9"},
    ),
    "apple_search_ads": (
        "apple_search_ads",
        "campaign_performance",
        File(
            APPLE,
            [{"date": "2026-09-01", "id": "7", "impressions": "1234", "local_spend_amount": "1050.5", "taps": "56",
              "local_spend_currency": "EUR", "tap_installs": "5", "conversions": "9"}],
        ),
        File(
            APPLE,
            [{"date": "01.09.2026", "id": "7", "impressions": "1.234", "local_spend_amount": "1.050,50", "taps": "56",
              "local_spend_currency": "EUR", "conversions": "5"}],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "5"},
    ),
    "fivetran": (
        "fivetran",
        "campaign_performance",
        File(
            FIVETRAN,
            [{"date_day": "2026-09-01", "platform": "google_ads", "account_id": "8", "campaign_id": "7",
              "clicks": "56", "impressions": "1234", "spend": "1050.5000000000001", "conversions": "4.5",
              "conversions_value": "99.9"}],
        ),
        File(
            FIVETRAN,
            [{"date_day": "2026-09-01 00:00:00", "platform": "google_ads", "account_id": "8", "campaign_id": "7",
              "clicks": "56", "impressions": "1.234", "spend": "1.050,5", "conversions": "4,5",
              "conversions_value": "99,9"}],
        ),
        NUMBERS,
    ),
}  # fmt: skip
