INSERT INTO core_data_at_south (reference, purpose, case_reference)
	VALUES ('S-205', 'entry', 'N-1') RETURNING released, name, born;
