-- Per campaign; the row without a campaign is what campaigns leave of the account.
SELECT month, platform, account_id, currency, campaign_id, arbitrary(campaign_name) AS campaign_name, SUM(spend) AS spend
FROM {{ source('adweir', 'metrics') }}
WHERE level = 'campaign' AND grain = 'day'
GROUP BY 1, 2, 3, 4, 5
