-- ---------------------------------------------------------------------------
-- captures: records as they come
-- ---------------------------------------------------------------------------

-- What is too poor to be enrolled, or to be searched with; without a row: 12
-- minutiae, 700 usable bits, which no capture of CASIA-IrisV1 falls below.  Quality 0 is
-- "not reported" and passes.
CREATE TABLE quality_gate (
	stage text NOT NULL CHECK (stage IN ('enrolment', 'search')),
	kind text NOT NULL CHECK (kind IN ('finger', 'eye')),
	least_quality integer NOT NULL DEFAULT 0,
	least_size integer NOT NULL,	-- minutiae, usable bits
	PRIMARY KEY (stage, kind)
);

CREATE FUNCTION too_poor(stage text, kind text, quality integer, size integer) RETURNS text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE WHEN size < g.least_size
					THEN format(CASE kind WHEN 'finger' THEN '%s minutiae, of at least %s' ELSE '%s usable bits, of at least %s' END, size, g.least_size)
				WHEN quality BETWEEN 1 AND g.least_quality - 1 THEN format('quality %s, of at least %s', quality, g.least_quality) END
	FROM (SELECT coalesce(max(q.least_size), CASE too_poor.kind WHEN 'finger' THEN 12 ELSE 700 END) AS least_size,
				 coalesce(max(q.least_quality), 0) AS least_quality
		  FROM watchlist.quality_gate q WHERE q.stage = too_poor.stage AND q.kind = too_poor.kind) g;
END;

CREATE FUNCTION set_quality_gate(stage text, kind text, least_quality integer, least_size integer, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	INSERT INTO watchlist.quality_gate AS q (stage, kind, least_quality, least_size)
		VALUES (set_quality_gate.stage, set_quality_gate.kind, set_quality_gate.least_quality, set_quality_gate.least_size)
		ON CONFLICT ON CONSTRAINT quality_gate_pkey DO UPDATE SET least_quality = EXCLUDED.least_quality, least_size = EXCLUDED.least_size;
	PERFORM watchlist.note('setting', purpose, case_reference,
		detail => format('quality gate of %s, %s: quality %s, size %s', stage, kind, least_quality, least_size));
END
$$;

CREATE TYPE templates AS (prints fingerprint[], irises iris[]);

CREATE TYPE capture AS (
	kind text,
	record integer,		-- of those of its kind, from 1
	"position" text,
	print fingerprint,
	eye iris,
	quality smallint,
	size integer,		-- minutiae, usable bits
	problem text,		-- why it cannot be used; then no template
	record_hash bytea
);

CREATE FUNCTION fingers_of_record(record bytea) RETURNS SETOF capture
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	-- a damaged view has a problem and no template; the others are read too
	SELECT 'finger', NULL::integer, CASE WHEN v.print IS NOT NULL THEN coalesce(nullif(finger_position(v.print), 0)::text, 'unknown') END,
		   v.print, NULL::iris, quality(v.print), minutia_count(v.print)::integer, v.problem, v.print::bytea
	FROM fingerprint_views(record) v;
END;

CREATE FUNCTION eye_of_record(record text) RETURNS capture
	LANGUAGE sql STABLE
BEGIN ATOMIC
	-- other problems reduce the number of usable bits, which the quality gate
	-- checks
	SELECT ROW('eye', NULL::integer, eye(e), NULL::fingerprint, e, NULL::smallint, usable_bits(e),
			   CASE WHEN 'code and mask seem to be exchanged' = ANY (template_problems(e)) THEN 'code and mask seem to be exchanged' END,
			   convert_to(e::text, 'UTF8'))::capture
	FROM (SELECT record::iris AS e) i;
END;

-- Every view of every record, usable for a stage or not.  Nothing that a record
-- holds raises an error: what is wrong with it is said in problem.
--
-- A search takes the fingers and eyes of one person: ten and two, one of each
-- twice at most.  So one search cannot ask about ten persons.
CREATE FUNCTION read_captures(stage text, fingers bytea[], eyes text[]) RETURNS SETOF capture
	LANGUAGE plpgsql
AS $$
DECLARE
	most_records CONSTANT integer := 40;
	most_bytes CONSTANT integer := 1000000;
	most_fingers CONSTANT integer := CASE stage WHEN 'search' THEN 10 ELSE 80 END;
	most_eyes CONSTANT integer := CASE stage WHEN 'search' THEN 4 ELSE 80 END;
	usable_fingers integer := 0;
	usable_eyes integer := 0;
	seen bytea[] := '{}';
	captures watchlist.capture[];
	c watchlist.capture;
	message text;
	detail text;
BEGIN
	IF coalesce(cardinality(fingers), 0) > most_records OR coalesce(cardinality(eyes), 0) > most_records THEN
		RAISE EXCEPTION 'more than % records', most_records
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Send the best of them, or enrol them in several calls.';
	END IF;
	-- arrays may begin anywhere and have any dimensions
	fingers := ARRAY(SELECT unnest(fingers));
	eyes := ARRAY(SELECT unnest(eyes));
	FOR n IN 1 .. cardinality(fingers) + cardinality(eyes) LOOP
		captures := NULL;
		c := NULL;
		BEGIN
			IF n <= cardinality(fingers) THEN
				c.kind := 'finger';
				c.record := n;
				IF fingers[n] IS NULL THEN
					c.problem := 'nothing was captured';
				ELSIF octet_length(fingers[n]) > most_bytes THEN
					c.problem := 'the record is too long';
				ELSE
					c.record_hash := fingers[n];
					captures := ARRAY(SELECT watchlist.fingers_of_record(fingers[n]));
				END IF;
			ELSE
				c.kind := 'eye';
				c.record := n - cardinality(fingers);
				IF eyes[c.record] IS NULL THEN
					c.problem := 'nothing was captured';
				ELSIF octet_length(eyes[c.record]) > most_bytes THEN
					c.problem := 'the record is too long';
				ELSE
					c.record_hash := convert_to(eyes[c.record], 'UTF8');
					captures := ARRAY[watchlist.eye_of_record(eyes[c.record])];
				END IF;
			END IF;
		EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
			-- these messages never hold what a template does
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			c.problem := message || CASE WHEN detail <> '' THEN ': ' || detail ELSE '' END;
			captures := NULL;
		END;
		IF captures IS NULL THEN
			IF c.record_hash IS NOT NULL THEN
				c.record_hash := watchlist.keyed_hash(c.record_hash);
			END IF;
			RETURN NEXT c;
			CONTINUE;
		END IF;
		FOR i IN 1 .. cardinality(captures) LOOP
			c.position := captures[i].position;
			c.quality := captures[i].quality;
			c.size := captures[i].size;
			c.record_hash := watchlist.keyed_hash(coalesce(captures[i].record_hash, fingers[n]));
			c.problem := coalesce(captures[i].problem,
				CASE WHEN c.record_hash = ANY (seen) THEN 'the same capture came before'
					 ELSE watchlist.too_poor(stage, c.kind, c.quality, c.size) END,
				CASE WHEN c.kind = 'finger' AND usable_fingers >= most_fingers THEN format('more than %s fingers', most_fingers)
					 WHEN c.kind = 'eye' AND usable_eyes >= most_eyes THEN format('more than %s eyes', most_eyes) END);
			c.print := CASE WHEN c.problem IS NULL THEN captures[i].print END;
			c.eye := CASE WHEN c.problem IS NULL THEN captures[i].eye END;
			IF c.problem IS NULL THEN
				usable_fingers := usable_fingers + (c.kind = 'finger')::integer;
				usable_eyes := usable_eyes + (c.kind = 'eye')::integer;
			END IF;
			seen := seen || c.record_hash;
			RETURN NEXT c;
		END LOOP;
	END LOOP;
END
$$;

-- Short keyed hashes of the pieces of a template: minutiae, or runs of an iris
-- code.  Two templates of one capture share most of them, also when a byte was
-- changed, and without the key they reveal nothing.
CREATE FUNCTION template_pieces(print fingerprint, eye iris, key bytea) RETURNS integer[]
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT ARRAY(
		SELECT DISTINCT ('x' || encode(substr(authenticate(convert_to(piece, 'UTF8'), key), 1, 4), 'hex'))::bit(32)::integer AS hash
		FROM (SELECT regexp_replace(m, '^([^,]*,[^,]*,[^,]*).*$', '\1') FROM regexp_split_to_table(substr(print::text, strpos(print::text, ')') + 2), ' ') m
			  UNION ALL
			  SELECT n || substr(t, 1 + 16 * n, 16)
			  FROM (SELECT substr(eye::text, strpos(eye::text, ')') + 2) AS t) e, generate_series(0, length(t) / 16 - 1) n) p (piece)
		ORDER BY hash);
END;

-- The country's calibrations, of fingers and of eyes: name:version, or NULL for the built-in one.
CREATE FUNCTION calibrations() RETURNS text[]
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT ARRAY[calibration_name(c.finger_calibration, 'fingerprint'::regtype), calibration_name(c.eye_calibration, 'iris'::regtype)]
	FROM watchlist.this_country c;
END;

-- The likeliest persons of a table, fingers and eyes fused, best first.  size: how many persons
-- are searched, at most.  fpir counts what was searched with, found or not.  It is never less than
-- fpir_floor(), because no measurement supports lower rates.  fpir_bound is true then, and
-- if a score is beyond those that were counted.
--
-- calibrations: those of fingers and of eyes.
--
-- With max_fpir only who reaches it is returned, and the searches have thresholds.  With fingers
-- or eyes alone they lose nobody.  With both, a person is found if one finger scores 0.8 times,
-- or one eye 0.65 times, what a single comparison would need, but 50 and 40 decibans are enough.
-- test/bench/fusion measures how many mates have neither (doc/identify.md).  Whoever was found by one modality is completed by the other.
CREATE FUNCTION search_both(source regclass, person_column name, filter jsonb, prints fingerprint[], irises iris[], size bigint, most integer, max_fpir float8, calibrations text[])
	RETURNS TABLE (person text, score float8, fpir float8, fpir_bound boolean, evidence jsonb)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH c AS MATERIALIZED (
		SELECT m.*, CASE WHEN m.bound IS NULL OR m.modalities = 2 THEN 'none' ELSE 'possible' END AS verdict,
			   CASE WHEN m.bound IS NULL THEN most ELSE greatest(most, 100) END AS k, coalesce(m.bound, 0.05) AS possible, least(coalesce(m.bound, 0.05), 0.001) AS probable,
			   CASE WHEN m.modalities = 2 THEN score_threshold(m.bound, m.persons) END AS single
		FROM (SELECT greatest(size, 1) AS persons, greatest((cardinality(prints) > 0 IS TRUE)::int + (cardinality(irises) > 0 IS TRUE)::int, 1) AS modalities,
					 CASE WHEN max_fpir < 1 THEN greatest(max_fpir, fpir_floor()) END AS bound) m),
	f AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.fpir_bound, i.evidence
		FROM c, identify(source, person_column, 'print', prints, c.k, filter, c.possible, c.probable, gallery_size => c.persons,
						 min_verdict => c.verdict, min_score => CASE WHEN c.single > 0 THEN least(0.8 * c.single, 50) END,
						 calibration => calibrations[1]) i),
	e AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.fpir_bound, i.evidence
		FROM c, identify(source, person_column, 'eye', irises, c.k, filter, c.possible, c.probable, gallery_size => c.persons,
						 min_verdict => c.verdict, min_score => CASE WHEN c.single > 0 THEN least(0.65 * c.single, 40) END,
						 calibration => calibrations[2]) i),
	f_more AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.fpir_bound, i.evidence
		FROM c, (SELECT jsonb_agg(e.person) AS persons FROM e WHERE e.person NOT IN (SELECT f.person FROM f) HAVING count(*) > 0) m,
			 identify(source, person_column, 'print', prints, c.k, coalesce(filter, '{}') || jsonb_build_object(person_column, m.persons),
					  gallery_size => c.persons, search_depth => 100000, calibration => calibrations[1]) i),
	e_more AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.fpir_bound, i.evidence
		FROM c, (SELECT jsonb_agg(f.person) AS persons FROM f WHERE f.person NOT IN (SELECT e.person FROM e) HAVING count(*) > 0) m,
			 identify(source, person_column, 'eye', irises, c.k, coalesce(filter, '{}') || jsonb_build_object(person_column, m.persons),
					  gallery_size => c.persons, search_depth => 100000, calibration => calibrations[2]) i),
	fused AS (
		SELECT a.person, sum(a.fused_score) AS score, bool_or(a.fpir_bound) AS fpir_bound, jsonb_agg(a.evidence ORDER BY a.modality) AS evidence
		FROM (SELECT 1 AS modality, * FROM f UNION ALL SELECT 1, * FROM f_more UNION ALL
			  SELECT 2, * FROM e UNION ALL SELECT 2, * FROM e_more) a
		GROUP BY a.person)
	SELECT u.person, u.score, greatest(r.fpir, fpir_floor()), u.fpir_bound OR r.fpir < fpir_floor(), u.evidence
	FROM c, fused u, LATERAL (SELECT fpir(u.score, c.persons, c.modalities)) r (fpir)
	WHERE c.bound IS NULL OR r.fpir <= c.bound;
END;

CREATE FUNCTION template_bytes(prints fingerprint[], irises iris[]) RETURNS bytea
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(string_agg(t.bytes, '' ORDER BY t.bytes), '')
	FROM (SELECT p::bytea AS bytes FROM unnest(prints) p UNION ALL SELECT convert_to(e::text, 'UTF8') FROM unnest(irises) e) t;
END;
