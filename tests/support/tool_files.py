"""Files as other tools export them, in two languages or notations, and what they add up to.

The headers are those of the sources in docs/mappings.md; the numbers are made up.
"""

from __future__ import annotations

from support.tool_file import NUMBERS, Cases, File

GOOGLE_EN = (
    "Campaign status,Campaign,Day,Budget,Budget name,Budget type,Status,Status reasons,Campaign type,Impr.,"
    "Interactions,"
    "Interaction rate,Currency code,Avg. cost,Cost,Search lost IS (budget),Avg. CPC,Search lost IS (rank),"
    "Search impr. share,Optimization score,Bid strategy type,Clicks,Conv. rate,Conversions,Cost / conv."
)
GOOGLE_DE = (
    "Kampagne\tTag\tKampagnenstatus\tKlicks\tImpressionen\tCTR\tWährungscode\tDurchschn. CPC\tKosten\tKampagnentyp\t"
    "Conv.-Rate\tConversions\tKosten/Conv."
)
META_A = (
    "Reporting starts,Reporting ends,Campaign name,Campaign delivery,Results,Result indicator,Cost per results,"
    "Amount spent (EUR),Impressions,Reach,Clicks (all),CPC (all) (EUR),Attribution setting,Ad set budget,"
    "Ad set budget type,Ends"
)
META_B = (
    "Ads,Day,Delivery status,Delivery level,Reach,Cost per 1;000 Accounts Center accounts reached,Impressions,"
    "CPM (cost per 1;000 impressions),Frequency,Link clicks,Outbound clicks,Clicks (all),CTR (all),CPC (all),"
    "CTR (link click-through rate),CPC (cost per link click),Purchases,Cost per purchase,Purchases conversion value,"
    "Purchase ROAS (return on ad spend),Result type,Results,Cost per result,Amount spent (IDR),Reporting starts,"
    "Reporting ends"
)
META_DE = (
    "Kampagnenname,Tag,Ausgegebener Betrag (EUR),Impressionen,Reichweite,Frequenz,Link-Klicks,Klicks (alle),"
    "Ergebnisse,"
    "Kosten pro Ergebnis,Berichtszeitraum beginnt,Berichtszeitraum endet"
)
AMAZON_EN = (
    "Date,Portfolio name,Currency,Campaign Name,Ad Group Name,Retailer,Country,Targeting,Match Type,"
    "Customer Search Term,"
    "Impressions,Clicks,Click-Thru Rate (CTR),Cost Per Click (CPC),Spend,7 Day Total Sales,"
    "Total Advertising Cost of Sales (ACOS),Total Return on Advertising Spend (ROAS),7 Day Total Orders (#),"
    "7 Day Total Units (#),7 Day Conversion Rate,7 Day Advertised SKU Units (#),7 Day Other SKU Units (#),"
    "7 Day Advertised SKU Sales,7 Day Other SKU Sales"
)
AMAZON_DE = (
    "Datum;Portfolioname;Währung;Kampagnen-Name;Anzeigengruppenname;Beworbene SKU;Beworbene ASIN;Impressionen;Klicks;"
    "Klickrate (CTR);Kosten pro Klick (CPC);Ausgaben;7 Tage, Umsatz gesamt (€);"
    "Gesamtumsatzkosten für Werbung (ACOS) ;7 Tage, Aufträge gesamt (#)"
)
TIKTOK_EN = (
    "Campaign name,Date,Primary status,Cost,Impressions,CPM,Clicks (destination),CPC (destination),CTR (destination),"
    "2-second video views,6-second video views,Reach,Frequency,Clicks (all),CTR (all),Conversions,Currency"
)
MICROSOFT = (
    "AccountId,TimePeriod,CurrencyCode,CampaignId,CampaignName,DeviceType,Impressions,Clicks,Spend,"
    "ConversionsQualified,Revenue"
)
MICROSOFT_FIVETRAN = (
    "date,account_id,campaign_id,currency_code,device_os,device_type,network,ad_distribution,bid_match_type,"
    "delivered_match_type,top_vs_other,budget_association_status,budget_name,clicks,impressions,spend,"
    "conversions_qualified,conversions,revenue,all_conversions_qualified,all_conversions,all_revenue"
)
GA4_EN = (
    "Country,Date,Active users,New users,Engaged sessions,Engagement rate,Sessions,Views,Event count,Key events,"
    "User key event rate,Total revenue"
)
GA4_DE = "Land,Datum,Aktive Nutzer,Neue Nutzer,Sitzungen,Aufrufe,Ereignisanzahl,Schlüsselereignisse,Gesamtumsatz"
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
    "Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Cancelled at,Payment Method,Refunded Amount,Vendor,Id,Tags,Source,Phone"
)
HUBSPOT_EN = "Record ID,Deal Name,Last Activity Date,State,Deal Stage,Close Date,Deal owner,Amount,Pipeline"
HUBSPOT_DE = "Datensatz-ID,Deal-Name,Deal-Phase,Abschlussdatum,Zuständiger Mitarbeiter,Betrag,Pipeline"
LOADER = (
    "ID,ISDELETED,ACCOUNTID,NAME,DESCRIPTION,STAGENAME,AMOUNT,PROBABILITY,EXPECTEDREVENUE,CLOSEDATE,TYPE,NEXTSTEP,"
    "LEADSOURCE,ISCLOSED,ISWON,CREATEDDATE"
)
SALESFORCE = (
    "Opportunity Owner,Account Name,Opportunity Name,Stage,Forecast Category,Total Amount Currency,Total Amount,"
    "Fiscal Period,Close Date,Lead Source,Opportunity ID"
)

EXPORTS: Cases = {
    "google_ads": (
        "google_ads",
        "campaign_performance",
        File(
            GOOGLE_EN,
            [
                {"Campaign": "Spring", "Day": "2026-09-01", "Impr.": "1,000", "Clicks": "50", "Cost": "1000.25",
                 "Conversions": "4.50", "Currency code": "EUR", "Interactions": "900"},
                {"Campaign": "Spring", "Day": "2026-09-02", "Impr.": "234", "Clicks": "6", "Cost": "50.25",
                 "Conversions": "0.00", "Currency code": "EUR", "Search impr. share": "< 10%"},
                {"Campaign status": "Total: Campaigns", "Campaign": "--", "Cost": "1050.50"},
                {"Campaign status": "Total: Account", "Campaign": " --", "Cost": "1060.50"},
                {"Campaign status": "Total: Search", "Campaign": " --", "Cost": "1050.50"},
                {"Campaign status": "Total: Performance Max", "Campaign": " --", "Cost": "0"},
            ],
        ),
        File(
            GOOGLE_DE,
            [
                {"Kampagne": "Spring", "Tag": "01.09.2026", "Impressionen": "1.000", "Klicks": "50",
                 "Kosten": "1.000,25",
                 "Conversions": "4,50", "Währungscode": "EUR", "CTR": "8,79%"},
                {"Kampagne": "Spring", "Tag": "02.09.2026", "Impressionen": "234", "Klicks": "6", "Kosten": "50,25",
                 "Conversions": "0,00", "Währungscode": "EUR"},
                {"Kampagne": "Gesamt: Suchbegriffe", "Kosten": "1.050,50", "Impressionen": "1.234"},
                {"Kampagne": "Gesamt: Sonstige Suchbegriffe", "Kosten": "373,14"},
                {"Kampagne": "Gesamt: Konto", "Kosten": "684,32"},
                {"Kampagne": "Gesamt: Suche", "Kosten": "684,32"},
            ],
            "\t",
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "4.5"},
    ),
    "meta_ads": (
        "meta_ads",
        "campaign_performance",
        File(
            META_A,
            [
                {"Reporting starts": "2026-09-01", "Reporting ends": "2026-09-01", "Amount spent (EUR)": "1050.5",
                 "Impressions": "1234", "Clicks (all)": "56"},
                {"Reporting starts": "2026-09-01", "Reporting ends": "2026-09-01", "Campaign name": "Spring",
                 "Amount spent (EUR)": "1050.5", "Impressions": "1234", "Clicks (all)": "56", "Results": "7",
                 "Result indicator": "actions:link_click"},
            ],
        ),
        File(
            META_DE,
            [
                {"Tag": "01.09.2026", "Ausgegebener Betrag (EUR)": "1.050,50", "Impressionen": "1.234"},
                {"Kampagnenname": "Spring", "Tag": "01.09.2026", "Ausgegebener Betrag (EUR)": "1.050,50",
                 "Impressionen": "1.234", "Klicks (alle)": "56", "Link-Klicks": "40", "Ergebnisse": "7"},
            ],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5"},
    ),
    "amazon_ads": (
        "amazon_ads",
        "ad_group_performance",
        File(
            AMAZON_EN,
            [
                {"Date": "Sep 01, 2026", "Currency": "EUR", "Campaign Name": "Spring", "Ad Group Name": "Set",
                 "Impressions": "1000", "Clicks": "50", "Spend": "1050.5", "7 Day Total Sales": "90.9",
                 "7 Day Total Orders (#)": "4"},
                {"Date": "Sep 01, 2026", "Currency": "EUR", "Campaign Name": "Spring", "Ad Group Name": "Set",
                 "Impressions": "234", "Clicks": "6", "Spend": "0", "7 Day Total Sales": "9",
                 "7 Day Total Orders (#)": "1"},
            ],
        ),
        File(
            AMAZON_DE,
            [
                {"Datum": "01.09.2026", "Währung": "EUR", "Kampagnen-Name": "Spring", "Anzeigengruppenname": "Set",
                 "Impressionen": "1.000", "Klicks": "50", "Ausgaben": "1.050,50 €",
                 "7 Tage, Umsatz gesamt (€)": "90,90 €",
                 "7 Tage, Aufträge gesamt (#)": "4"},
                {"Datum": "01.09.2026", "Währung": "EUR", "Kampagnen-Name": "Spring", "Anzeigengruppenname": "Set",
                 "Impressionen": "234", "Klicks": "6", "Ausgaben": "0,00 €", "7 Tage, Umsatz gesamt (€)": "9,00 €",
                 "7 Tage, Aufträge gesamt (#)": "1"},
            ],
            ";",
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "revenue": "99.9", "conversions": "5"},
    ),
    "tiktok_ads": (
        "tiktok_ads",
        "campaign_performance",
        File(
            TIKTOK_EN,
            [
                {"Campaign name": "Spring", "Date": "2026-09-01", "Cost": "1,050.50", "Impressions": "1,234",
                 "Clicks (destination)": "56", "Clicks (all)": "80", "Conversions": "<5", "Currency": "EUR"},
                {"Campaign name": "Total of 1 results", "Date": "--", "Cost": "1,050.50", "Impressions": "1,234"},
            ],
        ),
        File(
            "Kampagnenname,Datum,Kosten,Impressionen,Klicks (Ziel),Klicks (alle),Währung",
            [
                {"Kampagnenname": "Spring", "Datum": "01.09.2026", "Kosten": "1.050,50", "Impressionen": "1.234",
                 "Klicks (Ziel)": "56", "Klicks (alle)": "80", "Währung": "EUR"},
                {"Kampagnenname": "-", "Datum": "-", "Kosten": "1.050,50", "Impressionen": "1.234"},
            ],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5"},
    ),
    "microsoft_ads": (
        "microsoft_ads",
        "campaign_performance",
        File(
            MICROSOFT,
            [
                {"AccountId": "8", "TimePeriod": "2026-09-01", "CurrencyCode": "EUR", "CampaignId": "7",
                 "DeviceType": "Computer", "Impressions": "1000", "Clicks": "50", "Spend": "1050.50",
                 "ConversionsQualified": "4.50", "Revenue": "1,099.90"},
                {"AccountId": "8", "TimePeriod": "2026-09-01", "CurrencyCode": "EUR", "CampaignId": "7",
                 "DeviceType": "Tablet", "Impressions": "234", "Clicks": "6", "Spend": "0.00",
                 "ConversionsQualified": "0.00", "Revenue": "0.00"},
            ],
        ),
        File(
            MICROSOFT_FIVETRAN,
            [
                {"date": "2026-09-01", "account_id": "8", "campaign_id": "7", "currency_code": "EUR", "clicks": "50",
                 "impressions": "1000", "spend": "1050.5", "conversions_qualified": "4.5", "conversions": "0",
                 "revenue": "1099.9"},
                {"date": "2026-09-01", "account_id": "8", "campaign_id": "7", "currency_code": "EUR", "clicks": "6",
                 "impressions": "234", "spend": "0", "conversions_qualified": "0", "revenue": "0"},
            ],
        ),
        {"impressions": "1234", "clicks": "56", "spend": "1050.5", "conversions": "4.5", "revenue": "1099.9"},
    ),
    "ga4": (
        "ga4",
        "web_analytics",
        File(
            GA4_EN,
            [
                {"Country": "Germany", "Date": "20260901", "Active users": "9", "Sessions": "50", "Views": "1000",
                 "Engagement rate": "0.5", "Key events": "4", "Total revenue": "90.9"},
                {"Country": "(not set)", "Date": "20260901", "Sessions": "6", "Views": "234", "Key events": "1",
                 "Total revenue": "9"},
                {"Sessions": "56", "Views": "1234", "Key events": "5", "Total revenue": "99.9"},
            ],
        ),
        File(
            GA4_DE,
            [
                {"Land": "Germany", "Datum": "20260901", "Sitzungen": "50", "Aufrufe": "1.000",
                 "Schlüsselereignisse": "4", "Gesamtumsatz": "90,9"},
                {"Land": "(not set)", "Datum": "20260901", "Sitzungen": "6", "Aufrufe": "234",
                 "Schlüsselereignisse": "1", "Gesamtumsatz": "9"},
            ],
        ),
        {"sessions": "56", "pageviews": "1234", "conversions": "5", "revenue": "99.9"},
    ),
    "shopify": (
        "shopify",
        "orders",
        File(
            SHOPIFY,
            [
                {"Name": "#1001", "Email": "a@example.com", "Financial Status": "paid", "Currency": "EUR",
                 "Total": "1050.50", "Created at": "2026-09-01 10:00:00 +0200", "Lineitem quantity": "1",
                 "Refunded Amount": "0.00"},
                {"Name": "#1001", "Email": "a@example.com", "Created at": "2026-09-01 10:00:00 +0200",
                 "Lineitem quantity": "2"},
                {"Name": "#1002", "Financial Status": "partially_refunded", "Currency": "EUR", "Total": "20.00",
                 "Created at": "2026-09-01 12:00:00 +0200", "Refunded Amount": "5.50"},
                {"Name": "#1003", "Financial Status": "voided", "Currency": "EUR", "Total": "7.00",
                 "Created at": "2026-09-01 12:00:00 +0200"},
                {"Name": "#1004", "Financial Status": "paid", "Currency": "EUR", "Total": "7.00",
                 "Created at": "2026-09-01 12:00:00 +0200", "Cancelled at": "2026-09-01 13:00:00 +0200"},
            ],
        ),
        File(
            SHOPIFY,
            [
                {"Name": "#1001", "Financial Status": "paid", "Currency": "EUR", "Total": "1.050,50",
                 "Created at": "01.09.2026 10:00:00 +0200"},
                {"Name": "#1002", "Financial Status": "refunded", "Currency": "EUR", "Total": "20,00",
                 "Created at": "01.09.2026 12:00:00 +0200", "Refunded Amount": "5,50"},
            ],
        ),
        {"revenue": "1065"},
    ),
    "hubspot": (
        "hubspot",
        "deals",
        File(
            HUBSPOT_EN,
            [
                {"Record ID": "1", "Deal Stage": "Closed Won", "Close Date": "2026-09-01 10:15", "Amount": "1050.5"},
                {"Record ID": "2", "Deal Stage": "closedwon", "Close Date": "2026-09-01 10:15", "Amount": "1,000.00"},
                {"Record ID": "3", "Deal Stage": "Closed Lost", "Close Date": "2026-09-01 10:15", "Amount": "5"},
            ],
        ),
        File(
            HUBSPOT_DE,
            [
                {"Datensatz-ID": "1", "Deal-Phase": "Abgeschlossen und gewonnen", "Abschlussdatum": "01.09.2026 10:15",
                 "Betrag": "1.050,50"},
                {"Datensatz-ID": "2", "Deal-Phase": "Gewonnen", "Abschlussdatum": "01.09.2026 10:15",
                 "Betrag": "1.000"},
                {"Datensatz-ID": "3", "Deal-Phase": "Angebot", "Abschlussdatum": "01.09.2026 10:15", "Betrag": "5"},
            ],
        ),
        {"revenue": "2050.5"},
    ),
    "salesforce": (
        "salesforce",
        "deals",
        File(
            LOADER,
            [
                {"ID": "006A", "STAGENAME": "Closed Won", "AMOUNT": "1050.5", "CLOSEDATE": "2026-09-01",
                 "LEADSOURCE": "Web", "CREATEDDATE": "2006-06-15T20:47:07.000Z"},
                {"ID": "006B", "STAGENAME": "Prospecting", "AMOUNT": "500000.0", "CLOSEDATE": "2026-09-01"},
            ],
        ),
        File(
            SALESFORCE,
            [
                {"Opportunity ID": "006A", "Stage": "Closed Won", "Total Amount Currency": "EUR",
                 "Total Amount": "1.050,50", "Close Date": "01.09.2026", "Lead Source": "Web"},
                {"Opportunity ID": "006B", "Stage": "Negotiation", "Total Amount": "7,5", "Close Date": "01.09.2026"},
            ],
        ),
        {"revenue": "1050.5"},
    ),
    "adweir": (
        "adweir",
        "campaign_performance",
        File(
            "Platform,profile_id,campaign_id,day,impressions,clicks,cost,conversions,revenue",
            [{"Platform": "meta", "profile_id": "8", "campaign_id": "7", "day": "2026-09-01", "cost": "1050.5",
              "impressions": "1234", "clicks": "56", "conversions": "4.5", "revenue": "99.9"}],
        ),
        File(
            "platform;profile_id;campaign_id;date;impressions;clicks;spend;conversions;revenue",
            [{"platform": "meta", "profile_id": "8", "campaign_id": "7", "date": "01.09.2026", "spend": "1.050,50",
              "impressions": "1.234", "clicks": "56", "conversions": "4,5", "revenue": "99,9"}],
            ";",
        ),
        NUMBERS,
    ),
}  # fmt: skip
