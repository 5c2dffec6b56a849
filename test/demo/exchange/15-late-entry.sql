-- case S-3 was let through; now north lists the person
INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print, eye)
SELECT 'north', 'south', 'wanted', 'W-500', i, true,
	   CASE i WHEN 1 THEN synthetic_fingerprint(500, 0, 2) WHEN 2 THEN synthetic_fingerprint(500, 0, 7) END,
	   CASE i WHEN 3 THEN synthetic_iris(500) END
FROM generate_series(1, 3) i;
