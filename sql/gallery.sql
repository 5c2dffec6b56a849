-- What a score means for a gallery.

-- 40 decibans are one false match in 10 000 comparisons.  In a gallery of
-- 10 000, most searches of a stranger still return somebody ...
SELECT round(fpir(40, 10000)::numeric, 4) AS fpir;

-- ... and in a gallery of one, one in 10 000 does.
SELECT round(fpir(40, 1)::numeric, 6) AS fpir;

-- The threshold for one false alarm in 1 000 searches of a million.
SELECT round(score_threshold(0.001, 1000000)::numeric, 3) AS decibans;

-- Each is the other's inverse.
SELECT n, round(fpir(score_threshold(0.01, n), n)::numeric, 9) AS fpir
FROM unnest(ARRAY[1, 100, 8800000, 9223372036854775807]) n;

-- A score of nothing says nothing; an unlimited one leaves no doubt.
SELECT fpir(0, 1), fpir(-5, 10), fpir('infinity', 1000000);

-- More false alarms allowed, lower threshold; larger gallery, higher.
SELECT score_threshold(0.5, 1) < score_threshold(0.1, 1) AS stricter,
	   score_threshold(0.1, 10) > score_threshold(0.1, 1) AS larger;

-- Questions without an answer.
SELECT fpir(40, 0);
SELECT fpir('NaN', 10);
SELECT score_threshold(0, 10);
SELECT score_threshold(1, 10);
SELECT score_threshold('NaN', 10);
SELECT score_threshold(0.1, -1);
SELECT fpir(NULL, 10), score_threshold(NULL, 10), score_threshold(0.1, NULL);
