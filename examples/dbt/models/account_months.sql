-- The same per month; a ratio is one of sums.
SELECT month, platform, account_id, currency, SUM(spend) AS spend,
       CAST(SUM(spend) AS double) / NULLIF(SUM(clicks), 0) AS cost_per_click
FROM {{ ref('account_days') }}
GROUP BY 1, 2, 3, 4
