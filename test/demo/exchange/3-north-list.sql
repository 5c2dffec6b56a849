-- two fingers and both eyes of 100 made-up persons; 80 of them may go south
INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print, eye, caveat)
SELECT 'north', 'south', 'wanted', 'W-' || n, i, n <= 80,
	   CASE i WHEN 1 THEN synthetic_fingerprint(n, 0, 2) WHEN 2 THEN synthetic_fingerprint(n, 0, 7) END,
	   CASE i WHEN 3 THEN synthetic_iris(n) WHEN 4 THEN synthetic_iris(100000 + n) END,
	   'do not detain: call'
FROM generate_series(1, 100) n, generate_series(1, 4) i;

SELECT watchlist.publish_to('north', 'south');
SELECT pubname, rowfilter FROM pg_publication_tables;
