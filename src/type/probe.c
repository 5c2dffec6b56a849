/*
 * probe.c
 *		The probe types: a template with the lowest score that is a match.
 *
 * "t % probe(q, 60)" needs no setting, so it is immutable: an index can answer
 * it, it can be shipped to a foreign server, and the minimum can differ from row
 * to row.  Any number is a minimum, because a leakproof function must not fail on
 * one.  No score reaches NaN, which PostgreSQL sorts above all numbers.
 */
#include "postgres.h"

#include <ctype.h>

#include "compat.h"
#include "libpq/pqformat.h"
#include "fmgr.h"
#include "type/modality.h"
#include "type/probe.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#define PROBE_PREFIX sizeof(float8)

/* what is too short, which only a damaged table holds, matches nothing */
static double
min_score_in(const struct varlena *probe)
{
	double min_score;

	if (VARSIZE_ANY_EXHDR(probe) < PROBE_PREFIX)
		return get_float8_nan();
	memcpy(&min_score, VARDATA_ANY(probe), PROBE_PREFIX);
	return min_score;
}

Datum
probe_make(Datum datum, double min_score)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(datum);
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
	Size            size = VARSIZE_ANY_EXHDR(detoasted);
	Size            length = Max(size, PROBE_PREFIX) - PROBE_PREFIX;
	char           *datum;

	datum = palloc(VARHDRSZ + length);
	SET_VARSIZE(datum, VARHDRSZ + length);
	*min_score = min_score_in(detoasted);
	memcpy(VARDATA(datum), VARDATA_ANY(detoasted) + PROBE_PREFIX, length);
	if ((Pointer) detoasted != DatumGetPointer(probe))
		pfree(detoasted);
	return PointerGetDatum(datum);
}

double
probe_min_score(Datum probe)
{
	return min_score_in(PG_DETOAST_DATUM_SLICE(probe, 0, PROBE_PREFIX));
}

/* probe(template, min_score) */
PG_FUNCTION_INFO_V1(biometric_probe);
Datum
biometric_probe(PG_FUNCTION_ARGS)
{
	return probe_make(PG_GETARG_DATUM(0), PG_GETARG_FLOAT8(1));
}

typedef enum TypeFunction
{
	TYPE_INPUT,
	TYPE_OUTPUT,
	TYPE_RECEIVE,
	TYPE_SEND
} TypeFunction;

/* An input or output function of the template's type, kept in fn_extra */
typedef struct TemplateFunction
{
	FmgrInfo function;
	Oid      parameter; /* the second argument of input functions */
} TemplateFunction;

/*
 * Which function of the template's type belongs to the called one of the probe
 * type: input functions return a probe, output functions take one.
 */
static TemplateFunction *
template_function(FunctionCallInfo fcinfo, TypeFunction which)
{
	TemplateFunction *found = fcinfo->flinfo->fn_extra;
	Oid              *arguments;
	int               count;
	Oid               probe_type, template_type, function;
	Oid               parameter = InvalidOid;
	bool              is_varlena;

	if (found != NULL)
		return found;
	probe_type = get_func_signature(fcinfo->flinfo->fn_oid, &arguments, &count);
	if (which == TYPE_OUTPUT || which == TYPE_SEND)
		probe_type = arguments[0];
	template_type = biometric_template_type(probe_type);
	if (!OidIsValid(template_type))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("no operator class for access method \"%s\" has probes of type %s",
							   "biometric", format_type_be(probe_type))));
	switch (which)
	{
		case TYPE_INPUT:
			getTypeInputInfo(template_type, &function, &parameter);
			break;
		case TYPE_OUTPUT:
			getTypeOutputInfo(template_type, &function, &is_varlena);
			break;
		case TYPE_RECEIVE:
			getTypeBinaryInputInfo(template_type, &function, &parameter);
			break;
		case TYPE_SEND:
			getTypeBinaryOutputInfo(template_type, &function, &is_varlena);
			break;
	}
	found = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(TemplateFunction));
	fmgr_info_cxt(function, &found->function, fcinfo->flinfo->fn_mcxt);
	found->parameter = parameter;
	fcinfo->flinfo->fn_extra = found;
	return found;
}

/* Calls a function of the template's type; *is_null if it reported an error without raising it */
static Datum
call_template_function(FunctionCallInfo fcinfo, TypeFunction which, Datum argument, bool *is_null)
{
	LOCAL_FCINFO(call, 3);
	TemplateFunction *found = template_function(fcinfo, which);
	Datum             result;

	InitFunctionCallInfoData(*call, &found->function, found->function.fn_nargs, InvalidOid,
							 fcinfo->context, NULL);
	call->args[0].value = argument;
	call->args[0].isnull = false;
	call->args[1].value = ObjectIdGetDatum(found->parameter);
	call->args[1].isnull = false;
	call->args[2].value = Int32GetDatum(-1);
	call->args[2].isnull = false;
	result = FunctionCallInvoke(call);
	*is_null = call->isnull || DatumGetPointer(result) == NULL;
	return result;
}

PG_FUNCTION_INFO_V1(biometric_probe_in);
Datum
biometric_probe_in(PG_FUNCTION_ARGS)
{
	char  *text = PG_GETARG_CSTRING(0);
	char  *space, *end;
	double min_score;
	Datum  datum;
	bool   is_null;

	while (isspace((unsigned char) *text))
		text++;
	space = strchr(text, ' ');

	/* not by float8in, whose message quotes what may be a template */
	errno = 0;
	min_score = strtod(text, &end);
	if (space == NULL || end != space || end == text || errno == ERANGE)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for a probe"),
				 errdetail("A probe is a minimum score, a space and a template.")));
	datum = call_template_function(fcinfo, TYPE_INPUT, CStringGetDatum(space + 1), &is_null);
	if (is_null)
		PG_RETURN_NULL();
	return probe_make(datum, min_score);
}

PG_FUNCTION_INFO_V1(biometric_probe_out);
Datum
biometric_probe_out(PG_FUNCTION_ARGS)
{
	double min_score;
	Datum  datum = probe_take_apart(PG_GETARG_DATUM(0), &min_score);
	bool   is_null;
	Datum  text = call_template_function(fcinfo, TYPE_OUTPUT, datum, &is_null);

	PG_RETURN_CSTRING(psprintf("%s %s", float8out_internal(min_score), DatumGetCString(text)));
}

PG_FUNCTION_INFO_V1(biometric_probe_recv);
Datum
biometric_probe_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	double     min_score = pq_getmsgfloat8(message);
	bool       is_null;

	return probe_make(
		call_template_function(fcinfo, TYPE_RECEIVE, PointerGetDatum(message), &is_null),
		min_score);
}

PG_FUNCTION_INFO_V1(biometric_probe_send);
Datum
biometric_probe_send(PG_FUNCTION_ARGS)
{
	double         min_score;
	Datum          datum = probe_take_apart(PG_GETARG_DATUM(0), &min_score);
	bool           is_null;
	bytea         *bytes;
	StringInfoData message;

	bytes = DatumGetByteaPP(call_template_function(fcinfo, TYPE_SEND, datum, &is_null));
	pq_begintypsend(&message);
	pq_sendfloat8(&message, min_score);
	pq_sendbytes(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}
