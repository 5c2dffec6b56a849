CREATE EXTENSION biometric_watchlist CASCADE;
CREATE EXTENSION postgres_fdw;
INSERT INTO watchlist.this_country VALUES (:'here');

-- The partner's login: it may ask, and read what was sent to it.
CREATE ROLE :there LOGIN REPLICATION;
SELECT watchlist.grant_duty('partner', :'there');
