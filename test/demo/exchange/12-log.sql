SELECT partner, list, reference, what, purpose, case_reference FROM watchlist.disclosures ORDER BY disclosure;
