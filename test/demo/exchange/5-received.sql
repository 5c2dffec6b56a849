SELECT owner, list, count(DISTINCT reference) AS persons, count(*) AS templates, min(caveat) AS caveat
FROM watchlist.shared_templates WHERE owner = 'north' GROUP BY owner, list;
