SELECT owner, list, count(DISTINCT reference) AS persons, count(*) AS templates FROM watchlist.shared_templates GROUP BY owner, list;
