SELECT kind, a.reference, band, case_reference, at::date = current_date AS today
FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter) WHERE kind = 'past encounter';
