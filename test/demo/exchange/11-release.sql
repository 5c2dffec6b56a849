SELECT watchlist.decide_release('north', 'S-205', released => true, reason => 'agreement 7, article 2', case_reference => 'S-77');
