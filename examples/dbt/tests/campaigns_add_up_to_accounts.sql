-- Rows are months whose campaigns, with their rest, are not the account: there are none.
SELECT a.month, a.account_id, a.spend, c.spend
FROM (SELECT month, platform, account_id, currency, SUM(spend) AS spend FROM {{ ref('account_months') }} GROUP BY 1, 2, 3, 4) AS a
JOIN (SELECT month, platform, account_id, currency, SUM(spend) AS spend FROM {{ ref('campaign_months') }} GROUP BY 1, 2, 3, 4) AS c
  USING (month, platform, account_id, currency)
WHERE a.spend <> c.spend
