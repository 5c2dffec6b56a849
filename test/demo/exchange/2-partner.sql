CREATE SERVER :there FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host :'socket', dbname 'exchange', connect_timeout '5');
CREATE USER MAPPING FOR CURRENT_USER SERVER :there OPTIONS (user :'here');
SELECT watchlist.connect_partner(:'there', :'there');
