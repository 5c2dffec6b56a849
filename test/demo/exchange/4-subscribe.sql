CREATE SUBSCRIPTION from_north CONNECTION :'connection' PUBLICATION watchlist_to_south;
