INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print)
SELECT 'north', 'south', 'wanted', 'W-' || n, i, true, synthetic_fingerprint(n, 0, CASE i WHEN 1 THEN 2 ELSE 7 END)
FROM generate_series(401, 410) n, generate_series(1, 2) i;

DELETE FROM watchlist.shared_templates WHERE reference = 'W-7';
