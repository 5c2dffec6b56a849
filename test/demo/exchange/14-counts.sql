SELECT count(*) AS searches, count(DISTINCT request) AS different, count(*) FILTER (WHERE state = 'pending') AS pending FROM watchlist.remote_searches;
SELECT count(*) AS alerts, count(*) FILTER (WHERE delivered IS NULL) AS undelivered FROM watchlist.alerts;
