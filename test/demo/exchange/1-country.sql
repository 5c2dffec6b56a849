CREATE EXTENSION biometric_watchlist CASCADE;
CREATE EXTENSION postgres_fdw;
INSERT INTO watchlist.this_country VALUES (:'here');

-- The partner's login: it may ask, and read what was sent to it.
CREATE ROLE :there LOGIN REPLICATION;
GRANT USAGE ON SCHEMA watchlist TO :there;
GRANT SELECT, INSERT ON watchlist.partner_search, watchlist.partner_core_data TO :there;
GRANT SELECT ON watchlist.shared_templates TO :there;
