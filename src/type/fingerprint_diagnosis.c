/*
 * fingerprint_diagnosis.c
 *		Why two fingerprints do not match, and what is odd about one.
 */
#include "postgres.h"

#include "compat.h"

#include "lib/stringinfo.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "record/misreading.h"
#include "record/plausibility.h"
#include "type/fingerprint.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* template_problems(fingerprint): what to look at before a template is enrolled */
PG_FUNCTION_INFO_V1(biometric_fingerprint_template_problems);
Datum
biometric_fingerprint_template_problems(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	Plausibility        plausibility;
	Datum               problems[8];
	int                 n = 0;

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	template_plausibility(&finger, &plausibility);
	if (finger.count < PLAUSIBILITY_MIN_MINUTIAE)
		problems[n++] = CStringGetTextDatum(
			psprintf("there are only %d minutiae: too few to identify anybody", finger.count));
	if (plausibility.too_small || plausibility.too_large)
		problems[n++] = CStringGetTextDatum(
			psprintf("the minutiae lie within %.1f x %.1f millimetres at %d x %d pixels per "
					 "centimetre: too %s for a finger",
					 plausibility.width, plausibility.height, finger.x_resolution,
					 finger.y_resolution, plausibility.too_small ? "small" : "large"));
	if (plausibility.one_corner)
		problems[n++] = CStringGetTextDatum("all minutiae lie in a small part of the image");
	if (plausibility.right_angles)
		problems[n++] = CStringGetTextDatum("all directions are multiples of 90 degrees");
	if (plausibility.doubles > 0)
		problems[n++] =
			CStringGetTextDatum(psprintf("minutiae that repeat another: %d", plausibility.doubles));
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	PG_RETURN_ARRAYTYPE_P(construct_array(problems, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* What is assumed to be wrong; all zero: nothing */
typedef struct Assumption
{
	MisreadScale scale_a;
	MisreadScale scale_b;
	MisreadAxes  axes;
	MisreadAngle angle;
	bool         position; /* finger positions do not count */
	double       score;
} Assumption;

static int
assumptions(const Assumption *assumption)
{
	return (assumption->scale_a != SCALE_RIGHT) + (assumption->scale_b != SCALE_RIGHT) +
		   (assumption->axes != AXES_RIGHT) + (assumption->angle != ANGLE_RIGHT) +
		   assumption->position;
}

/* Two things wrong are less likely than one, and some pairs look like a third thing */
#define DIAGNOSIS_PENALTY 10 /* decibans */

static double
merit(const Assumption *assumption)
{
	return assumption->score - DIAGNOSIS_PENALTY * assumptions(assumption);
}

static int
better(const void *a, const void *b)
{
	double difference = merit(b) - merit(a);

	return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static char *
describe(const Assumption *assumption)
{
	StringInfoData text;

	initStringInfo(&text);
	if (assumption->scale_a != SCALE_RIGHT)
		appendStringInfo(&text, "a: %s; ", misread_scale_names[assumption->scale_a]);
	if (assumption->scale_b != SCALE_RIGHT)
		appendStringInfo(&text, "b: %s; ", misread_scale_names[assumption->scale_b]);
	if (assumption->axes != AXES_RIGHT)
		appendStringInfo(&text, "a or b: %s; ", misread_axes_names[assumption->axes]);
	if (assumption->angle != ANGLE_RIGHT)
		appendStringInfo(&text, "a or b: %s; ", misread_angle_names[assumption->angle]);
	if (assumption->position)
		appendStringInfoString(&text, "finger position wrong in a or b; ");
	if (text.len == 0)
		return "as it is";
	text.data[text.len - 2] = '\0';
	return text.data;
}

static Size
extract_misread(const FingerprintTemplate *finger, const Assumption *assumption, MisreadScale scale,
				bool geometry, void *features)
{
	FingerprintTemplate undone;
	Plausibility        plausibility;

	if (!misreading_undo(finger, scale, geometry ? assumption->axes : AXES_RIGHT,
						 geometry ? assumption->angle : ANGLE_RIGHT, &undone))
		return 0;
	template_plausibility(&undone, &plausibility);
	if (scale != SCALE_RIGHT && (plausibility.too_small || plausibility.too_large))
		return 0;
	if (assumption->position)
		undone.position = 0;
	return fingerprint_extract(&undone, features);
}

/*
 * The score under an assumption.  Axes and angles are put right in one of the
 * two, in a or in b: the better counts, since which of them is wrong is not
 * the same where steps of two degrees are concerned.
 */
static double
score_under(const FingerprintTemplate *a, const FingerprintTemplate *b,
			const Assumption *assumption, FingerprintProbe *probe, void *features)
{
	double distance = FINGERPRINT_DISTANCE_NONMATED;

	for (int side = 0; side < 2; side++)
	{
		Size size = extract_misread(a, assumption, assumption->scale_a, side == 1, features);

		if (size > 0)
		{
			fingerprint_probe_init(probe, features, size);
			size = extract_misread(b, assumption, assumption->scale_b, side == 0, features);
		}
		if (size > 0)
			distance = Min(distance, fingerprint_distance(probe, features, size));
		if (assumption->axes == AXES_RIGHT && assumption->angle == ANGLE_RIGHT)
			break;
	}
	return fingerprint_score(distance);
}

#define DIAGNOSIS_ROWS 5

/*
 * match_diagnosis(a, b): the score as it is, and then the assumptions under
 * which it would be higher by more than their penalty, the likeliest first.
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_match_diagnosis);
Datum
biometric_fingerprint_match_diagnosis(PG_FUNCTION_ARGS)
{
	ReturnSetInfo      *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FingerprintTemplate a, b;
	FingerprintProbe   *probe = palloc(fingerprint_probe_size());
	void               *features = palloc(FINGERPRINT_FEATURES_MAX_SIZE);
	Assumption         *all;
	Assumption          as_it_is = {0};
	bool                positions;
	int                 n = 0, rows = 0;

	InitMaterializedSRF(fcinfo, 0);
	fingerprint_unpack(PG_GETARG_DATUM(0), &a);
	fingerprint_unpack(PG_GETARG_DATUM(1), &b);
	positions = a.position != 0 && b.position != 0 && a.position != b.position;
	all = palloc(sizeof(Assumption) * SCALES * SCALES * AXES * ANGLES * 2);

	for (int i = 0; i < SCALES * SCALES * AXES * ANGLES * 2; i++)
	{
		Assumption assumption = {.scale_a = i % SCALES,
								 .scale_b = i / SCALES % SCALES,
								 .axes = i / (SCALES * SCALES) % AXES,
								 .angle = i / (SCALES * SCALES * AXES) % ANGLES,
								 .position = i / (SCALES * SCALES * AXES * ANGLES) > 0};

		CHECK_FOR_INTERRUPTS();
		/* with three things wrong at a time anything may be right */
		if (assumptions(&assumption) > 2 + positions || assumption.position != positions)
			continue;
		assumption.score = score_under(&a, &b, &assumption, probe, features);
		all[n++] = assumption;
	}
	as_it_is.score = score_under(&a, &b, &as_it_is, probe, features);
	qsort(all, n, sizeof(Assumption), better);
	for (int i = -1; i < n && rows <= DIAGNOSIS_ROWS; i++)
	{
		const Assumption *row = i < 0 ? &as_it_is : &all[i];
		Datum             values[2] = {0};
		bool              nulls[2] = {false};

		if (i >= 0 && merit(row) <= as_it_is.score)
			break;
		values[0] = CStringGetTextDatum(describe(row));
		values[1] = Float8GetDatum(row->score);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		rows++;
	}
	return (Datum) 0;
}
