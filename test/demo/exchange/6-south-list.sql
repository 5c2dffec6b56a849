-- south's list stays in the country: north may ask, and gets no rows
INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print, eye)
SELECT 'south', 'north', 'smugglers', 'S-' || n, i, false,
	   CASE i WHEN 1 THEN synthetic_fingerprint(n, 0, 2) WHEN 2 THEN synthetic_fingerprint(n, 0, 7) END,
	   CASE i WHEN 3 THEN synthetic_iris(n) WHEN 4 THEN synthetic_iris(100000 + n) END
FROM generate_series(201, 300) n, generate_series(1, 4) i;
