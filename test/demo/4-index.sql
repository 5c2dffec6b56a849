CREATE INDEX watchlist_print ON watchlist USING biometric (print);
