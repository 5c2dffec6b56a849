-- watchlist_cleanup.sql
--	Takes away what watchlist_setup.sql made.
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP FUNCTION fingers, eyes;
-- rights go with the extension; the log is left, and goes with the schema
DROP EXTENSION biometric_watchlist CASCADE;
DROP SCHEMA watchlist CASCADE;
DROP EXTENSION pgcrypto;
DROP OWNED BY regress_border, regress_police, regress_olga, regress_carl, regress_sven, regress_eva, regress_emil, regress_erik, regress_pete,
	regress_paul, regress_ana, regress_otto, regress_south, regress_east, regress_nobody;
DROP ROLE regress_border, regress_police, regress_olga, regress_carl, regress_sven, regress_eva, regress_emil, regress_erik, regress_pete,
	regress_paul, regress_ana, regress_otto, regress_south, regress_east, regress_nobody;
-- unless another database has the extension
DO $$
BEGIN
	DROP ROLE watchlist_courier;
EXCEPTION WHEN dependent_objects_still_exist THEN
	NULL;
END
$$;
