\echo '-- Number 30500 was enrolled from the picture that a scanner gave: here one of a made-up'
\echo '-- finger, 388 x 374 pixels of 500 dpi.'
INSERT INTO watchlist (source, person, print)
VALUES ('picture', 30500,
        fingerprint_from_pixels(synthetic_fingerprint_image(30500, 0, 2), 388, 374, 500, 2));

\echo '-- Another picture of that finger: from the pixels to a person in one statement.'
\timing on
SELECT w.person, w.source, round(match_score(w.print, t.print)::numeric, 1) AS score
FROM fingerprint_from_pixels(synthetic_fingerprint_image(30500, 1, 2), 388, 374, 500, 2) AS t (print),
     LATERAL (SELECT * FROM watchlist ORDER BY print <-> t.print LIMIT 3) w;
\timing off
