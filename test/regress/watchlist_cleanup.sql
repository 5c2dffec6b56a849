-- watchlist_cleanup.sql
--	Takes away what watchlist_setup.sql made.
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP FUNCTION fingers, eyes;
DROP PROCEDURE search_past, seal;
-- policies and rights go with the extension
DROP EXTENSION biometric_watchlist CASCADE;
DROP EXTENSION pgcrypto;
DROP OWNED BY regress_border, regress_police, regress_olga, regress_sven, regress_eva, regress_emil, regress_erik, regress_pete,
	regress_ana, regress_otto, regress_south, regress_east, regress_nobody;
DROP ROLE regress_border, regress_police, regress_olga, regress_sven, regress_eva, regress_emil, regress_erik, regress_pete,
	regress_ana, regress_otto, regress_south, regress_east, regress_nobody;
