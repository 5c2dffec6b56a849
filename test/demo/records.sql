-- Write a file of records in the formats that agencies use, one a line, in hex.
-- The fingers in it are made up.
CREATE VIEW agency_file AS
SELECT CASE person % 2 WHEN 0 THEN 'agency A' ELSE 'agency B' END AS agency, person,
       CASE person % 2 WHEN 0 THEN to_iso19794_2(print) ELSE to_incits378(print) END AS record
FROM generate_series(30001, 30200) person, synthetic_fingerprint(person, 0, 2) print;
\copy (SELECT * FROM agency_file) TO 'records.txt'
CREATE TABLE received (agency text, person bigint, record bytea);
