INSERT INTO watchlist.release_decisions (partner, reference, reason) VALUES ('north', 'S-205', 'agreement 7, article 2');
