/*
 * synthesis.c
 *		Made-up fingers and their impressions.
 *
 * A finger is an orientation field and minutiae on it.  The field is the
 * zero-pole model of Sherlock and Monro (1993), whose phase turns by half the
 * angle around every core and delta, plus two smooth terms that the model
 * lacks: the arching of ridges over the pattern and a random bending, by which
 * fingers of one class differ as real ones do (Vizcaya and Gerhardt 1996
 * correct the same shortcoming in another way).  Minutiae are a point process
 * with a minimum distance; each points along the ridge, one way or the other.
 *
 * An impression is what a sensor and an extractor make of the finger: a part
 * of it, turned, shifted and stretched, with minutiae lost, invented and
 * displaced.  Loss and displacement gather in patches, as dirt and scars make
 * them, and some minutiae are hard to see in every impression.
 *
 * Only portable_math and basic operations are used, and every random number
 * comes from a generator keyed by finger, position and impression, so the same
 * arguments give the same template everywhere.  (No two draws are arguments of
 * one call: C does not say which comes first.)  How the parameters were chosen
 * is told in doc/synthesis.md.
 *
 * Coordinates of a finger: pixels at 500 dpi, x to the right, y upwards, origin
 * in the middle of the pattern.
 */
#include "match/fingerprint/synthesis.h"

#include <string.h>

#include "match/portable_math.h"

#define PI     PORTABLE_PI
#define DEGREE (PORTABLE_PI / 180)

/* Natural frequencies of the classes (Wilson, Candela and Watson 1994) */
#define SHARE_ARCH        0.037
#define SHARE_TENTED_ARCH 0.029
#define SHARE_LEFT_LOOP   0.338
#define SHARE_RIGHT_LOOP  0.317 /* whorls are the rest */

/* The finger */
#define FINGER_HALF_WIDTH   165.0
#define FINGER_HALF_HEIGHT  215.0
#define MINUTIAE_MEAN       68.0
#define MINUTIAE_SD         17.0
#define MINUTIAE_MIN        30
#define MINUTIA_SPACING     8.0 /* smallest distance of two: about a ridge */
#define CENTRE_CROWDING     0.5 /* how much denser near the centre */
#define CENTRE_RADIUS       90.0
#define ENDING_SHARE        0.67
#define DOWNWARD_BIAS       0.48 /* more minutiae point to the finger's joint */
#define REGIONAL_BIAS       0.04 /* neighbours tend to point the same way */
#define BEND_AMPLITUDE      (1.5 * DEGREE)
#define BEND_WAVELENGTH_MIN 280.0
#define BEND_WAVELENGTH_MAX 600.0
#define DEVIATION_SD        (3 * DEGREE) /* of a minutia from the smooth field */
#define HIDDEN_SHARE        0.2          /* minutiae that are hard to see */

/* The impression; quality runs from 0 (poor) to 1 (good) */
#define GOOD_QUALITY           0.92 /* of impression 0 */
#define CONTACT_HALF_WIDTH     132.0
#define CONTACT_HALF_HEIGHT    165.0
#define CONTACT_SD             0.16 /* of the size, relative */
#define CONTACT_SHRINK         0.12 /* of a poor impression */
#define CONTACT_SHIFT_X        10.0
#define CONTACT_SHIFT_Y        15.0
#define PLACEMENT_SD           18.0 /* on the sensor */
#define ROTATION_SD            (4 * DEGREE)
#define ROTATION_TAIL_SHARE    0.30 /* carelessly placed */
#define ROTATION_TAIL_SD       (16 * DEGREE)
#define STRETCH_SD             0.015 /* scale and shear */
#define PLASTIC_AMPLITUDE      3.3   /* smooth displacement */
#define PLASTIC_WAVELENGTH_MIN 220.0
#define PLASTIC_WAVELENGTH_MAX 420.0
#define PATCH_RADIUS_MIN       18.0
#define PATCH_RADIUS_MAX       42.0
#define LOSS_GOOD              0.0
#define LOSS_POOR              0.48
#define LOSS_HIDDEN            0.35 /* further loss of hidden minutiae */
#define LOSS_PATCH             0.45
#define SPURIOUS_GOOD          1.0 /* mean number */
#define SPURIOUS_POOR          18.0
#define SPURIOUS_PATCH_SHARE   0.4  /* of them in patches */
#define BORDER_ENDINGS         8.5  /* mean number of ridges cut off at the border of contact */
#define BORDER_WIDTH           0.10 /* relative */
#define JITTER_ALONG           1.6  /* displacement along the ridge, pixels */
#define JITTER_ACROSS          0.9
#define DIRECTION_SD           (3.5 * DEGREE)
#define DIRECTION_REVERSAL     0.02
#define SPURIOUS_DIRECTION_SD  (8 * DEGREE)
#define TYPE_FLIP_GOOD         0.10
#define TYPE_FLIP_POOR         0.22

static double
clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static double
between(uint64_t *random, double low, double high)
{
	return low + (high - low) * portable_uniform(random);
}

/*
 * Bell-shaped, mean 0, variance 1, at most 3.5: the sum of four uniform
 * numbers, taken from one random word.  Much faster than a normal number, of
 * which a template wants hundreds.
 */
static double
bell(uint64_t *random)
{
	uint64_t word = portable_random(random);
	int sum = (int) (word & 0xFFFF) + (int) (word >> 16 & 0xFFFF) + (int) (word >> 32 & 0xFFFF) +
			  (int) (word >> 48);

	return (sum - 131070) * (1.7320508075688772 / 65536);
}

/* bell-shaped, cut at two and a half standard deviations */
static double
spread(uint64_t *random, double mean, double sd)
{
	return mean + sd * clamp(bell(random), -2.5, 2.5);
}

static void
make_wave(uint64_t *random, Wave *wave, double amplitude, double shortest, double longest)
{
	double frequency = 2 * PI / between(random, shortest, longest);
	double heading = between(random, 0, 2 * PI);

	wave->amplitude = bell(random) * amplitude;
	wave->fx = frequency * portable_cos(heading);
	wave->fy = frequency * portable_sin(heading);
	wave->phase = between(random, 0, 2 * PI);
}

static void
make_field(uint64_t *random, Field *field)
{
	double draw = portable_uniform(random);
	double side;

	memset(field, 0, sizeof(*field));
	if (draw < SHARE_ARCH)
	{
		field->class = PATTERN_ARCH;
		field->arching = spread(random, 42, 5) * DEGREE;
	}
	else if ((draw -= SHARE_ARCH) < SHARE_TENTED_ARCH)
	{
		field->class = PATTERN_TENTED_ARCH;
		field->singularities = 1;
		field->core[0].x = spread(random, 0, 4);
		field->core[0].y = spread(random, 15, 7);
		field->delta[0].x = field->core[0].x + spread(random, 0, 4);
		field->delta[0].y = field->core[0].y - spread(random, 75, 9);
		field->arching = spread(random, 34, 4) * DEGREE;
	}
	else if ((draw -= SHARE_TENTED_ARCH) < SHARE_LEFT_LOOP + SHARE_RIGHT_LOOP)
	{
		/* ridges of a left loop leave to the left; its delta is on the right */
		field->class = draw < SHARE_LEFT_LOOP ? PATTERN_LEFT_LOOP : PATTERN_RIGHT_LOOP;
		side = field->class == PATTERN_LEFT_LOOP ? 1 : -1;
		field->singularities = 1;
		field->core[0].x = spread(random, 0, 6);
		field->core[0].y = spread(random, 12, 8);
		field->delta[0].x = field->core[0].x + side * spread(random, 95, 11);
		field->delta[0].y = field->core[0].y - spread(random, 120, 14);
		field->arching = spread(random, 20, 3) * DEGREE;
	}
	else
	{
		double half = spread(random, 18, 3);
		double lean = spread(random, 0, 7);

		field->class = PATTERN_WHORL;
		field->singularities = 2;
		field->core[0].x = spread(random, 0, 4);
		field->core[0].y = spread(random, 8, 7);
		field->core[1] = field->core[0];
		field->core[0].x += lean;
		field->core[0].y += half;
		field->core[1].x -= lean;
		field->core[1].y -= half;
		field->delta[0].x = field->core[0].x - spread(random, 115, 11);
		field->delta[0].y = field->core[1].y - spread(random, 100, 13);
		field->delta[1].x = field->core[0].x + spread(random, 115, 11);
		field->delta[1].y = field->core[1].y - spread(random, 100, 13);
		field->arching = spread(random, 6, 2) * DEGREE;
	}
	for (int i = 0; i < SYNTHETIC_BENDS; i++)
		make_wave(random, &field->bend[i], BEND_AMPLITUDE, BEND_WAVELENGTH_MIN,
				  BEND_WAVELENGTH_MAX);
	make_wave(random, &field->sense, 1, 140, 260);
}

/* angle of the ridge at a point, modulo pi */
static double
orientation(const Field *field, Point at)
{
	double re = 1, im = 0;
	double angle;
	double x = at.x / 110;
	double y = (at.y - 10) / 180;

	/*
	 * The zero-pole model adds half the angle to each core and subtracts half
	 * that to each delta.  Multiplying complex numbers first leaves one
	 * arctangent.
	 */
	for (int i = 0; i < field->singularities; i++)
	{
		double cx = at.x - field->core[i].x, cy = at.y - field->core[i].y,
			   dx = at.x - field->delta[i].x, dy = at.y - field->delta[i].y;
		double qx = cx * dx + cy * dy, qy = cy * dx - cx * dy;
		double t = re * qx - im * qy;

		im = re * qy + im * qx;
		re = t;
	}
	angle = portable_atan2(im, re) / 2;

	/* ridges rise towards the middle and fall behind it, less so far below */
	angle -= field->arching * 2 * x / (1 + x * x) / (1 + y * y);
	for (int i = 0; i < SYNTHETIC_BENDS; i++)
	{
		const Wave *wave = &field->bend[i];

		angle += wave->amplitude * portable_sin(at.x * wave->fx + at.y * wave->fy + wave->phase);
	}
	return angle;
}

static Point
in_ellipse(uint64_t *random, double half_width, double half_height)
{
	Point  result;
	double x, y;

	do
	{
		x = between(random, -1, 1);
		y = between(random, -1, 1);
	} while (x * x + y * y > 1);
	result.x = half_width * x;
	result.y = half_height * y;
	return result;
}

static void
make_finger(uint64_t *random, Finger *finger)
{
	int wanted;

	make_field(random, &finger->field);
	wanted =
		(int) clamp(spread(random, MINUTIAE_MEAN, MINUTIAE_SD), MINUTIAE_MIN, SYNTHETIC_MINUTIAE);
	finger->count = 0;

	/* sequential inhibition: a candidate too close to an earlier one is dropped */
	for (int tries = 0; finger->count < wanted && tries < 8 * SYNTHETIC_MINUTIAE; tries++)
	{
		FingerMinutia *m = &finger->minutiae[finger->count];
		double         accept = portable_uniform(random);
		double         away;
		bool           crowded = false;

		m->at = in_ellipse(random, FINGER_HALF_WIDTH, FINGER_HALF_HEIGHT);
		away = (m->at.x * m->at.x + m->at.y * m->at.y) / (CENTRE_RADIUS * CENTRE_RADIUS);
		if (accept * (1 + CENTRE_CROWDING) > 1 + CENTRE_CROWDING / (1 + away * away))
			continue;
		for (int i = 0; i < finger->count && !crowded; i++)
		{
			double dx = finger->minutiae[i].at.x - m->at.x, dy = finger->minutiae[i].at.y - m->at.y;

			crowded = dx * dx + dy * dy < MINUTIA_SPACING * MINUTIA_SPACING;
		}
		if (crowded)
			continue;

		m->deviation = DEVIATION_SD * bell(random);
		m->sense = portable_uniform(random);
		m->type =
			portable_uniform(random) < ENDING_SHARE ? MINUTIA_RIDGE_ENDING : MINUTIA_BIFURCATION;
		m->hidden = portable_uniform(random) < HIDDEN_SHARE;
		finger->count++;
	}
}

static double
minutia_direction(const Field *field, const FingerMinutia *m)
{
	double direction = orientation(field, m->at) + m->deviation;
	double up = portable_sin(direction);
	double regional =
		portable_sin(m->at.x * field->sense.fx + m->at.y * field->sense.fy + field->sense.phase);

	/* how likely this way along the ridge is, rather than the other */
	return m->sense < 0.5 - DOWNWARD_BIAS * up - REGIONAL_BIAS * clamp(3 * up, -1, 1) * regional
			   ? direction
			   : direction + PI;
}

static void
make_impression(uint64_t *random, Impression *imp, bool good)
{
	double poor;
	double careless;
	double size;
	double effect = good ? 0.4 : 1;

	/* most captures are fair, some are bad */
	imp->quality = portable_uniform(random);
	imp->quality =
		good ? GOOD_QUALITY : 1 - imp->quality * imp->quality * imp->quality * imp->quality;
	poor = 1 - imp->quality;

	size = 1 - CONTACT_SHRINK * poor;
	imp->half_width = CONTACT_HALF_WIDTH * spread(random, size, effect * CONTACT_SD);
	imp->half_height = CONTACT_HALF_HEIGHT * spread(random, size, effect * CONTACT_SD);
	imp->centre.x = spread(random, 0, effect * CONTACT_SHIFT_X);
	imp->centre.y = spread(random, 0, effect * CONTACT_SHIFT_Y);
	imp->shift.x = spread(random, 0, effect * PLACEMENT_SD);
	imp->shift.y = spread(random, 0, effect * PLACEMENT_SD);

	careless = portable_uniform(random);
	imp->rotation = spread(
		random, 0, effect * (careless < ROTATION_TAIL_SHARE ? ROTATION_TAIL_SD : ROTATION_SD));
	imp->cosine = portable_cos(imp->rotation);
	imp->sine = portable_sin(imp->rotation);

	imp->scale_x = spread(random, 1, effect * STRETCH_SD);
	imp->scale_y = spread(random, 1, effect * STRETCH_SD);
	imp->shear = spread(random, 0, effect * STRETCH_SD);
	for (int i = 0; i < 2; i++)
		make_wave(random, &imp->plastic[i], effect * PLASTIC_AMPLITUDE, PLASTIC_WAVELENGTH_MIN,
				  PLASTIC_WAVELENGTH_MAX);

	imp->patches = (int) (poor * (SYNTHETIC_PATCHES + 1));
	if (imp->patches > SYNTHETIC_PATCHES)
		imp->patches = SYNTHETIC_PATCHES;
	for (int i = 0; i < SYNTHETIC_PATCHES; i++)
	{
		imp->patch[i] = in_ellipse(random, imp->half_width, imp->half_height);
		imp->patch[i].x += imp->centre.x;
		imp->patch[i].y += imp->centre.y;
		imp->patch_radius[i] = between(random, PATCH_RADIUS_MIN, PATCH_RADIUS_MAX);
	}
}

static bool
in_contact(const Impression *imp, Point at)
{
	double x = (at.x - imp->centre.x) / imp->half_width,
		   y = (at.y - imp->centre.y) / imp->half_height;

	return x * x + y * y <= 1;
}

static bool
in_patch(const Impression *imp, Point at)
{
	for (int i = 0; i < imp->patches; i++)
	{
		double dx = at.x - imp->patch[i].x, dy = at.y - imp->patch[i].y;

		if (dx * dx + dy * dy < imp->patch_radius[i] * imp->patch_radius[i])
			return true;
	}
	return false;
}

/*
 * Where a place of the finger comes to lie on the sensor, in pixels from the
 * upper left, and the turn of a direction there, radians, y upwards.  px and py
 * are from the centre of contact.
 */
static void
place(const Impression *imp, double px, double py, double cosine, double sine, double *column,
	  double *row, double *direction)
{
	double a = px * imp->plastic[0].fx + py * imp->plastic[0].fy + imp->plastic[0].phase,
		   b = px * imp->plastic[1].fx + py * imp->plastic[1].fy + imp->plastic[1].phase;
	double da = imp->plastic[0].amplitude * portable_cos(a),
		   db = imp->plastic[1].amplitude * portable_cos(b);
	double qx, qy, dx, dy;

	/* stretch and plastic distortion, of the point and of its direction */
	qx = imp->scale_x * px + imp->shear * py + imp->plastic[0].amplitude * portable_sin(a);
	qy = imp->scale_y * py + imp->plastic[1].amplitude * portable_sin(b);
	dx = (imp->scale_x + da * imp->plastic[0].fx) * cosine +
		 (imp->shear + da * imp->plastic[0].fy) * sine;
	dy = db * imp->plastic[1].fx * cosine + (imp->scale_y + db * imp->plastic[1].fy) * sine;

	/* rotation and placement; rows of a record count downwards */
	*column = imp->cosine * qx - imp->sine * qy + imp->shift.x + SYNTHETIC_WIDTH / 2;
	*row = SYNTHETIC_HEIGHT / 2 - (imp->sine * qx + imp->cosine * qy + imp->shift.y);
	*direction = portable_atan2(dy, dx) + imp->rotation;
}

/* take a minutia of the finger to the record, unless it falls off the sensor */
static void
record(FingerprintTemplate *result, const Impression *imp, uint64_t *random, Point at,
	   double direction, int type, double jitter, double clarity)
{
	double along = jitter * JITTER_ALONG * bell(random),
		   across = jitter * JITTER_ACROSS * bell(random);
	double   cosine = portable_cos(direction), sine = portable_sin(direction);
	double   px, py, turns;
	int      column, row, i;
	Minutia *m;

	place(imp, at.x - imp->centre.x + along * cosine - across * sine,
		  at.y - imp->centre.y + along * sine + across * cosine, cosine, sine, &px, &py,
		  &direction);
	if (!(px >= 0 && px < SYNTHETIC_WIDTH && py >= 0 && py < SYNTHETIC_HEIGHT))
		return;
	column = (int) px;
	row = (int) py;

	/* no extractor reports one place twice */
	for (i = 0; i < result->count; i++)
		if (result->minutiae[i].x == column && result->minutiae[i].y == row)
			return;
	if (result->count == FINGERPRINT_MAX_MINUTIAE)
		return;

	turns = direction / (2 * PI) + 4;
	m = &result->minutiae[result->count++];
	m->x = column;
	m->y = row;
	m->angle = (int) (turns * 256 + 0.5) & 255;
	m->type = type;
	m->quality = (int) clamp(100 * clarity, 1, 100);
}

static double
read_direction(uint64_t *random, double direction, double sd)
{
	direction += sd * bell(random);
	if (portable_uniform(random) < DIRECTION_REVERSAL)
		direction += PI;
	return direction;
}

/* a number with Poisson distribution (Knuth's product of uniforms) */
static int
poisson(uint64_t *random, double mean)
{
	double limit = portable_exp(-mean);
	int    result = 0;

	for (double product = portable_uniform(random); product > limit;
		 product *= portable_uniform(random))
		result++;
	return result;
}

void
synthetic_capture(Capture *capture, int64_t finger, int32_t impression, int position)
{
	uint64_t key = portable_mix((uint64_t) finger, (uint64_t) position);
	uint64_t random = key;

	make_finger(&random, &capture->finger);
	capture->random = portable_mix(key, (uint64_t) impression + 1);
	make_impression(&capture->random, &capture->impression, impression == 0);
}

bool
synthetic_capture_at(const Capture *capture, double column, double row, double *angle,
					 double *clarity)
{
	const Impression *imp = &capture->impression;
	Point             at = {0, 0};
	double            there_x, there_y, direction, x, y;

	/* the way back, by steps towards it: distortion is small */
	for (int step = 0; step < 6; step++)
	{
		double dx, dy;

		place(imp, at.x, at.y, 1, 0, &there_x, &there_y, &direction);
		dx = column - there_x;
		dy = there_y - row;
		at.x += imp->cosine * dx + imp->sine * dy;
		at.y += imp->cosine * dy - imp->sine * dx;
	}
	at.x += imp->centre.x;
	at.y += imp->centre.y;
	direction = orientation(&capture->finger.field, at);
	place(imp, at.x - imp->centre.x, at.y - imp->centre.y, portable_cos(direction),
		  portable_sin(direction), &there_x, &there_y, &direction);
	*angle = -direction;

	/* clear inside, less so in patches, and fading at the border of contact */
	x = (at.x - imp->centre.x) / imp->half_width;
	y = (at.y - imp->centre.y) / imp->half_height;
	*clarity = (0.4 + 0.6 * imp->quality) * (in_patch(imp, at) ? 0.4 : 1);
	if (x * x + y * y > 0.8)
		*clarity *= (1 - (x * x + y * y)) / 0.2;
	if (*clarity < 0)
		*clarity = 0;
	return x * x + y * y <= 1;
}

bool
synthetic_capture_minutia(const Capture *capture, int i, double *column, double *row, double *angle,
						  int *type)
{
	const Impression    *imp = &capture->impression;
	const FingerMinutia *m = &capture->finger.minutiae[i];
	double               direction = minutia_direction(&capture->finger.field, m);

	place(imp, m->at.x - imp->centre.x, m->at.y - imp->centre.y, portable_cos(direction),
		  portable_sin(direction), column, row, &direction);
	*angle = -direction;
	*type = m->type;
	return in_contact(imp, m->at);
}

void
fingerprint_synthesize(FingerprintTemplate *result, int64_t finger, int32_t impression,
					   int position)
{
	Capture           capture;
	const Finger     *source = &capture.finger;
	const Impression *imp = &capture.impression;
	uint64_t          random;
	double            poor, loss;
	int               spurious;

	synthetic_capture(&capture, finger, impression, position);
	random = capture.random;
	poor = 1 - imp->quality;

	memset(result, 0, sizeof(*result));
	result->width = SYNTHETIC_WIDTH;
	result->height = SYNTHETIC_HEIGHT;
	result->x_resolution = SYNTHETIC_RESOLUTION;
	result->y_resolution = SYNTHETIC_RESOLUTION;
	result->position = position;
	result->quality = (int) clamp(30 + 65 * imp->quality + 4 * bell(&random), 1, 100);

	loss = LOSS_GOOD + (LOSS_POOR - LOSS_GOOD) * poor;
	for (int i = 0; i < source->count; i++)
	{
		const FingerMinutia *m = &source->minutiae[i];
		bool                 patch;
		double               seen, clarity, direction;
		int                  type = m->type;

		if (!in_contact(imp, m->at))
			continue;
		patch = in_patch(imp, m->at);
		seen = 1 - clamp(loss + (m->hidden ? LOSS_HIDDEN : 0) + (patch ? LOSS_PATCH : 0), 0, 0.95);
		if (portable_uniform(&random) > seen)
			continue;
		if (portable_uniform(&random) < TYPE_FLIP_GOOD + (TYPE_FLIP_POOR - TYPE_FLIP_GOOD) * poor)
			type = type == MINUTIA_RIDGE_ENDING ? MINUTIA_BIFURCATION : MINUTIA_RIDGE_ENDING;
		clarity = 0.25 + 0.65 * seen + 0.08 * bell(&random);
		direction = read_direction(&random, minutia_direction(&source->field, m),
								   DIRECTION_SD * (patch ? 1.6 : 1));
		record(result, imp, &random, m->at, direction, type, patch ? 1.6 : 1, clarity);
	}

	spurious = poisson(&random, SPURIOUS_GOOD + (SPURIOUS_POOR - SPURIOUS_GOOD) * poor);
	for (int i = 0; i < spurious; i++)
	{
		double where = portable_uniform(&random);
		double direction, clarity;
		int    type;
		Point  at;

		if (where < SPURIOUS_PATCH_SHARE && imp->patches > 0)
		{
			int p = (int) (where / SPURIOUS_PATCH_SHARE * imp->patches);

			at = in_ellipse(&random, imp->patch_radius[p], imp->patch_radius[p]);
			at.x += imp->patch[p].x;
			at.y += imp->patch[p].y;
		}
		else
		{
			at = in_ellipse(&random, imp->half_width, imp->half_height);
			at.x += imp->centre.x;
			at.y += imp->centre.y;
		}
		if (!in_contact(imp, at))
			continue;
		direction = orientation(&source->field, at);
		if (portable_uniform(&random) < 0.5)
			direction += PI;
		direction = read_direction(&random, direction, SPURIOUS_DIRECTION_SD);
		type =
			portable_uniform(&random) < ENDING_SHARE ? MINUTIA_RIDGE_ENDING : MINUTIA_BIFURCATION;
		clarity = 0.35 + 0.12 * bell(&random);
		record(result, imp, &random, at, direction, type, 1, clarity);
	}

	/* extractors take ridges that leave the contact area for endings */
	spurious = poisson(&random, BORDER_ENDINGS);
	for (int i = 0; i < spurious; i++)
	{
		double bearing = between(&random, 0, 2 * PI);
		double reach = between(&random, 1 - BORDER_WIDTH, 1);
		double x = reach * imp->half_width * portable_cos(bearing),
			   y = reach * imp->half_height * portable_sin(bearing);
		double direction, clarity;
		Point  at;

		at.x = imp->centre.x + x;
		at.y = imp->centre.y + y;
		direction = orientation(&source->field, at);
		if (x * portable_cos(direction) + y * portable_sin(direction) > 0)
			direction += PI;
		direction = read_direction(&random, direction, DIRECTION_SD);
		clarity = 0.35 + 0.12 * bell(&random);
		record(result, imp, &random, at, direction, MINUTIA_RIDGE_ENDING, 1, clarity);
	}
}
