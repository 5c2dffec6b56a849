/*
 * probe.c
 *		A template together with the lowest score that counts as a match.
 *
 * "t % probe(q, 60)" needs no setting, so it is immutable: it can drive an
 * index, be shipped to a foreign server and differ from row to row.  Any
 * number is a minimum: a leakproof function must not fail on one.  Nobody
 * scores NaN, which PostgreSQL sorts above all numbers.
 */
#include "postgres.h"

#include <ctype.h>

#include "compat.h"
#include "libpq/pqformat.h"
#include "type/matching.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define PROBE_PREFIX sizeof(float8)

Datum
probe_make(Datum template, double min_score)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(template);
	Size            length = VARSIZE_ANY_EXHDR(detoasted);
	char           *probe;

	probe = palloc(VARHDRSZ + PROBE_PREFIX + length);
	SET_VARSIZE(probe, VARHDRSZ + PROBE_PREFIX + length);
	memcpy(VARDATA(probe), &min_score, PROBE_PREFIX);
	memcpy(VARDATA(probe) + PROBE_PREFIX, VARDATA_ANY(detoasted), length);
	return PointerGetDatum(probe);
}

Datum
probe_take_apart(Datum probe, double *min_score)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(probe);
	Size            length = VARSIZE_ANY_EXHDR(detoasted) - PROBE_PREFIX;
	char *template;

	template = palloc(VARHDRSZ + length);
	SET_VARSIZE(template, VARHDRSZ + length);
	memcpy(min_score, VARDATA_ANY(detoasted), PROBE_PREFIX);
	memcpy(VARDATA(template), VARDATA_ANY(detoasted) + PROBE_PREFIX, length);
	if ((Pointer) detoasted != DatumGetPointer(probe))
		pfree(detoasted);
	return PointerGetDatum(template);
}

double
probe_min_score(Datum probe)
{
	struct varlena *start = PG_DETOAST_DATUM_SLICE(probe, 0, PROBE_PREFIX);
	double          min_score;

	memcpy(&min_score, VARDATA_ANY(start), PROBE_PREFIX);
	return min_score;
}

/* a call of one of the template's own input or output functions */
static Datum
call_template_function(FunctionCallInfo fcinfo, PGFunction function, Datum argument)
{
	LOCAL_FCINFO(call, 3);
	Datum result;

	InitFunctionCallInfoData(*call, fcinfo->flinfo, 3, InvalidOid, fcinfo->context, NULL);
	call->args[0].value = argument;
	call->args[0].isnull = false;
	call->args[1].value = ObjectIdGetDatum(InvalidOid);
	call->args[1].isnull = false;
	call->args[2].value = Int32GetDatum(-1);
	call->args[2].isnull = false;
	result = function(call);
	fcinfo->isnull = call->isnull;
	return result;
}

Datum
probe_in(FunctionCallInfo fcinfo, PGFunction template_in)
{
	char  *text = PG_GETARG_CSTRING(0);
	char  *space, *end;
	double min_score;
	Datum template;

	while (isspace((unsigned char) *text))
		text++;
	space = strchr(text, ' ');

	/* not by float8in, whose message quotes what may be a template */
	errno = 0;
	min_score = strtod(text, &end);
	if (space == NULL || end != space || end == text || errno == ERANGE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for a probe"),
						errdetail("A probe is a minimum score, a space and a template.")));
	template = call_template_function(fcinfo, template_in, CStringGetDatum(space + 1));
	if (fcinfo->isnull || DatumGetPointer(template) == NULL)
		PG_RETURN_NULL(); /* a soft error was reported */
	return probe_make(template, min_score);
}

Datum
probe_out(FunctionCallInfo fcinfo, PGFunction template_out)
{
	double min_score;
	Datum template = probe_take_apart(PG_GETARG_DATUM(0), &min_score);
	Datum text = call_template_function(fcinfo, template_out, template);

	PG_RETURN_CSTRING(psprintf("%s %s", float8out_internal(min_score), DatumGetCString(text)));
}

Datum
probe_recv(FunctionCallInfo fcinfo, PGFunction template_recv)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	double     min_score = pq_getmsgfloat8(message);

	return probe_make(call_template_function(fcinfo, template_recv, PointerGetDatum(message)),
					  min_score);
}

Datum
probe_send(FunctionCallInfo fcinfo, PGFunction template_send)
{
	double min_score;
	Datum template = probe_take_apart(PG_GETARG_DATUM(0), &min_score);
	bytea         *bytes = DatumGetByteaPP(call_template_function(fcinfo, template_send, template));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendfloat8(&message, min_score);
	pq_sendbytes(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}
