-- What each ad account cost per day, and what it brought.
SELECT date, month, platform, account_id, currency, SUM(spend) AS spend, SUM(clicks) AS clicks, SUM(revenue) AS revenue
FROM {{ source('adweir', 'metrics') }}
WHERE level = 'account' AND grain = 'day'
GROUP BY 1, 2, 3, 4, 5
