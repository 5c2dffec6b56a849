/*
 * iris_diagnosis.c
 *		What is wrong with an iris code.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "match/iris/iris.h"
#include "type/iris.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* template_problems(iris): what to look at before a template is enrolled */
PG_FUNCTION_INFO_V1(biometric_iris_template_problems);
Datum
biometric_iris_template_problems(PG_FUNCTION_ARGS)
{
	IrisTemplate   iris = iris_unpack(PG_GETARG_DATUM(0));
	uint32         least = iris_min_common(iris.columns, iris.bits);
	IrisAssessment assessment;
	Datum          problems[4];
	int            n = 0;

	iris_assess(&iris, &assessment);
	if (assessment.mask_bits == 0)
		problems[n++] = CStringGetTextDatum("the mask excludes all bits");
	else if (assessment.exchanged)
		problems[n++] = CStringGetTextDatum("code and mask seem to be exchanged");
	else
	{
		if (4 * assessment.informative_bits < 3 * assessment.mask_bits)
			problems[n++] = CStringGetTextDatum(
				psprintf("%u of the %u bits that the mask allows lie in parts without information: "
						 "bits that do not change along the angle, or rings that are alike",
						 assessment.mask_bits - assessment.informative_bits, assessment.mask_bits));
		if (2 * assessment.usable_bits < assessment.informative_bits)
			problems[n++] = CStringGetTextDatum(
				psprintf("the code resembles itself when it is turned: %u bits are worth %u",
						 assessment.informative_bits, assessment.usable_bits));
	}
	if (assessment.usable_bits < least)
		problems[n++] = CStringGetTextDatum(
			psprintf("%u usable bits: a comparison needs %u", assessment.usable_bits, least));
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	PG_RETURN_ARRAYTYPE_P(construct_array(problems, n, TEXTOID, -1, false, TYPALIGN_INT));
}
