\echo '\\copy received FROM \'records.txt\''
\set ECHO none
\copy received FROM 'records.txt'
\set ECHO queries
INSERT INTO watchlist (source, person, print)
SELECT agency, person, record::fingerprint FROM received;
SELECT source, count(*), min(minutia_count(print)) AS fewest, max(minutia_count(print)) AS most_minutiae
FROM watchlist GROUP BY source ORDER BY source;
