-- ---------------------------------------------------------------------------
-- curves as pictures
-- ---------------------------------------------------------------------------

-- text for SVG and HTML
CREATE FUNCTION markup_text(text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT replace(replace(replace(replace(replace(regexp_replace($1, '[\x01-\x08\x0b\x0c\x0e-\x1f]', ' ', 'g'),
		'&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
END;
COMMENT ON FUNCTION markup_text(text) IS 'text with the characters escaped that have a meaning in SVG and HTML';

-- An empty chart with axes.  Ticks are at x (and y), from 0 to 1 of the width
-- (height), with their labels; body is what is drawn, in a field of 400 x 300.
CREATE FUNCTION chart_svg(title text, x_label text, y_label text, x float8[], x_text text[], y float8[], y_text text[], body text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 400" width="520" height="400" font-family="sans-serif" font-size="11" role="img">'
			'<title>%s</title><rect width="520" height="400" fill="#ffffff"/>'
			'<text x="270" y="20" text-anchor="middle" font-size="14" fill="#000000">%1$s</text>'
			'<text x="270" y="390" text-anchor="middle" fill="#000000">%s</text>'
			'<text transform="translate(16 190) rotate(-90)" text-anchor="middle" fill="#000000">%s</text>'
			'<g transform="translate(70 40)"><g stroke="#d0d0d0" fill="#404040">%s%s</g>'
			'<rect width="400" height="300" fill="none" stroke="#404040"/>%s</g></svg>',
			markup_text(title), markup_text(x_label), markup_text(y_label),
			(SELECT string_agg(format('<path d="M%s 0V300"/><text x="%1$s" y="316" text-anchor="middle" stroke="none">%s</text>', round((400 * t)::numeric, 1), markup_text(l)), '' ORDER BY t)
				FROM unnest(x, x_text) AS ticks (t, l)),
			(SELECT string_agg(format('<path d="M0 %sH400"/><text x="-6" y="%s" text-anchor="end" stroke="none">%s</text>', round((300 - 300 * t)::numeric, 1), round((304 - 300 * t)::numeric, 1), markup_text(l)), '' ORDER BY t)
				FROM unnest(y, y_text) AS ticks (t, l)),
			body);
END;
COMMENT ON FUNCTION chart_svg(text, text, text, float8[], text[], float8[], text[], text) IS 'axes of a chart as SVG, around what is drawn';

-- Both rates on logarithmic axes.  Points where no error was counted are left
-- out: how low a rate is there was not measured.
CREATE FUNCTION det_svg(curve det_point[], title text DEFAULT 'Detection error trade-off') RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT chart_svg(title, 'false match rate', 'false non-match rate',
		'{0, 0.16667, 0.33333, 0.5, 0.66667, 0.83333, 1}', '{1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1}',
		'{0, 0.25, 0.5, 0.75, 1}', '{1e-4, 0.001, 0.01, 0.1, 1}',
		coalesce('<path fill="none" stroke="#0072b2" stroke-width="2" d="M' || string_agg(format('%s %s',
			round((400 * (1 + log(greatest(p.fmr, 1e-6)::numeric) / 6)), 1), round((300 * -log(greatest(p.fnmr, 1e-4)::numeric) / 4), 1)), 'L' ORDER BY p.threshold) || '"/>', ''))
	FROM unnest(curve) p
	WHERE p.fmr > 0 AND p.fnmr > 0;
END;
COMMENT ON FUNCTION det_svg(det_point[], text) IS 'a detection error trade-off as SVG';

CREATE FUNCTION cmc_svg(shares float8[], title text DEFAULT 'Cumulative match characteristic') RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT chart_svg(title, 'rank', 'share of mates found', ARRAY[0, 1], ARRAY['1', cardinality(shares)::text],
		'{0, 0.25, 0.5, 0.75, 1}', '{0, 0.25, 0.5, 0.75, 1}',
		coalesce('<path fill="none" stroke="#0072b2" stroke-width="2" d="M' || string_agg(format('%s %s',
			round((400.0 * (r - 1) / greatest(cardinality(shares) - 1, 1)), 1), round((300 - 300 * s)::numeric, 1)), 'L' ORDER BY r) || '"/>', ''))
	FROM unnest(shares) WITH ORDINALITY u (s, r);
END;
COMMENT ON FUNCTION cmc_svg(float8[], text) IS 'a cumulative match characteristic as SVG';

-- Shares of each class, so that both can be seen even if their numbers differ
-- much.
CREATE FUNCTION score_histogram_svg(mated float8[], non_mated float8[], lowest float8, step float8,
		title text DEFAULT 'Scores') RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT chart_svg(title, 'score', 'share of comparisons',
		'{0, 0.25, 0.5, 0.75, 1}', (SELECT array_agg(round((lowest + step * b.n * t)::numeric, 0)::text ORDER BY t) FROM unnest('{0, 0.25, 0.5, 0.75, 1}'::float8[]) t),
		'{0, 1}', ARRAY['0', round(b.most::numeric, 3)::text],
		(SELECT string_agg(format('<path fill="%1$s" fill-opacity="0.6" stroke="%1$s" d="M0 300%2$sL400 300Z"/><text x="390" y="%3$s" text-anchor="end" fill="%1$s">%4$s</text>',
				c.colour, c.line, c.y, c.name), '' ORDER BY c.y)
			FROM (
				SELECT '#d55e00' AS colour, 'non-mated' AS name, 16 AS y,
					(SELECT string_agg(format('L%s %sL%s %2$s', round((400.0 * (i - 1) / b.n), 1), round((300 - 300 * v / nullif(b.non_mated_sum, 0) / b.most)::numeric, 1), round((400.0 * i / b.n), 1)), '' ORDER BY i)
						FROM unnest(non_mated) WITH ORDINALITY u (v, i)) AS line
				UNION ALL
				SELECT '#0072b2', 'mated', 32,
					(SELECT string_agg(format('L%s %sL%s %2$s', round((400.0 * (i - 1) / b.n), 1), round((300 - 300 * v / nullif(b.mated_sum, 0) / b.most)::numeric, 1), round((400.0 * i / b.n), 1)), '' ORDER BY i)
						FROM unnest(mated) WITH ORDINALITY u (v, i))
			) c WHERE c.line IS NOT NULL))
	FROM (
		SELECT greatest(cardinality(mated), cardinality(non_mated), 1) AS n, s.mated_sum, s.non_mated_sum,
			greatest((SELECT max(v) FROM unnest(mated) v) / nullif(s.mated_sum, 0), (SELECT max(v) FROM unnest(non_mated) v) / nullif(s.non_mated_sum, 0), 1e-9) AS most
		FROM (SELECT (SELECT sum(v) FROM unnest(mated) v) AS mated_sum, (SELECT sum(v) FROM unnest(non_mated) v) AS non_mated_sum) s
	) b;
END;
COMMENT ON FUNCTION score_histogram_svg(float8[], float8[], float8, float8, text) IS 'numbers of mated and non-mated scores in steps from the lowest, as SVG';

-- ---------------------------------------------------------------------------
-- calibration on an installation's own comparisons
-- ---------------------------------------------------------------------------

/*
 * A calibration maps scores to decibans of the false match rate that was counted
 * on non-mated comparisons.  It is a value: keep it in a table of your own.
 * Knots are at falling rates, two for each quarter of a power of ten, down to the
 * rate of ten counted comparisons: where the rate enters the quarter, and the
 * last threshold that has it.  So a line between knots errs by less than that
 * quarter, 2.5 decibans, also where many scores are equal.  One comparison is
 * added to each count.
 */
CREATE FUNCTION make_calibration(curve det_point[], non_mated bigint) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT jsonb_build_object('matcher', biometric_version(), 'made', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'comparisons', non_mated, 'measured_to', max(k.decibans),
		'scores', jsonb_agg(k.threshold ORDER BY k.threshold), 'decibans', jsonb_agg(k.decibans ORDER BY k.threshold))
	FROM (
		SELECT r.threshold, r.decibans
		FROM (SELECT q.threshold, q.decibans, row_number() OVER (PARTITION BY floor(0.4 * q.decibans) ORDER BY q.threshold) AS first,
				row_number() OVER (PARTITION BY floor(0.4 * q.decibans) ORDER BY q.threshold DESC) AS last
			FROM (SELECT p.threshold, -10 * log(((p.fmr * non_mated + 1) / (non_mated + 1))::numeric)::float8 AS decibans
				FROM unnest(curve) p
				WHERE p.fmr * non_mated >= 10 AND p.fmr < 1 AND p.threshold BETWEEN -1e300 AND 1e300) q) r
		WHERE r.first = 1 OR r.last = 1
	) k;
END;
COMMENT ON FUNCTION make_calibration(det_point[], bigint) IS
	'a calibration from det_curve(score, mated) over non-mated comparisons, and their number';

/*
 * Between knots the map is linear.  Below the first it falls to 0.  Beyond the
 * last it rises as fast as it did over the last power of ten, but not faster than
 * the score itself, and by at most 10 decibans: what lies beyond was not measured.
 */
CREATE FUNCTION calibrated_score(score float8, calibration jsonb) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_calibrated_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION calibrated_score(float8, jsonb) IS
	'a score in decibans of the false match rate counted for a calibration, bounded beyond what was measured';

-- Calibrations by name.  A name means the newest of its versions, which are never
-- changed, so that a search can be repeated: name:version.
CREATE TABLE stored_calibrations (
	name text NOT NULL CHECK (name ~ '^[^:[:cntrl:]]{1,63}$'),
	version integer NOT NULL CHECK (version > 0),
	template_type regtype NOT NULL,
	fit jsonb NOT NULL,
	remark text,
	stored timestamptz NOT NULL DEFAULT now(),
	stored_by name NOT NULL DEFAULT session_user,
	PRIMARY KEY (name, version)
);
SELECT pg_catalog.pg_extension_config_dump('stored_calibrations', '');
GRANT SELECT ON stored_calibrations TO PUBLIC;
-- who installs the extension stores calibrations, and restores them, also if no superuser
GRANT INSERT ON stored_calibrations TO @extowner@;
COMMENT ON TABLE stored_calibrations IS 'calibrations that identify() and others take by name';

CREATE FUNCTION store_calibration(name text, template_type regtype, fit jsonb, remark text DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog AS $$
DECLARE
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	result text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
			WHERE m.amname = 'biometric' AND c.opcintype = store_calibration.template_type) THEN
		RAISE EXCEPTION 'type % is none of templates', coalesce(template_type::text, 'NULL') USING ERRCODE = 'datatype_mismatch',
			HINT = 'Scores of fingerprint and of iris have calibrations of their own.';
	END IF;
	IF (name ~ '^[^:[:cntrl:]]{1,63}$') IS NOT TRUE THEN
		RAISE EXCEPTION 'a calibration cannot have the name "%"', coalesce(name, 'NULL') USING ERRCODE = 'invalid_name',
			HINT = 'A name has 1 to 63 characters, and no colon: what follows a colon is the version.';
	END IF;
	IF calibrated_score(0, fit) IS NULL THEN
		RAISE EXCEPTION 'calibration has fewer than two knots' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'It takes more non-mated comparisons: a knot rests on ten that score as much.';
	END IF;
	IF EXISTS (SELECT FROM stored_calibrations c WHERE c.name = store_calibration.name AND c.template_type <> store_calibration.template_type) THEN
		RAISE EXCEPTION 'calibration "%" is of another type', name USING ERRCODE = 'datatype_mismatch', HINT = 'Choose another name.';
	END IF;
	-- of two at the same time one fails, because a version is given once
	INSERT INTO stored_calibrations AS c (name, version, template_type, fit, remark)
		SELECT store_calibration.name, coalesce(max(o.version), 0) + 1, store_calibration.template_type, store_calibration.fit, store_calibration.remark
		FROM stored_calibrations o WHERE o.name = store_calibration.name
		RETURNING c.name || ':' || c.version INTO result;
	RETURN result;
END
$$;
COMMENT ON FUNCTION store_calibration(text, regtype, jsonb, text) IS
	'keeps a calibration under a name, as its next version; returns name:version';

CREATE FUNCTION calibrated_score_by_name(score float8, calibration text) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_calibrated_score_named' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION calibrated_score_by_name(float8, text) IS
	'a score in decibans of the false match rate counted for a stored calibration';

CREATE FUNCTION calibration_name(name text, template_type regtype) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_calibration_name' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION calibration_name(text, regtype) IS
	'name:version of the calibration that is used under a name; an error if there is none, or for another type';

CREATE FUNCTION fpir(score float8, gallery_size bigint, calibration text) RETURNS float8
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT fpir(calibrated_score_by_name(score, calibration), gallery_size);
END;
COMMENT ON FUNCTION fpir(float8, bigint, text) IS
	'false positive identification rate of a score, by a stored calibration';

-- ---------------------------------------------------------------------------
-- evaluation of a table of captures
-- ---------------------------------------------------------------------------

-- The type of a column, as long as it is one of templates.
CREATE FUNCTION template_type(gallery regclass, template_column name) RETURNS regtype
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	result regtype;
BEGIN
	SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END INTO result
	FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	WHERE a.attrelid = gallery AND a.attname = template_column AND a.attnum > 0 AND NOT a.attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'column "%" of % does not exist', template_column, gallery USING ERRCODE = 'undefined_column';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
			WHERE m.amname = 'biometric' AND c.opcintype = result) THEN
		RAISE EXCEPTION 'column "%" of % has no templates', template_column, gallery
			USING ERRCODE = 'datatype_mismatch', DETAIL = format('Its type is %s.', result);
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION template_type(regclass, name) IS 'the type of a column of templates; an error if it is none';

-- The name of a table with its schema, so that no query of a WITH clause is meant.
CREATE FUNCTION qualified_name(regclass) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('%I.%I', n.nspname, c.relname)
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1;
END;
COMMENT ON FUNCTION qualified_name(regclass) IS 'the name of a table with its schema, quoted where it has to be';

-- What tells the rows of a table apart: ctid, and where the table has partitions
-- or children, the name of the one that the row is in.
CREATE FUNCTION row_place(gallery regclass) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
	kind "char" := (SELECT relkind FROM pg_catalog.pg_class WHERE oid = gallery);
BEGIN
	IF kind NOT IN ('r', 'm', 'p') THEN
		RAISE EXCEPTION '% is not a table or materialized view', gallery USING ERRCODE = 'wrong_object_type',
			HINT = 'Rows are told apart by their places. Copy the captures into a table.';
	END IF;
	RETURN CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = gallery)
		THEN '(%1$stableoid::pg_catalog.regclass || '' '' || %1$sctid)' ELSE '%1$sctid::text' END;
END
$$;
COMMENT ON FUNCTION row_place(regclass) IS 'an expression that tells the rows of a table apart, to be formatted with the alias and a dot';

/*
 * Functions below put together statements, in which names are quoted.  Their
 * search_path is the extension's schema, for the time of the call.
 */

/*
 * Pairs of captures to be compared, chosen by rule: of each person at most
 * max_captures captures, by a hash of their keys.  Mated pairs are all pairs of
 * captures of one person (and one finger or eye, where that is known).  Non-mated
 * pairs are at most max_non_mated, spread over as many pairs of persons as that
 * allows: all of them, with as many captures each as fit in; or one capture of
 * each person and of the next ones in the order of a hash of their names.
 */
CREATE FUNCTION evaluation_pairs(gallery regclass, template_column name, person_column name, group_column name DEFAULT NULL,
		max_non_mated bigint DEFAULT 200000, max_captures integer DEFAULT 10,
		OUT mated boolean, OUT person_a text, OUT person_b text, OUT capture_a text, OUT capture_b text,
		OUT group_a text, OUT group_b text, OUT score float8)
	RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 100000 COST 1000000
	SET search_path = pg_catalog AS $$
DECLARE
	type regtype;
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	source text;
	persons bigint;
	ahead bigint;
	captures bigint;
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	IF coalesce(max_non_mated < 0 OR max_captures < 2, true) THEN
		RAISE EXCEPTION 'max_non_mated must be at least 0 and max_captures at least 2' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	type := template_type(gallery, template_column);
	-- which finger or eye, as far as the template says; NULL is any
	source := CASE type::text WHEN 'fingerprint' THEN 'nullif(finger_position(t), 0)::text' WHEN 'iris' THEN 'nullif(eye(t), ''unknown'')'
		ELSE 'NULL::text' END;
	EXECUTE format('SELECT count(DISTINCT %I) FROM %s WHERE %I IS NOT NULL', person_column, qualified_name(gallery), template_column) INTO persons;
	-- how many of the following persons each one is compared with
	ahead := CASE WHEN persons < 2 THEN 0 WHEN persons * (persons - 1) / 2 <= max_non_mated THEN persons - 1
		ELSE greatest(max_non_mated / persons, 1) END;
	-- and by how many pairs of captures
	captures := CASE WHEN persons < 2 THEN 0 WHEN ahead < persons - 1 THEN 1
		ELSE least(max_non_mated / (persons * (persons - 1) / 2), max_captures::bigint * max_captures) END;
	RETURN QUERY EXECUTE format($query$
		WITH capture AS MATERIALIZED (
			SELECT p, t, k, g, %5$s AS source, row_number() OVER (PARTITION BY p ORDER BY hashtextextended(k, 1), k) AS n
			FROM (SELECT %2$I::text AS p, %3$I AS t, %9$s AS k, %4$s AS g FROM %1$s WHERE %2$I IS NOT NULL AND %3$I IS NOT NULL) c
		), chosen AS MATERIALIZED (
			SELECT * FROM capture WHERE n <= %6$s
		), person AS MATERIALIZED (
			SELECT p, max(n) AS captures, row_number() OVER (ORDER BY hashtextextended(p, 2), p) AS place FROM chosen GROUP BY p
		), pair AS (
			SELECT true AS mated, a.p AS pa, b.p AS pb, a.k AS ka, b.k AS kb, a.g AS ga, b.g AS gb, a.t AS ta, b.t AS tb
			FROM chosen a JOIN chosen b ON a.p = b.p AND a.n < b.n AND coalesce(a.source = b.source, true)
			UNION ALL
			SELECT false, a.p, b.p, a.k, b.k, a.g, b.g, a.t, b.t
			FROM person x JOIN person y ON y.place > x.place AND y.place <= x.place + %7$s AND x.place <= %10$s
			CROSS JOIN LATERAL generate_series(0, least(%8$s, x.captures * y.captures) - 1) q
			JOIN chosen a ON a.p = x.p AND a.n = 1 + (abs(hashtextextended(y.p, 3) %% x.captures) + q) %% x.captures
			JOIN chosen b ON b.p = y.p AND b.n = 1 + (abs(hashtextextended(x.p, 4) %% y.captures) + q / x.captures) %% y.captures
			WHERE coalesce(a.source = b.source, true)
		)
		SELECT mated, pa, pb, ka, kb, ga, gb, match_score(ta, tb) FROM pair
	$query$, qualified_name(gallery), person_column, template_column, CASE WHEN group_column IS NULL THEN 'NULL::text' ELSE format('%I::text', group_column) END,
		source, max_captures, ahead, captures, format(row_place(gallery), ''), max_non_mated);
END
$$;
COMMENT ON FUNCTION evaluation_pairs(regclass, name, name, name, bigint, integer) IS
	'mated and non-mated pairs of captures of a table, chosen by rule, with their scores; captures are given by ctid';

/*
 * A report on a table of captures, as JSON.  A non-mated pair that scores as
 * nearly no non-mated pair should is a suspected error of a label: it is listed
 * and counted apart.  Rates are given with and without such pairs.
 */
CREATE FUNCTION evaluate(gallery regclass, template_column name, person_column name, group_column name DEFAULT NULL,
		threshold float8 DEFAULT 40, fmr float8 DEFAULT 0.001, max_non_mated bigint DEFAULT 200000,
		max_captures integer DEFAULT 10, pictures integer DEFAULT 5) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000
	SET search_path = pg_catalog SET extra_float_digits = 1 AS $$
DECLARE
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	type regtype;
	result jsonb;
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	IF pictures < 0 THEN
		RAISE EXCEPTION 'pictures must be at least 0' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	type := template_type(gallery, template_column);
	EXECUTE format($query$
		WITH pair AS MATERIALIZED (
			SELECT * FROM evaluation_pairs($1, $2, $3, $4, $5, $6)
		), suspicion AS MATERIALIZED (
			-- fewer than one non-mated pair in a hundred such evaluations scores so high
			SELECT -10 * log((0.01 / greatest(count(*) FILTER (WHERE NOT mated), 1))::numeric)::float8 AS score FROM pair
		), rated AS MATERIALIZED (
			SELECT p.*, NOT p.mated AND p.score >= s.score AS suspected FROM pair p, suspicion s
		), grouped AS (
			SELECT NULL::text AS name, true AS everybody, r.* FROM rated r
			UNION ALL
			SELECT r.group_a, false, r.* FROM rated r WHERE $4 IS NOT NULL AND (r.mated OR r.group_a IS NOT DISTINCT FROM r.group_b)
			UNION ALL
			-- which of two captures comes first has no meaning
			SELECT r.group_b, false, r.* FROM rated r WHERE $4 IS NOT NULL AND r.mated AND r.group_a IS DISTINCT FROM r.group_b
		), rates AS (
			SELECT everybody, name, error_rates(score, mated, person_a, person_b, $7, $8) FILTER (WHERE NOT suspected) AS rates,
				count(*) FILTER (WHERE suspected) AS suspected, fmr_at(score, mated, $7) AS fmr_with_suspected,
				det_curve(score, mated) FILTER (WHERE NOT suspected) AS curve
			FROM grouped GROUP BY everybody, name
		)
		SELECT jsonb_build_object(
			'gallery', $1::text, 'template_column', $2, 'person_column', $3, 'group_column', $4,
			'matcher', biometric_version(), 'made', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
			'threshold', $7, 'fmr', $8,
			'captures', (SELECT jsonb_build_object('rows', count(*), 'persons', count(DISTINCT %2$I), 'without_template', count(*) FILTER (WHERE %1$I IS NULL),
				'without_person', count(*) FILTER (WHERE %2$I IS NULL), 'persons_with_one_capture',
				(SELECT count(*) FROM (SELECT FROM %3$s WHERE %1$I IS NOT NULL GROUP BY %2$I HAVING count(*) = 1) o)) FROM %3$s),
			'rates', (SELECT to_jsonb(rates) || jsonb_build_object('suspected', suspected, 'fmr_with_suspected', fmr_with_suspected) FROM rates WHERE everybody),
			'groups', (SELECT jsonb_agg(jsonb_build_object('group', name) || to_jsonb(rates) || jsonb_build_object('suspected', suspected, 'fmr_with_suspected', fmr_with_suspected) ORDER BY name)
				FROM rates WHERE NOT everybody),
			'det', (SELECT to_jsonb(curve) FROM rates WHERE everybody),
			'histogram', (SELECT jsonb_build_object('lowest', 0, 'step', 2, 'mated', array_agg(m ORDER BY b), 'non_mated', array_agg(n ORDER BY b))
				FROM (SELECT b, count(*) FILTER (WHERE mated) AS m, count(*) FILTER (WHERE NOT mated) AS n
					FROM generate_series(0, 60) b LEFT JOIN rated ON least(greatest(floor(score / 2), 0), 60) = b GROUP BY b) h),
			'calibration', (SELECT jsonb_agg(jsonb_build_object('score', s, 'promised', power(10, -s / 10.0) * n, 'counted', c) ORDER BY s)
				FROM (SELECT s, count(*) FILTER (WHERE NOT mated) AS n, count(*) FILTER (WHERE NOT mated AND score >= s) AS c
					FROM rated, generate_series(10, 60, 5) s GROUP BY s) x),
			'worst_mated', (SELECT jsonb_agg(jsonb_build_object('person', person_a, 'capture_a', capture_a, 'capture_b', capture_b, 'score', score,
					'picture', match_svg(a.%1$I, b.%1$I)) ORDER BY score, capture_a, capture_b)
				FROM (SELECT * FROM rated WHERE mated ORDER BY score, capture_a, capture_b LIMIT $9) w
				JOIN %3$s a ON %4$s = w.capture_a JOIN %3$s b ON %5$s = w.capture_b),
			'suspicious', (SELECT jsonb_agg(jsonb_build_object('person_a', person_a, 'person_b', person_b, 'capture_a', capture_a, 'capture_b', capture_b, 'score', score,
					'suspected', suspected, 'picture', match_svg(a.%1$I, b.%1$I)) ORDER BY score DESC, capture_a, capture_b)
				FROM (SELECT * FROM rated WHERE NOT mated ORDER BY score DESC, capture_a, capture_b LIMIT $9) w
				JOIN %3$s a ON %4$s = w.capture_a JOIN %3$s b ON %5$s = w.capture_b))
	$query$, template_column, person_column, qualified_name(gallery), format(row_place(gallery), 'a.'), format(row_place(gallery), 'b.'))
	INTO result USING gallery, template_column, person_column, group_column, max_non_mated, max_captures, threshold, fmr, pictures;
	RETURN result || jsonb_build_object('own_calibration', make_calibration(
		ARRAY(SELECT (d ->> 'threshold', d ->> 'fmr', d ->> 'fnmr')::text::det_point FROM jsonb_array_elements(CASE WHEN jsonb_typeof(result -> 'det') = 'array' THEN result -> 'det' ELSE '[]' END) d),
		(result #>> '{rates,non_mated}')::bigint));
END
$$;
COMMENT ON FUNCTION evaluate(regclass, name, name, name, float8, float8, bigint, integer, integer) IS
	'error rates, calibration and the worst pairs of a table of captures, as JSON for evaluation_html()';

-- a number for a table: three digits that count
CREATE FUNCTION rate_text(text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN $1 IS NULL THEN '–' WHEN $1::float8 = 0 THEN '0' WHEN abs($1::float8) BETWEEN 1e-4 AND 1e6
		THEN trim_scale(round($1::numeric, greatest(0, 2 - floor(log(abs($1::float8)))::integer)))::text
		ELSE trim(to_char($1::float8, '9.99EEEE')) END;
END;
COMMENT ON FUNCTION rate_text(text) IS 'a number for a report, with three significant digits';

CREATE FUNCTION evaluation_html(evaluation jsonb, title text DEFAULT 'Evaluation') RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH rate_row AS (
		SELECT place, coalesce(r ->> 'group', 'all') AS name, r
		FROM (SELECT 0 AS place, evaluation -> 'rates' AS r
			UNION ALL
			SELECT place, r FROM jsonb_array_elements(CASE WHEN jsonb_typeof(evaluation -> 'groups') = 'array' THEN evaluation -> 'groups' ELSE '[]' END)
				WITH ORDINALITY g (r, place)) a
	)
	SELECT format('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>%s</title><style>'
			'body{font-family:sans-serif;max-width:70em;margin:2em auto;color:#000;background:#fff}table{border-collapse:collapse;margin:1em 0}'
			'td,th{border:1px solid #999;padding:.3em .6em;text-align:right}th:first-child,td:first-child{text-align:left}svg{max-width:100%%}'
			'</style></head><body><h1>%1$s</h1>', markup_text(title))
		|| format('<p>%s rows of %s persons in %s, %s without a template. Made %s with matcher %s.</p>',
			markup_text(evaluation #>> '{captures,rows}'), markup_text(evaluation #>> '{captures,persons}'), markup_text(evaluation ->> 'gallery'),
			markup_text(evaluation #>> '{captures,without_template}'), markup_text(evaluation ->> 'made'), markup_text(evaluation ->> 'matcher'))
		|| format('<h2>Error rates</h2><p>At a score of %s, and at a false match rate of %s. Intervals are 95 %%, from resampling persons. Suspected errors of labels are counted apart: '
			'the last column has the false match rate with them.</p>', markup_text(evaluation ->> 'threshold'), markup_text(evaluation ->> 'fmr'))
		|| '<table><tr><th>group</th><th>mated</th><th>non-mated</th><th>persons</th><th>FMR</th><th>FNMR</th><th>EER</th><th>FNMR at FMR</th><th>suspected</th><th>FMR with them</th></tr>'
		|| coalesce((SELECT string_agg(format('<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s (%s to %s)</td><td>%s (%s to %s)</td><td>%s (%s to %s)</td><td>%s (%s to %s)</td><td>%s</td><td>%s</td></tr>',
				markup_text(name), markup_text(r ->> 'mated'), markup_text(r ->> 'non_mated'), markup_text(r ->> 'persons'),
				rate_text(r ->> 'fmr'), rate_text(r ->> 'fmr_low'), rate_text(r ->> 'fmr_high'), rate_text(r ->> 'fnmr'), rate_text(r ->> 'fnmr_low'), rate_text(r ->> 'fnmr_high'),
				rate_text(r ->> 'eer'), rate_text(r ->> 'eer_low'), rate_text(r ->> 'eer_high'),
				rate_text(r ->> 'fnmr_at_fmr'), rate_text(r ->> 'fnmr_at_fmr_low'), rate_text(r ->> 'fnmr_at_fmr_high'),
				markup_text(r ->> 'suspected'), rate_text(r ->> 'fmr_with_suspected')), '' ORDER BY place) FROM rate_row), '')
		|| '</table>'
		|| det_svg(ARRAY(SELECT (d ->> 'threshold', d ->> 'fmr', d ->> 'fnmr')::text::det_point
			FROM jsonb_array_elements(CASE WHEN jsonb_typeof(evaluation -> 'det') = 'array' THEN evaluation -> 'det' ELSE '[]' END) d))
		|| coalesce(score_histogram_svg(
			ARRAY(SELECT v::float8 FROM jsonb_array_elements_text(evaluation #> '{histogram,mated}') v),
			ARRAY(SELECT v::float8 FROM jsonb_array_elements_text(evaluation #> '{histogram,non_mated}') v),
			(evaluation #>> '{histogram,lowest}')::float8, (evaluation #>> '{histogram,step}')::float8), '')
		|| '<h2>Promised and counted false matches</h2><table><tr><th>score</th><th>promised</th><th>counted</th></tr>'
		|| coalesce((SELECT string_agg(format('<tr><td>%s</td><td>%s</td><td>%s</td></tr>', markup_text(c ->> 'score'), rate_text(c ->> 'promised'), markup_text(c ->> 'counted')), '' ORDER BY n)
			FROM jsonb_array_elements(CASE WHEN jsonb_typeof(evaluation -> 'calibration') = 'array' THEN evaluation -> 'calibration' ELSE '[]' END) WITH ORDINALITY u (c, n)), '')
		|| '</table><h2>Mated pairs with the lowest scores</h2>'
		|| coalesce((SELECT string_agg(format('<h3>%s, captures %s and %s: %s</h3>%s', markup_text(w ->> 'person'), markup_text(w ->> 'capture_a'), markup_text(w ->> 'capture_b'),
				rate_text(w ->> 'score'), CASE WHEN w ->> 'picture' LIKE '<svg %' THEN w ->> 'picture' END), '' ORDER BY n)
			FROM jsonb_array_elements(CASE WHEN jsonb_typeof(evaluation -> 'worst_mated') = 'array' THEN evaluation -> 'worst_mated' ELSE '[]' END) WITH ORDINALITY u (w, n)), '<p>none</p>')
		|| '<h2>Non-mated pairs with the highest scores</h2>'
		|| coalesce((SELECT string_agg(format('<h3>%s and %s, captures %s and %s: %s%s</h3>%s', markup_text(w ->> 'person_a'), markup_text(w ->> 'person_b'), markup_text(w ->> 'capture_a'), markup_text(w ->> 'capture_b'),
				rate_text(w ->> 'score'), CASE WHEN w ->> 'suspected' = 'true' THEN ', suspected error of a label' END, CASE WHEN w ->> 'picture' LIKE '<svg %' THEN w ->> 'picture' END), '' ORDER BY n)
			FROM jsonb_array_elements(CASE WHEN jsonb_typeof(evaluation -> 'suspicious') = 'array' THEN evaluation -> 'suspicious' ELSE '[]' END) WITH ORDINALITY u (w, n)), '<p>none</p>')
		|| '</body></html>';
END;
COMMENT ON FUNCTION evaluation_html(jsonb, text) IS 'the result of evaluate() as a page that stands alone';

-- ---------------------------------------------------------------------------
-- who is there twice
-- ---------------------------------------------------------------------------

/*
 * Persons whose templates match, found through the index.  Among n persons there
 * are n (n - 1) / 2 pairs; the threshold is the score from which expected_false of
 * them are to be expected by chance.  Of each finger or eye the best score
 * counts, minus 10 log10 of the number of comparisons that it is the best of; these
 * are fused, and the fused score is compared.  Where one of two captures does not
 * say its finger or eye, their score adds nothing that may have been counted.
 *
 * The index is searched for the least score that the best finger of such a pair
 * can have.  Then all captures of the two persons are compared, so that the score
 * does not depend on which of them was found.
 *
 * A large table is done in parts: part 1 to parts, each with a share of the
 * persons that are searched with.  A part can be repeated.
 */
CREATE FUNCTION find_duplicates(gallery regclass, template_column name, person_column name,
		expected_false float8 DEFAULT 1, part integer DEFAULT 1, parts integer DEFAULT 1, threshold float8 DEFAULT NULL,
		OUT person_a text, OUT person_b text, OUT score float8, OUT sources integer, OUT pairs integer)
	RETURNS SETOF record LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 100 COST 1000000
	SET search_path = pg_catalog SET enable_seqscan = off SET biometric.search_mode = exact AS $$
DECLARE
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	type regtype;
	source text;
	persons float8;
	sources_of_one integer;
	least float8;
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	IF NOT coalesce(part BETWEEN 1 AND parts AND expected_false > 0 AND expected_false < 'Infinity', false) THEN
		RAISE EXCEPTION 'part must be from 1 to parts, and expected_false more than 0' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF threshold = 'NaN' THEN
		RAISE EXCEPTION 'threshold must not be NaN' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	type := template_type(gallery, template_column);
	source := CASE type::text WHEN 'fingerprint' THEN 'nullif(finger_position(%s), 0)::text' WHEN 'iris' THEN 'nullif(eye(%s), ''unknown'')'
		ELSE 'NULL::text' END;
	EXECUTE format('SELECT count(*), greatest(max(n), 1) FROM (SELECT count(DISTINCT %s) AS n FROM %s c WHERE %I IS NOT NULL AND %I IS NOT NULL GROUP BY %3$I) p',
		format(source, format('c.%I', template_column)), qualified_name(gallery), person_column, template_column) INTO persons, sources_of_one;
	threshold := coalesce(threshold, greatest(0, 10 * log((greatest(persons * (persons - 1) / 2, 1) / expected_false)::numeric)::float8));
	-- of lower and higher thresholds the rate is 1 or 0
	least := CASE WHEN threshold BETWEEN 1e-6 AND 3000 THEN best_score_threshold(power(10, -threshold / 10), 1, sources_of_one) ELSE threshold END;
	RETURN QUERY EXECUTE format($query$
		WITH found AS MATERIALIZED (
			SELECT DISTINCT a.%2$I AS pa, b.%2$I AS pb
			FROM %1$s a JOIN %1$s b ON b.%3$I %% probe(a.%3$I, $1) AND a.%2$I < b.%2$I
			WHERE a.%2$I IS NOT NULL AND abs(hashtextextended(a.%2$I::text, 5) %% $2) = $3 - 1
		), pair AS (
			SELECT a.%2$I::text AS pa, b.%2$I::text AS pb, match_score(a.%3$I, b.%3$I) AS s, CASE WHEN %4$s = %5$s THEN %4$s END AS f
			FROM found JOIN %1$s a ON a.%2$I = found.pa JOIN %1$s b ON b.%2$I = found.pb
			WHERE a.%3$I IS NOT NULL AND b.%3$I IS NOT NULL AND coalesce(%4$s = %5$s, true)
		), best AS MATERIALIZED (
			SELECT pa, pb, f, max(s) AS s, count(*) AS pairs FROM pair GROUP BY pa, pb, f
		), capture AS MATERIALIZED (
			SELECT c.%2$I::text AS p, %6$s AS f, count(*) AS n FROM %1$s c
			WHERE c.%3$I IS NOT NULL AND c.%2$I::text IN (SELECT pa FROM best UNION ALL SELECT pb FROM best) GROUP BY 1, 2
		), person AS MATERIALIZED (
			SELECT p, sum(n) AS n, coalesce(sum(n) FILTER (WHERE f IS NOT NULL), 0) AS known FROM capture GROUP BY p
		), source AS (
			SELECT t.pa, t.pb, t.f, t.pairs,
				greatest(0, t.s - 10 * log(greatest(1, CASE WHEN t.f IS NULL THEN x.n * y.n - x.known * y.known ELSE cx.n * cy.n END))::float8) AS s
			FROM best t JOIN person x ON x.p = t.pa JOIN person y ON y.p = t.pb
			LEFT JOIN capture cx ON cx.p = t.pa AND cx.f = t.f LEFT JOIN capture cy ON cy.p = t.pb AND cy.f = t.f
		), alike AS (
			SELECT pa, pb, CASE WHEN count(f) > 1 THEN fused_score(fuse(s, f), count(f)::integer) ELSE fuse(s, f) END AS s,
				greatest(count(f), 1)::integer AS sources, sum(pairs)::integer AS pairs
			FROM source GROUP BY pa, pb
		)
		SELECT pa, pb, s, sources, pairs FROM alike WHERE s >= $4 ORDER BY s DESC, pa, pb
	$query$, qualified_name(gallery), person_column, template_column, format(source, format('a.%I', template_column)), format(source, format('b.%I', template_column)),
		format(source, format('c.%I', template_column)))
	USING least, parts, part, threshold;
END
$$;
COMMENT ON FUNCTION find_duplicates(regclass, name, name, float8, integer, integer, float8) IS
	'pairs of persons of a table who may be one, found through its index';

/*
 * Connected components of pairs: persons who are one, if all pairs are right.
 * The weakest link is the pair that, taken away, might split the cluster: look at
 * it first.
 */
CREATE FUNCTION duplicate_clusters(person_a text[], person_b text[], score float8[],
		OUT cluster integer, OUT persons text[], OUT links integer, OUT weakest_a text, OUT weakest_b text, OUT weakest_score float8)
	RETURNS SETOF record LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 100
	SET search_path = pg_catalog AS $$
DECLARE
	names text[] := ARRAY(SELECT DISTINCT p FROM unnest(person_a || person_b) p WHERE p IS NOT NULL ORDER BY p);
	root integer[] := ARRAY(SELECT generate_series(1, cardinality(names)));
	a integer[];
	b integer[];
	x integer;
	y integer;
BEGIN
	IF cardinality(person_a) <> cardinality(person_b) OR cardinality(person_a) <> cardinality(score) THEN
		RAISE EXCEPTION 'the arrays must have as many elements as each other' USING ERRCODE = 'array_subscript_error';
	END IF;
	SELECT array_agg(na.i ORDER BY l.n), array_agg(nb.i ORDER BY l.n) INTO a, b
	FROM unnest(person_a, person_b) WITH ORDINALITY l (pa, pb, n)
	JOIN unnest(names) WITH ORDINALITY na (p, i) ON na.p = l.pa JOIN unnest(names) WITH ORDINALITY nb (p, i) ON nb.p = l.pb;
	FOR i IN 1 .. coalesce(cardinality(a), 0) LOOP
		x := a[i];
		WHILE root[x] <> x LOOP
			root[x] := root[root[x]];
			x := root[x];
		END LOOP;
		y := b[i];
		WHILE root[y] <> y LOOP
			root[y] := root[root[y]];
			y := root[y];
		END LOOP;
		root[greatest(x, y)] := least(x, y);
	END LOOP;
	-- in rising order, a root is settled before those that point to it
	FOR i IN 1 .. cardinality(names) LOOP
		root[i] := root[root[i]];
	END LOOP;
	RETURN QUERY
	WITH member AS (
		SELECT n.p, r.c FROM unnest(names) WITH ORDINALITY n (p, i) JOIN unnest(root) WITH ORDINALITY r (c, i) USING (i)
	), link AS (
		SELECT m.c, l.pa, l.pb, l.s FROM unnest(person_a, person_b, score) l (pa, pb, s) JOIN member m ON m.p = l.pa WHERE l.pb IS NOT NULL
	)
	SELECT (row_number() OVER (ORDER BY c.n DESC, c.c))::integer, c.members, (SELECT count(*)::integer FROM link k WHERE k.c = c.c), w.pa, w.pb, w.s
	FROM (SELECT m.c, count(*) AS n, array_agg(m.p ORDER BY m.p) AS members FROM member m GROUP BY m.c) c
	JOIN LATERAL (SELECT k.pa, k.pb, k.s FROM link k WHERE k.c = c.c ORDER BY k.s NULLS FIRST, k.pa, k.pb LIMIT 1) w ON true;
END
$$;
COMMENT ON FUNCTION duplicate_clusters(text[], text[], float8[]) IS
	'groups of persons connected by the pairs of find_duplicates(), each with its weakest link';

-- ---------------------------------------------------------------------------
-- for the DBA
-- ---------------------------------------------------------------------------

/*
 * How often a fast search finds what an exact one finds, on captures of the
 * index's own table: of samples rows that an exact search finds another row for,
 * with a score of at least min_score, the share where a fast search has that row,
 * or one as good, first.
 */
CREATE FUNCTION biometric_recall(index regclass, samples integer DEFAULT 100, min_score float8 DEFAULT 40,
		OUT searched integer, OUT with_mate integer, OUT fast_found integer, OUT recall float8, OUT recall_low float8, OUT recall_high float8)
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 1000000
	SET search_path = pg_catalog SET enable_seqscan = off SET enable_sort = off SET biometric.search_mode = exact AS $$
DECLARE
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	gallery regclass;
	template_column name;
	sample record;
	exact_score float8;
	fast_score float8;
	place text;
	condition text;
	query text;
	plan jsonb;
	limits float8[];
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	SELECT i.indrelid, a.attname, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true') INTO gallery, template_column, condition
	FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
	JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indexrelid = index AND m.amname = 'biometric';
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is not a biometric index on a column', index USING ERRCODE = 'wrong_object_type';
	END IF;
	IF min_score = 'NaN' THEN
		RAISE EXCEPTION 'min_score must not be NaN' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	searched := 0; with_mate := 0; fast_found := 0;
	place := format(row_place(gallery), '');
	-- templates are passed as text, for their type differs from call to call
	query := format('SELECT match_score(%1$I, $1::%5$s) FROM %2$s WHERE %3$s <> $2 AND (%4$s) ORDER BY %1$I <-> $1::%5$s LIMIT 1',
		template_column, qualified_name(gallery), place, condition, template_type(gallery, template_column));
	FOR sample IN EXECUTE format('SELECT %4$s AS place, %1$I::text AS template FROM %2$s WHERE %1$I IS NOT NULL AND (%5$s) ORDER BY hashtextextended(%4$s, 6) LIMIT %3$s',
			template_column, qualified_name(gallery), greatest(samples, 0), place, condition) LOOP
		-- what is said is said of this index: the others of a table are not asked
		IF searched = 0 AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = index AND relkind = 'i') THEN
			EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan USING sample.template, sample.place;
			IF NOT jsonb_path_exists(plan, '$.**."Index Name" ? (@ == $name)',
					jsonb_build_object('name', (SELECT relname FROM pg_catalog.pg_class WHERE oid = index))) THEN
				RAISE EXCEPTION 'searches do not use index %', index USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = 'It may be invalid, or the table may have another index on the column.';
			END IF;
		END IF;
		searched := searched + 1;
		PERFORM pg_catalog.set_config('biometric.search_mode', 'exact', true);
		EXECUTE query INTO exact_score USING sample.template, sample.place;
		CONTINUE WHEN exact_score IS NULL OR exact_score < min_score;
		with_mate := with_mate + 1;
		PERFORM pg_catalog.set_config('biometric.search_mode', 'fast', true);
		EXECUTE query INTO fast_score USING sample.template, sample.place;
		IF fast_score >= exact_score THEN
			fast_found := fast_found + 1;
		END IF;
	END LOOP;
	IF with_mate > 0 THEN
		recall := fast_found::float8 / with_mate;
		limits := rate_interval(fast_found, with_mate);
		recall_low := limits[1];
		recall_high := limits[2];
	END IF;
END
$$;
COMMENT ON FUNCTION biometric_recall(regclass, integer, float8) IS
	'how often a fast search of an index finds first what an exact search finds first, on samples of its own rows';

/*
 * One row a check.  status is ok, notice, warning or error.  With samples, fast
 * searches of each index are compared with exact ones: biometric_recall().
 */
CREATE FUNCTION biometric_health(samples integer DEFAULT 0, min_recall float8 DEFAULT 0.99,
		OUT check_name text, OUT object text, OUT status text, OUT detail text, OUT hint text)
	RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 20 COST 100000
	SET search_path = pg_catalog AS $$
DECLARE
	schema text := (SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	installed text := (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'biometric');
	library text;
	r record;
	s record;
	q record;
	version integer;
BEGIN
	PERFORM pg_catalog.set_config('search_path', schema || ', pg_catalog', true);
	library := split_part(biometric_version(), ',', 1);
	check_name := 'version'; object := 'biometric'; status := 'ok'; hint := NULL;
	detail := format('library %s, objects %s', library, installed);
	IF library <> installed THEN
		status := 'warning'; hint := 'Run ALTER EXTENSION biometric UPDATE.';
	END IF;
	RETURN NEXT;

	check_name := 'kernels'; object := NULL; status := 'ok'; hint := NULL;
	detail := (SELECT string_agg(k.kernel, ', ' ORDER BY k.kernel) FROM biometric_kernels() k WHERE k.chosen);
	RETURN NEXT;

	-- settings of this session, and those that others get
	FOR r IN
		SELECT g.name, g.setting, NULL AS whose FROM pg_catalog.pg_settings g WHERE g.name LIKE 'biometric.%'
		UNION ALL
		SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1),
			concat_ws(' in ', CASE WHEN d.setrole <> 0 THEN format('role %s', d.setrole::regrole) END, CASE WHEN d.setdatabase <> 0 THEN format('database %I', current_database()) END)
		FROM pg_catalog.pg_db_role_setting d, unnest(d.setconfig) c
		WHERE d.setdatabase IN (0, (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = current_database())) AND c LIKE 'biometric.%'
		ORDER BY 1, 3 NULLS FIRST
	LOOP
		check_name := 'setting'; object := concat_ws(' of ', r.name, r.whose); status := 'ok'; hint := NULL;
		detail := r.setting;
		-- what is stored before the library is loaded is not checked
		IF (CASE r.name WHEN 'biometric.search_mode' THEN lower(r.setting) NOT IN ('exact', 'fast')
			ELSE r.setting !~* '^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?\s*$' END) THEN
			status := 'warning';
			hint := 'This is no value of the setting, so sessions have the default. Set another one.';
		ELSIF r.name = 'biometric.search_mode' AND lower(r.setting) = 'fast' THEN
			status := 'notice';
			hint := 'Fast searches may miss persons. biometric_recall() tells how often.';
		ELSIF r.name = 'biometric.match_threshold' AND r.setting::float8 < 30 THEN
			status := 'warning';
			hint := format('At this threshold one in %s non-mated comparisons matches.', round(power(10, r.setting::float8 / 10)::numeric));
		END IF;
		RETURN NEXT;
	END LOOP;

	check_name := 'log'; object := NULL; status := 'ok'; detail := NULL; hint := NULL;
	IF current_setting('log_parameter_max_length') <> '0'
		AND (current_setting('log_statement') IN ('mod', 'all') OR current_setting('log_min_duration_statement') <> '-1'
			OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate')::float8 > 0) THEN
		status := 'warning';
		detail := 'statements are logged with their parameters, templates included';
		hint := 'Set log_parameter_max_length to 0.';
	END IF;
	RETURN NEXT;

	-- before PostgreSQL 17 only a preloaded library has shared memory; not everybody may see the setting
	FOR r IN SELECT setting FROM pg_catalog.pg_settings WHERE name = 'shared_preload_libraries' LOOP
		check_name := 'preloaded'; object := NULL; status := 'ok'; detail := NULL; hint := NULL;
		IF current_setting('server_version_num')::integer < 170000 AND NOT EXISTS (SELECT FROM regexp_split_to_table(r.setting, '[[:space:],"]+') l WHERE l LIKE '%biometric') THEN
			status := 'notice';
			detail := 'biometric_index_activity counts only what the own process does';
			hint := 'Add biometric to shared_preload_libraries, and restart.';
		END IF;
		RETURN NEXT;
	END LOOP;

	check_name := 'memory'; object := NULL; status := 'ok'; hint := NULL;
	SELECT sum(pg_catalog.pg_relation_size(c.oid)) AS indexes, g.setting::bigint * current_setting('block_size')::bigint AS buffers INTO r
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam, pg_catalog.pg_settings g
	WHERE m.amname = 'biometric' AND c.relkind = 'i' AND g.name = 'shared_buffers' GROUP BY g.setting;
	detail := format('%s of indexes, %s of shared_buffers', pg_size_pretty(coalesce(r.indexes, 0)), current_setting('shared_buffers'));
	IF r.indexes > r.buffers THEN
		status := 'notice';
		hint := 'Searches read what does not fit from the operating system or from disk. Raise shared_buffers.';
	END IF;
	RETURN NEXT;

	-- indexes: usable, of this library's versions, not too far behind
	FOR r IN
		SELECT i.indexrelid::regclass AS index, i.indexrelid AS oid, i.indisvalid AS valid, i.indrelid::regclass AS gallery,
			c.relpersistence, st.n_dead_tup AS dead, st.n_live_tup AS live
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
		LEFT JOIN pg_catalog.pg_stat_all_tables st ON st.relid = i.indrelid
		WHERE m.amname = 'biometric' AND c.relkind = 'i' AND c.relpersistence <> 't' ORDER BY 1
	LOOP
		check_name := 'index'; object := r.index; status := 'ok'; hint := NULL; detail := NULL;
		IF NOT r.valid THEN
			status := 'error';
			detail := 'the index is not valid; a build of it failed or is under way';
			hint := format('Run REINDEX INDEX CONCURRENTLY %s, or drop it.', r.index);
			RETURN NEXT;
			CONTINUE;
		END IF;
		BEGIN
			SELECT * INTO s FROM biometric_index_stats(r.index);
		EXCEPTION
			WHEN insufficient_privilege THEN
				status := 'notice'; detail := 'not looked at: permission denied'; hint := 'pg_stat_scan_tables may look at all indexes.';
				RETURN NEXT;
				CONTINUE;
			WHEN OTHERS THEN
				status := 'error'; detail := SQLERRM; hint := format('Run REINDEX INDEX %s.', r.index);
				RETURN NEXT;
				CONTINUE;
		END;
		detail := format('%s entries, %s pending, %s dead', s.entries, s.pending_entries, s.dead_entries);
		version := substring(biometric_version() FROM s.modality || ' features ([0-9]+)')::integer;
		IF s.features_version <> version THEN
			status := 'error';
			detail := format('features of version %s, this library makes %s', s.features_version, version);
			hint := format('Run REINDEX INDEX %s.', r.index);
		ELSIF s.dead_entries > 1000 AND s.dead_entries > 0.2 * s.entries OR r.dead > 1000 AND r.dead > 0.2 * r.live THEN
			status := 'warning';
			detail := format('%s dead rows of %s', greatest(s.dead_entries, r.dead), r.gallery);
			hint := 'Autovacuum is behind. Lower autovacuum_vacuum_scale_factor of the table, or run VACUUM.';
		END IF;
		RETURN NEXT;
		CONTINUE WHEN status = 'error';

		IF r.relpersistence = 'u' THEN
			check_name := 'unlogged'; status := 'notice'; detail := 'a crash empties it, and standbys do not have it';
			hint := format('If it is to last: ALTER TABLE %s SET LOGGED.', r.gallery);
			RETURN NEXT;
		END IF;
		IF NOT s.preselection AND current_setting('biometric.search_mode') = 'fast' THEN
			check_name := 'preselection'; status := 'notice'; detail := 'fast searches of this index are exact';
			hint := format('ALTER INDEX %s SET (preselection = on), then REINDEX.', r.index);
			RETURN NEXT;
		END IF;
		IF samples > 0 AND s.preselection THEN
			check_name := 'recall'; status := 'ok'; hint := NULL;
			BEGIN
				SELECT * INTO q FROM biometric_recall(r.index, samples);
				detail := format('%s of %s rows with a mate found', q.fast_found, q.with_mate);
				IF q.with_mate = 0 THEN
					status := 'notice'; hint := 'No sampled row has a mate in the table: nothing is known of recall.';
				ELSIF q.recall < min_recall THEN
					status := 'warning'; hint := 'Raise biometric.penetration_rate, or search exactly.';
				END IF;
			EXCEPTION
				WHEN OTHERS THEN
					status := 'error'; detail := SQLERRM;
			END;
			RETURN NEXT;
		END IF;
	END LOOP;

	-- columns of templates without an index
	FOR r IN
		SELECT a.attrelid::regclass AS gallery, a.attname, c.reltuples
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
		JOIN pg_catalog.pg_opclass o ON o.opcintype = a.atttypid JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
		WHERE m.amname = 'biometric' AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND NOT a.attisdropped AND a.attnum > 0 AND c.reltuples > 10000
		  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
			WHERE i.indrelid = a.attrelid AND x.relam = m.oid AND a.attnum = ANY (i.indkey::smallint[]))
		ORDER BY 1, 2
	LOOP
		check_name := 'unindexed'; object := format('%s.%I', r.gallery, r.attname); status := 'notice';
		detail := format('about %s rows', r.reltuples);
		hint := format('If it is searched: CREATE INDEX ON %s USING biometric (%I).', r.gallery, r.attname);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION biometric_health(integer, float8) IS 'checks of the library, settings and indexes, one row each';
