/*
 * iris_match.c
 *		Matching of irises in SQL, and the modality that the access method sees.
 *
 * None of these functions can raise an error that depends on the data: an iris
 * is checked when it enters.  They are therefore leakproof, and row-level
 * security keeps the index.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "match/iris/iris.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "type/iris.h"
#include "type/matching.h"

static Size
extract(Datum template, void *buffer)
{
	IrisTemplate iris = iris_unpack(template);

	return iris_extract(&iris, buffer);
}

static void *
begin_probe(const void *features, Size size)
{
	IrisProbe *probe = palloc(iris_probe_size(features));

	iris_probe_init(probe, features);
	return probe;
}

static void
distances(void *probe, int n, const void *const *features, const Size *sizes, double *result)
{
	iris_distances(probe, n, features, result);
}

static const BiometricModality modality = {
	.magic = BIOMETRIC_MODALITY_MAGIC,
	.name = "iris",
	.features_version = IRIS_FEATURES_VERSION,
	.max_features_size = IRIS_FEATURES_MAX_SIZE,
	.compare_cost = 20,
	.extract = extract,
	.features_valid = iris_features_valid,
	.begin_probe = begin_probe,
	.distances = distances,
	.score = iris_score,
	.probe_template = probe_take_apart,
	.key_bits = IRIS_KEY_BITS,
	.tag_bits = IRIS_TAG_BITS,
	.signature_bits = IRIS_SIGNATURE_BITS,
	.signature_slope = IRIS_SIGNATURE_SLOPE,
	.max_words = IRIS_MAX_WORDS,
	.max_probe_words = IRIS_MAX_PROBE_WORDS,
	.words = iris_words,
	.probe_words = iris_probe_words,
};

/* support function 1 of iris_ops */
PG_FUNCTION_INFO_V1(iris_modality);
Datum
iris_modality(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&modality);
}

/* a <-> b: in [0, 1], see iris_distance in match/iris/iris.h */
PG_FUNCTION_INFO_V1(iris_distance_sql);
Datum
iris_distance_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(matching_distance(fcinfo, &modality));
}

/* match_score(a, b): decibans of the false match rate */
PG_FUNCTION_INFO_V1(iris_match_score);
Datum
iris_match_score(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(iris_score(matching_distance(fcinfo, &modality)));
}

/* a % b */
PG_FUNCTION_INFO_V1(iris_match);
Datum
iris_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match(fcinfo, &modality));
}

/* a % probe */
PG_FUNCTION_INFO_V1(iris_match_probe);
Datum
iris_match_probe(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match_probe(fcinfo, &modality, 1));
}

/* probe % a */
PG_FUNCTION_INFO_V1(iris_probe_match);
Datum
iris_probe_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match_probe(fcinfo, &modality, 0));
}

/* probe(iris, min_score) */
PG_FUNCTION_INFO_V1(iris_probe);
Datum
iris_probe(PG_FUNCTION_ARGS)
{
	return probe_make(PG_GETARG_DATUM(0), PG_GETARG_FLOAT8(1));
}

PG_FUNCTION_INFO_V1(iris_probe_in);
Datum
iris_probe_in(PG_FUNCTION_ARGS)
{
	return probe_in(fcinfo, iris_in);
}

PG_FUNCTION_INFO_V1(iris_probe_out);
Datum
iris_probe_out(PG_FUNCTION_ARGS)
{
	return probe_out(fcinfo, iris_out);
}

PG_FUNCTION_INFO_V1(iris_probe_recv);
Datum
iris_probe_recv(PG_FUNCTION_ARGS)
{
	return probe_recv(fcinfo, iris_recv);
}

PG_FUNCTION_INFO_V1(iris_probe_send);
Datum
iris_probe_send(PG_FUNCTION_ARGS)
{
	return probe_send(fcinfo, iris_send);
}

/*
 * Planner support of the matching functions: two columns declared with
 * different geometries can never match, so comparing them is a mistake in the
 * query.  Where a geometry is known only from the data, the pair is just
 * non-mated, as the operators must not fail on any data.
 */
PG_FUNCTION_INFO_V1(iris_match_support);
Datum
iris_match_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
	{
		FuncExpr *call = ((SupportRequestSimplify *) request)->fcall;

		if (list_length(call->args) == 2 &&
			exprType(linitial(call->args)) == exprType(lsecond(call->args)))
		{
			int32 left = exprTypmod(linitial(call->args));
			int32 right = exprTypmod(lsecond(call->args));

			if (left >= 0 && right >= 0 && left != right)
				ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
								errmsg("iris codes of different geometry cannot match"),
								errdetail("One side is declared %s, the other %s.",
										  iris_declaration(left), iris_declaration(right))));
		}
	}
	PG_RETURN_POINTER(NULL); /* nothing is simplified */
}
