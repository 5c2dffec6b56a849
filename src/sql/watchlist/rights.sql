-- ---------------------------------------------------------------------------
-- rights: which duty may do what
--
-- This table is the one place that says so.  Grants, comments and
-- the table in the documentation come from it.  Nothing is granted to PUBLIC.
-- ---------------------------------------------------------------------------

CREATE TABLE duty_rights (
	duty text NOT NULL CHECK (duty IN ('officer', 'curator', 'releaser', 'examiner', 'supervisor', 'auditor', 'operator', 'analyst', 'administrator', 'partner')),
	object text NOT NULL,		-- function, table or view of schema watchlist
	"right" text NOT NULL DEFAULT 'EXECUTE',
	PRIMARY KEY (duty, object)
);

-- what each object does, in a line
CREATE TABLE object_uses (object text PRIMARY KEY, use text NOT NULL);

CREATE TABLE duties (
	duty text NOT NULL,
	role regrole NOT NULL,
	PRIMARY KEY (duty, role)
);

INSERT INTO object_uses VALUES
	('check_traveller', 'search for a traveller, and keep what was found'),
	('view_search', 'the candidates of a search, as they were found'),
	('view_person', 'name, birth date and caveat of a person of ours'),
	('view_answers', 'what partners answered about an encounter'),
	('request_core_data', 'ask a partner who is behind a name that it gave'),
	('undelivered_alerts', 'alerts that nobody of the agency has acknowledged'),
	('acknowledge_alert', 'say that an alert has been read'),
	('alert_history', 'alerts of the agency, acknowledged or not'),
	('add_person', 'a new person of the agency'),
	('correct_person', 'name, birth date, caveat; the old values are kept'),
	('enrol', 'fingers and eyes of a person'),
	('enrol_encounter', 'captures of an encounter become enrolments'),
	('withdraw_enrolment', 'a template that is not to be searched any more'),
	('list_enrolments', 'what is enrolled of a person'),
	('find_duplicates', 'whom a person looks like'),
	('merge_persons', 'two records of one person become one'),
	('split_person', 'enrolments that were another person''s'),
	('hand_over_person', 'another agency keeps the person'),
	('create_list', 'a new list of the agency'),
	('change_list', 'title, legal basis, caveats, open to all'),
	('open_list_to', 'another agency sees the list'),
	('close_list_to', 'another agency does not see it any more'),
	('close_list', 'a list is neither searched nor sent, or is again'),
	('delete_list', 'a list with its entries'),
	('hand_over_list', 'another agency keeps the list'),
	('add_to_list', 'an entry'),
	('change_entry', 'caveats, withholdings, last day; renew an entry'),
	('remove_from_list', 'the end of an entry'),
	('consent_to_listing', 'another agency may list a person of ours'),
	('end_consent', 'it may not any more'),
	('link_encounter', 'an encounter was of a person'),
	('unlink_encounter', 'it was not'),
	('set_retention', 'how long a person is kept'),
	('set_encounter_retention', 'how long an encounter is kept'),
	('set_legal_hold', 'a person must not be purged'),
	('erase_person', 'a person goes at once, with proof'),
	('report_on_person', 'everything that is kept about a person'),
	('release_list', 'a list goes to a partner: sent, or only to be asked'),
	('end_release', 'it does not any more'),
	('decide_release', 'whether a partner may know who is behind a name'),
	('open_review', 'two examiners are to look at a candidate'),
	('withdraw_review', 'a review that is not finished'),
	('review_outcome', 'what the examiners decided'),
	('view_review', 'probe, candidate and marks of a review'),
	('resolve_review', 'settle a dissent'),
	('reviews_to_take', 'reviews that one may take'),
	('take_review', 'become one of the two examiners'),
	('view_probe', 'the traveller''s captures'),
	('lock_marks', 'what the examiner relies on'),
	('view_candidate', 'the candidate, when the marks are locked'),
	('decide', 'identification, exclusion or inconclusive'),
	('search_gallery', 'search the lists that the agency sees'),
	('my_gallery', 'the templates on lists that the agency sees'),
	('log', 'every step, with purpose and case'),
	('seals', 'the seals of the log'),
	('disclosures', 'what partners learnt, and asked in vain'),
	('searches_by_month', 'searches by agency, partner and purpose'),
	('disclosures_by_month', 'disclosures by partner'),
	('log_by_month', 'entries by caller'),
	('verify_log', 'what is wrong with the log'),
	('log_head', 'the last seal, for somebody else to note'),
	('release_rules', 'which list goes to which partner'),
	('release_decisions', 'decisions on core data'),
	('consents', 'what keepers of persons allow others'),
	('person_corrections', 'old names and birth dates'),
	('review_outcomes', 'decisions, dissent, conclusions'),
	('purges', 'when was purged, and why'),
	('purged', 'hashes of what is gone'),
	('verify_purge', 'whether something of a purge is still there'),
	('identity_conflicts', 'the same fingers under different names'),
	('coverage', 'what no search can find, and why'),
	('coverage_summary', 'the same, counted'),
	('feed_lag', 'how far partners are with their feeds'),
	('duties', 'who has which duty'),
	('duty_rights', 'which duty may do what'),
	('search_past_encounters', 'job: new entries against past encounters, and the other way round'),
	('seal_log', 'job: seal the log'),
	('number_changes', 'job: number changes for partners'),
	('pull', 'job, for each partner: fetch what it sent'),
	('complete_remote_searches', 'job, for each partner: ask what waits'),
	('refresh_gallery', 'daily job: what has expired'),
	('purge_expired', 'daily job: what is past its time'),
	('reopen_searches', 'ask again what a partner refused'),
	('add_agency', 'an agency and its role'),
	('rename_agency', 'another name of an agency'),
	('share_login', 'whether an application shares a login among persons'),
	('grant_duty', 'a role has a duty'),
	('revoke_duty', 'it does not any more'),
	('add_partner', 'a partner and its login'),
	('connect_partner', 'through which server we ask and fetch'),
	('pause_partner', 'a partner gets and answers nothing, or does again'),
	('remove_partner', 'a partner, with all that it sent'),
	('change_setting', 'time zone, search mode, most entries from a partner'),
	('set_quality_gate', 'what is too poor'),
	('set_default_retention', 'how long persons and encounters are kept'),
	('partner_feed', 'what is sent to the partner that reads it'),
	('partner_acknowledgement', 'how far the partner is'),
	('partner_search', 'search of a partner: band and name'),
	('partner_core_data', 'a partner asks who is behind a name'),
	('current_partner', 'the partner that is connected'),
	('today', 'the day in the country'),
	('as_set', 'an array in order, without repetitions');

INSERT INTO duty_rights (duty, object)
	SELECT d.duty, o
	FROM (VALUES
		('officer', '{check_traveller,view_search,view_person,view_answers,request_core_data,undelivered_alerts,acknowledge_alert,alert_history}'::text[]),
		('curator', '{add_person,correct_person,enrol,enrol_encounter,withdraw_enrolment,list_enrolments,find_duplicates,merge_persons,split_person,
			hand_over_person,create_list,change_list,open_list_to,close_list_to,close_list,delete_list,hand_over_list,add_to_list,change_entry,
			remove_from_list,consent_to_listing,end_consent,link_encounter,unlink_encounter,view_person,set_retention,set_encounter_retention,
			set_legal_hold,erase_person,report_on_person}'),
		('releaser', '{release_list,end_release,decide_release,view_person}'),
		('supervisor', '{open_review,withdraw_review,review_outcome,view_review,resolve_review,view_search,view_person,alert_history}'),
		('examiner', '{reviews_to_take,take_review,view_probe,lock_marks,view_candidate,decide,review_outcome}'),
		('auditor', '{verify_log,log_head,verify_purge,coverage,coverage_summary,identity_conflicts,feed_lag}'),
		('operator', '{seal_log,search_past_encounters,number_changes,pull,complete_remote_searches,refresh_gallery,purge_expired,coverage_summary,
			feed_lag,reopen_searches}'),
		('analyst', '{search_gallery,my_gallery}'),
		('administrator', '{add_agency,rename_agency,share_login,grant_duty,revoke_duty,add_partner,connect_partner,pause_partner,remove_partner,
			change_setting,set_quality_gate,set_default_retention,coverage_summary,feed_lag}'),
		('partner', '{current_partner,today,as_set}')) d (duty, objects), unnest(d.objects) o;
INSERT INTO duty_rights (duty, object, "right")
	SELECT d.duty, o, d."right"
	FROM (VALUES
		('auditor', 'SELECT', '{log,seals,disclosures,searches_by_month,disclosures_by_month,log_by_month,release_rules,release_decisions,consents,
			person_corrections,review_outcomes,purges,purged,duties,duty_rights}'::text[]),
		('partner', 'SELECT', '{partner_feed}'),
		('partner', 'SELECT, INSERT', '{partner_acknowledgement,partner_search,partner_core_data}')) d (duty, "right", objects), unnest(d.objects) o;

CREATE FUNCTION give_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	rights record;
BEGIN
	INSERT INTO watchlist.duties (duty, role) VALUES (give_duty.duty, give_duty.role) ON CONFLICT DO NOTHING;
	EXECUTE format('GRANT USAGE ON SCHEMA watchlist TO %s', role);
	FOR rights IN SELECT * FROM watchlist.duty_rights d WHERE d.duty = give_duty.duty LOOP
		EXECUTE format('GRANT %s ON %s watchlist.%I TO %s', rights."right", CASE rights."right" WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, rights.object, role);
	END LOOP;
END
$$;

-- What another duty of the role needs stays.
CREATE FUNCTION take_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	rights record;
BEGIN
	DELETE FROM watchlist.duties d WHERE d.duty = take_duty.duty AND d.role = take_duty.role;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = role) THEN
		RETURN;
	END IF;
	FOR rights IN
		SELECT d.* FROM watchlist.duty_rights d
		WHERE d.duty = take_duty.duty
		  AND NOT EXISTS (SELECT FROM watchlist.duty_rights o JOIN watchlist.duties k ON k.duty = o.duty WHERE k.role = take_duty.role AND o.object = d.object)
	LOOP
		EXECUTE format('REVOKE %s ON %s watchlist.%I FROM %s', rights."right", CASE rights."right" WHEN 'EXECUTE' THEN 'FUNCTION' ELSE 'TABLE' END, rights.object, role);
	END LOOP;
	IF NOT EXISTS (SELECT FROM watchlist.duties k WHERE k.role = take_duty.role) THEN
		EXECUTE format('REVOKE USAGE ON SCHEMA watchlist FROM %s', role);
	END IF;
END
$$;

CREATE FUNCTION grant_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.duty_rights d WHERE d.duty = grant_duty.duty AND d.duty <> 'partner') THEN
		RAISE EXCEPTION 'there is no duty "%"', left(duty, 100)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('Duties are: %s. add_partner() makes a partner.',
								(SELECT string_agg(DISTINCT d.duty, ', ') FROM watchlist.duty_rights d WHERE d.duty <> 'partner'));
	END IF;
	PERFORM watchlist.country();
	PERFORM watchlist.give_duty(duty, role);
	PERFORM watchlist.note('duty', 'administration', 'duty', detail => format('granted %s to %s', duty, role));
END
$$;

CREATE FUNCTION revoke_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.take_duty(duty, role);
	PERFORM watchlist.note('duty', 'administration', 'duty', detail => format('revoked %s from %s', duty, role));
END
$$;

-- What the courier, who talks to partners, may do here.
GRANT USAGE, CREATE ON SCHEMA watchlist TO watchlist_courier;
ALTER FUNCTION pull OWNER TO watchlist_courier;
ALTER FUNCTION complete_remote_searches OWNER TO watchlist_courier;
ALTER FUNCTION request_core_data OWNER TO watchlist_courier;
REVOKE CREATE ON SCHEMA watchlist FROM watchlist_courier;
GRANT SELECT, INSERT, UPDATE, DELETE ON received, received_entries TO watchlist_courier;
GRANT SELECT, UPDATE ON received_feeds TO watchlist_courier;
GRANT SELECT, INSERT, DELETE ON received_problems TO watchlist_courier;
GRANT SELECT ON parts TO watchlist_courier;

DO $$
DECLARE
	one record;
	setting record;
BEGIN
	FOR one IN
		SELECT p.oid::regprocedure AS function, p.proname, p.prosecdef
		FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
		WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		  AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'biometric_watchlist')
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one.function);
		-- whatever the caller's settings, results are the same
		IF one.prosecdef THEN
			FOR setting IN
				SELECT v.name, v.value
				FROM (VALUES ('TimeZone', 'UTC'), ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),
							 ('bytea_output', 'hex'), ('standard_conforming_strings', 'on'), ('client_min_messages', 'notice')) v (name, value)
				UNION ALL
				SELECT s.name, s.boot_val FROM pg_catalog.pg_settings s WHERE s.name LIKE 'biometric.%' AND s.context = 'user'
			LOOP
				EXECUTE format('ALTER FUNCTION %s SET %s = %L', one.function, setting.name, setting.value);
			END LOOP;
			EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', one.function);
		END IF;
		IF one.proname IN ('note', 'follow_arrivals', 'received_part', 'received_size', 'most_received', 'read_rows', 'same_template', 'problem_of', 'store_batch',
						   'store_received', 'drop_received', 'next_search', 'store_answer', 'pending_searches', 'require_reason', 'require_read_committed', 'is_blank', 'owner_of')
		   OR one.proname IN ('pull', 'complete_remote_searches', 'request_core_data') THEN
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO watchlist_courier', one.function);
		END IF;
	END LOOP;
	FOR one IN
		SELECT p.oid::regprocedure AS function, u.use FROM pg_catalog.pg_proc p JOIN watchlist.object_uses u ON u.object = p.proname
		WHERE p.pronamespace = 'watchlist'::regnamespace
	LOOP
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', one.function, one.use);
	END LOOP;
	-- what pg_dump takes along: all but what this script fills
	FOR one IN
		SELECT c.oid::regclass AS relation FROM pg_catalog.pg_class c JOIN pg_catalog.pg_depend d ON d.objid = c.oid
		WHERE c.relkind IN ('r', 'S') AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		  AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'biometric_watchlist')
		  AND c.relname NOT IN ('duty_rights', 'object_uses')
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(one.relation, '');
	END LOOP;
END
$$;
