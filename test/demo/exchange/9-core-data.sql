CREATE FOREIGN TABLE core_data_at_south (reference text, purpose text, case_reference text, name text, born date, caveat text, released boolean)
	SERVER south OPTIONS (schema_name 'watchlist', table_name 'partner_core_data');
