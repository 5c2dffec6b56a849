SELECT * FROM watchlist.complete_remote_searches();
SELECT case_reference, partner, state, band, reference, attempts, left(problem, 40) AS problem
FROM watchlist.remote_searches ORDER BY asked_at;
