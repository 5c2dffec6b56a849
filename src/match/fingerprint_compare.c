/*
 * fingerprint_compare.c
 *		Distance of two fingers.
 */
#include "match/fingerprint_internal.h"
#include "match/portable_math.h"

#include <math.h>
#include <string.h>

#define MAX_MINUTIAE	FINGERPRINT_MAX_MINUTIAE
#define DIMENSIONS		FINGERPRINT_DIMENSIONS

#define MAX_CANDIDATES	64
#define DIRECTIONS		16

typedef struct Finger
{
	int			position;
	int			count;
	float		x[MAX_MINUTIAE + 1];	/* pixels */
	float		y[MAX_MINUTIAE + 1];
	float		cosine[MAX_MINUTIAE + 1];
	float		sine[MAX_MINUTIAE + 1];
	uint8_t		angle[MAX_MINUTIAE + 1];
	int16_t		norm[MAX_MINUTIAE + 1];
	int16_t		descriptor[DIMENSIONS][MAX_MINUTIAE + 1];
	float		support[DIRECTIONS];
} Finger;

typedef struct Candidate
{
	int16_t		likelihood;
	uint8_t		a;
	uint8_t		b;
	int8_t		turn;
	float		cosine;
	float		sine;
} Candidate;

typedef struct Motion
{
	/* b = M a + t */
	float		m[2][2];
	float		t[2];
} Motion;

struct FingerprintProbe
{
	size_t		size;
	uint8_t		bytes[FINGERPRINT_FEATURES_MAX_SIZE];
	Finger		probe;
	Finger		gallery;
	int16_t		likelihood[MAX_MINUTIAE][MAX_MINUTIAE + 1];
	Candidate	candidates[MAX_CANDIDATES];
	int			ncandidates;
	float		compatible[MAX_CANDIDATES][MAX_CANDIDATES];
};

size_t
fingerprint_probe_size(void)
{
	return sizeof(FingerprintProbe);
}

static void
unpack(Finger *finger, const void *features)
{
	const uint8_t *bytes = features;
	int			n = bytes[1];
	const uint8_t *x = bytes + FINGERPRINT_HEADER_SIZE;
	const uint8_t *y = x + 2 * n;
	const uint8_t *angle = y + 2 * n;
	const uint8_t *descriptor = angle + n;
	int32_t		norm[MAX_MINUTIAE + 1];

	finger->position = bytes[0];
	finger->count = n;
	for (int d = 0; d < DIRECTIONS; d++)
		finger->support[d] = -1e9f;
	for (int i = 0; i < n; i++)
	{
		int16_t		v;

		memcpy(&v, x + 2 * i, 2);
		finger->x[i] = (float) v / FINGERPRINT_UNIT;
		memcpy(&v, y + 2 * i, 2);
		finger->y[i] = (float) v / FINGERPRINT_UNIT;
		finger->angle[i] = angle[i];
		finger->cosine[i] = (float) fingerprint_cosine[angle[i]] / 16384.0f;
		finger->sine[i] = (float) fingerprint_sine(angle[i]) / 16384.0f;
		norm[i] = 0;
	}
	for (int d = 0; d < DIRECTIONS; d++)
	{
		float		c = (float) fingerprint_cosine[d * 16] / 16384.0f;
		float		s = (float) fingerprint_sine(d * 16) / 16384.0f;
		float		support = -1e9f;

		for (int i = 0; i < n; i++)
		{
			float		p = finger->x[i] * c + finger->y[i] * s;

			support = p > support ? p : support;
		}
		finger->support[d] = support;
	}
	for (int k = 0; k < DIMENSIONS / 2; k++)
	{
		const uint8_t *row = descriptor + k * n;
		int16_t    *even = finger->descriptor[2 * k];
		int16_t    *odd = finger->descriptor[2 * k + 1];
		int32_t		weight_even = fingerprint_projection_norm[2 * k];
		int32_t		weight_odd = fingerprint_projection_norm[2 * k + 1];

		for (int i = 0; i < n; i++)
		{
			int16_t		e = (int16_t) ((row[i] & 15) - 8);
			int16_t		o = (int16_t) ((row[i] >> 4) - 8);

			even[i] = e;
			odd[i] = o;
			norm[i] += weight_even * e * e + weight_odd * o * o;
		}
	}
	for (int i = 0; i < n; i++)
		finger->norm[i] = (int16_t) (norm[i] >> 8);
}

void
fingerprint_probe_init(FingerprintProbe *probe, const void *features, size_t size)
{
	memcpy(probe->bytes, features, size);
	probe->size = size;
	unpack(&probe->probe, features);
}

/* four times the log-likelihood ratio of each pair of minutiae */
static void
likelihoods(const Finger *a, const Finger *b, int16_t out[][MAX_MINUTIAE + 1])
{
	for (int i = 0; i < a->count; i++)
	{
		int16_t		row[MAX_MINUTIAE + 1];
		int			m = b->count;

		for (int j = 0; j < m; j++)
			row[j] = (int16_t) (-a->norm[i] - b->norm[j]);
		for (int k = 0; k < DIMENSIONS; k++)
		{
			int16_t		v = a->descriptor[k][i];
			const int16_t *w = b->descriptor[k];

			for (int j = 0; j < m; j++)
				row[j] = (int16_t) (row[j] + v * w[j]);
		}
		memcpy(out[i], row, sizeof(int16_t) * m);
	}
}

#define LOWEST		(-24)
#define HIGHEST		160

static void
choose_candidates(FingerprintProbe *p, const Finger *a, const Finger *b)
{
	int			histogram[HIGHEST - LOWEST + 1] = {0};
	int			limit;
	int			threshold;
	int			sum = 0;
	int			n = 0;

	limit = 2 * (a->count < b->count ? a->count : b->count);
	if (limit > MAX_CANDIDATES)
		limit = MAX_CANDIDATES;
	for (int i = 0; i < a->count; i++)
		for (int j = 0; j < b->count; j++)
		{
			int			v = p->likelihood[i][j];

			if (v >= LOWEST)
				histogram[(v > HIGHEST ? HIGHEST : v) - LOWEST]++;
		}
	for (threshold = HIGHEST; threshold > LOWEST; threshold--)
	{
		sum += histogram[threshold - LOWEST];
		if (sum > limit)
		{
			threshold++;
			break;
		}
	}
	for (int i = 0; i < a->count; i++)
		for (int j = 0; j < b->count; j++)
			if (p->likelihood[i][j] >= threshold && n < MAX_CANDIDATES)
			{
				Candidate  *c = &p->candidates[n++];
				uint8_t		turn = (uint8_t) (b->angle[j] - a->angle[i]);

				c->likelihood = p->likelihood[i][j];
				c->a = (uint8_t) i;
				c->b = (uint8_t) j;
				c->turn = (int8_t) turn;
				c->cosine = (float) fingerprint_cosine[turn] / 16384.0f;
				c->sine = (float) fingerprint_sine(turn) / 16384.0f;
			}
	p->ncandidates = n;
}

/* log-likelihood ratio that two candidates belong to the same finger */
static float
compatibility(const Finger *a, const Finger *b, const Candidate *c, const Candidate *d)
{
	int			turn;
	float		ax,
				ay,
				bx,
				by,
				da,
				db,
				dd,
				inverse,
				e1,
				e2,
				sigma;

	if (c->a == d->a || c->b == d->b)
		return 0;
	turn = (int8_t) (uint8_t) (c->turn - d->turn);
	if (turn > 28 || turn < -28)
		return 0;
	ax = a->x[d->a] - a->x[c->a];
	ay = a->y[d->a] - a->y[c->a];
	bx = b->x[d->b] - b->x[c->b];
	by = b->y[d->b] - b->y[c->b];
	da = ax * ax + ay * ay;
	db = bx * bx + by * by;
	if (da < 36 || db < 36)
		return 0;
	da = sqrtf(da);
	db = sqrtf(db);
	dd = da - db;
	sigma = 3.5f + 0.03f * (da + db);
	if (dd > 3 * sigma || dd < -3 * sigma)
		return 0;
	inverse = 1 / (da * db);

	/* 1 - cosine of the angle between the turned a vector and the b vector */
	e1 = 1 - ((c->cosine * ax - c->sine * ay) * bx + (c->sine * ax + c->cosine * ay) * by) * inverse;
	e2 = 1 - ((d->cosine * ax - d->sine * ay) * bx + (d->sine * ax + d->cosine * ay) * by) * inverse;
	{
		/* angle variance: 12 degrees, more when near */
		float		near = 4 / (da < db ? da : db);
		float		v = 1 / (0.045f + near * near);
		float		r = 5.5f - 0.5f * dd * dd / (sigma * sigma) - (e1 + e2) * v;

		return r > 0 ? r : 0;
	}
}

typedef struct Alignment
{
	Motion		motion;
	int			npairs;
	uint8_t		pair_a[MAX_MINUTIAE];
	uint8_t		pair_b[MAX_MINUTIAE];
	float		weight[MAX_MINUTIAE];
	float		residual;
	float		descriptor;
	float		evidence;
	float		angular;
} Alignment;

/* similarity-free rigid motion by weighted least squares */
static void
fit_rigid(const Finger *a, const Finger *b, Alignment *al)
{
	double		w = 0,
				ax = 0,
				ay = 0,
				bx = 0,
				by = 0,
				dot = 0,
				cross = 0,
				norm;

	for (int k = 0; k < al->npairs; k++)
	{
		double		v = al->weight[k];

		w += v;
		ax += v * a->x[al->pair_a[k]];
		ay += v * a->y[al->pair_a[k]];
		bx += v * b->x[al->pair_b[k]];
		by += v * b->y[al->pair_b[k]];
	}
	ax /= w;
	ay /= w;
	bx /= w;
	by /= w;
	for (int k = 0; k < al->npairs; k++)
	{
		double		v = al->weight[k];
		double		px = a->x[al->pair_a[k]] - ax;
		double		py = a->y[al->pair_a[k]] - ay;
		double		qx = b->x[al->pair_b[k]] - bx;
		double		qy = b->y[al->pair_b[k]] - by;
		double		ca = a->cosine[al->pair_a[k]],
					sa = a->sine[al->pair_a[k]],
					cb = b->cosine[al->pair_b[k]],
					sb = b->sine[al->pair_b[k]];

		/* directions count as arms of 20 pixels */
		dot += v * (px * qx + py * qy + 400 * (ca * cb + sa * sb));
		cross += v * (px * qy - py * qx + 400 * (ca * sb - sa * cb));
	}
	norm = sqrt(dot * dot + cross * cross);
	if (norm <= 0)
	{
		dot = 1;
		norm = 1;
		cross = 0;
	}
	dot /= norm;
	cross /= norm;
	al->motion.m[0][0] = (float) dot;
	al->motion.m[0][1] = (float) -cross;
	al->motion.m[1][0] = (float) cross;
	al->motion.m[1][1] = (float) dot;
	al->motion.t[0] = (float) (bx - (dot * ax - cross * ay));
	al->motion.t[1] = (float) (by - (cross * ax + dot * ay));
}

/* moves a into b's frame, bending by the pairs' residuals where asked */
static void
move(const Finger *a, const Finger *b, const Alignment *al, bool bend, float *x, float *y)
{
	const Motion *m = &al->motion;
	float		rx[MAX_MINUTIAE],
				ry[MAX_MINUTIAE],
				px[MAX_MINUTIAE],
				py[MAX_MINUTIAE];

	for (int i = 0; i < a->count; i++)
	{
		x[i] = m->m[0][0] * a->x[i] + m->m[0][1] * a->y[i] + m->t[0];
		y[i] = m->m[1][0] * a->x[i] + m->m[1][1] * a->y[i] + m->t[1];
	}
	if (!bend)
		return;
	for (int k = 0; k < al->npairs; k++)
	{
		px[k] = x[al->pair_a[k]];
		py[k] = y[al->pair_a[k]];
		rx[k] = b->x[al->pair_b[k]] - px[k];
		ry[k] = b->y[al->pair_b[k]] - py[k];
	}
	for (int i = 0; i < a->count; i++)
	{
		float		sw = 1.5f,
					sx = 0,
					sy = 0;

		for (int k = 0; k < al->npairs; k++)
		{
			float		dx = x[i] - px[k];
			float		dy = y[i] - py[k];
			float		w;

			w = 1 / (1 + (dx * dx + dy * dy) * (1 / 2500.0f));
			w = w * w * al->weight[k];
			if (al->pair_a[k] == i)
				w = 0;
			sw += w;
			sx += w * rx[k];
			sy += w * ry[k];
		}
		x[i] += sx / sw;
		y[i] += sy / sw;
	}
}

/* mutual best pairs under the moved positions */
static void
pair(const FingerprintProbe *p, const Finger *a, const Finger *b, Alignment *al,
	 const float *x, const float *y, float tolerance)
{
	float		best_b[MAX_MINUTIAE];
	int16_t		who_b[MAX_MINUTIAE];
	float		best_a[MAX_MINUTIAE];
	int16_t		who_a[MAX_MINUTIAE];
	float		t2 = tolerance * tolerance;
	float		c = al->motion.m[0][0],
				s = al->motion.m[1][0];
	float		inverse = 1 / t2;
	int			n = 0;
	float		residual = 0,
				descriptor = 0,
				evidence = 0,
				angular = 0;

	for (int j = 0; j < b->count; j++)
	{
		best_b[j] = 0;
		who_b[j] = -1;
	}
	for (int i = 0; i < a->count; i++)
	{
		float		ca = c * a->cosine[i] - s * a->sine[i];
		float		sa = s * a->cosine[i] + c * a->sine[i];

		best_a[i] = 0;
		who_a[i] = -1;
		for (int j = 0; j < b->count; j++)
		{
			float		dx = x[i] - b->x[j];
			float		dy = y[i] - b->y[j];
			float		d2 = dx * dx + dy * dy;
			float		e,
						v;

			if (d2 > t2)
				continue;
			e = 1 - (ca * b->cosine[j] + sa * b->sine[j]);
			if (e > 0.134f)		/* 30 degrees */
				continue;
			v = 4.5f - 2.5f * d2 * inverse - 12 * e + 0.25f * p->likelihood[i][j] * 0.5f;
			if (v > best_a[i])
			{
				best_a[i] = v;
				who_a[i] = (int16_t) j;
			}
			if (v > best_b[j])
			{
				best_b[j] = v;
				who_b[j] = (int16_t) i;
			}
		}
	}
	for (int i = 0; i < a->count; i++)
	{
		int			j = who_a[i];
		float		dx,
					dy,
					l;

		if (j < 0 || who_b[j] != i)
			continue;
		dx = x[i] - b->x[j];
		dy = y[i] - b->y[j];
		al->pair_a[n] = (uint8_t) i;
		al->pair_b[n] = (uint8_t) j;
		l = (float) p->likelihood[i][j] * 0.25f;
		al->weight[n] = 1;
		n++;
		residual += dx * dx + dy * dy;
		descriptor += l < -6 ? -6 : l;
		angular += 1 - (((c * a->cosine[i] - s * a->sine[i])) * b->cosine[j] + (s * a->cosine[i] + c * a->sine[i]) * b->sine[j]);
		evidence += best_a[i];
	}
	al->npairs = n;
	al->residual = residual;
	al->descriptor = descriptor;
	al->evidence = evidence;
	al->angular = angular;
}

static bool
inside(const Finger *f, float x, float y, float margin)
{
	for (int d = 0; d < DIRECTIONS; d++)
	{
		float		c = (float) fingerprint_cosine[d * 16] / 16384.0f;
		float		s = (float) fingerprint_sine(d * 16) / 16384.0f;

		if (x * c + y * s > f->support[d] + margin)
			return false;
	}
	return true;
}

static int
overlap_a(const Finger *a, const Finger *b, const float *x, const float *y)
{
	int			n = 0;

	for (int i = 0; i < a->count; i++)
		n += inside(b, x[i], y[i], 5);
	return n;
}

static int
overlap_b(const Finger *a, const Finger *b, const Motion *m)
{
	int			n = 0;

	for (int j = 0; j < b->count; j++)
	{
		float		dx = b->x[j] - m->t[0];
		float		dy = b->y[j] - m->t[1];

		n += inside(a, m->m[0][0] * dx + m->m[1][0] * dy, m->m[0][1] * dx + m->m[1][1] * dy, 5);
	}
	return n;
}

static void
compare(FingerprintProbe *p, const Finger *a, const Finger *b, double *evidence)
{
	Candidate  *c = p->candidates;
	float		star[MAX_CANDIDATES];
	float		x[MAX_MINUTIAE],
				y[MAX_MINUTIAE];
	Alignment	best,
				al;
	int			order[MAX_CANDIDATES];
	int			n;
	float		value = -1;
	float		relaxed = 0;

	likelihoods(a, b, p->likelihood);
	choose_candidates(p, a, b);
	n = p->ncandidates;
	evidence[6] = a->count;
	evidence[7] = b->count;
	if (n < 1)
		return;
	for (int i = 0; i < n; i++)
	{
		p->compatible[i][i] = 0;
		for (int j = 0; j < i; j++)
			p->compatible[i][j] = p->compatible[j][i] = compatibility(a, b, &c[i], &c[j]);
	}

	/* unary weights, then two rounds of relaxation */
	{
		float		unary[MAX_CANDIDATES];

		for (int i = 0; i < n; i++)
		{
			float		u = (float) c[i].likelihood * 0.25f + 3;

			unary[i] = u < 0.5f ? 0.5f : u;
			star[i] = unary[i];
		}
		for (int round = 0; round < 3; round++)
		{
			float		next[MAX_CANDIDATES];
			float		total = 0;

			for (int i = 0; i < n; i++)
			{
				float		sum = 0;

				for (int j = 0; j < n; j++)
					sum += p->compatible[i][j] * star[j];
				next[i] = (round == 0 ? unary[i] : 1) * sum;
				total += next[i] * next[i];
			}
			if (total <= 0)
				break;
			total = 1 / sqrtf(total);
			for (int i = 0; i < n; i++)
				star[i] = next[i] * total;
			relaxed = 1 / total;
		}
	}
	/* seeds in order of their relaxed weight */
	for (int i = 0; i < n; i++)
	{
		int			k = i;

		for (; k > 0 && star[i] > star[order[k - 1]]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	{
		bool		used[MAX_CANDIDATES] = {false};
		int			seeds = 0;

		for (int s = 0; s < n && seeds < 3; s++)
		{
			int			seed = order[s];
			bool		ua[MAX_MINUTIAE] = {false},
						ub[MAX_MINUTIAE] = {false};

			if (used[seed])
				continue;
			seeds++;
			al.npairs = 0;
			for (int k = 0; k < n; k++)
			{
				int			q = order[k];

				if (q != seed && p->compatible[seed][q] < 1.0f)
					continue;
				used[q] = true;
				if (ua[c[q].a] || ub[c[q].b])
					continue;
				ua[c[q].a] = ub[c[q].b] = true;
				al.pair_a[al.npairs] = c[q].a;
				al.pair_b[al.npairs] = c[q].b;
				al.weight[al.npairs] = (q == seed ? 5.0f : p->compatible[seed][q]);
				al.npairs++;
			}
			fit_rigid(a, b, &al);
			move(a, b, &al, false, x, y);
			pair(p, a, b, &al, x, y, 22);
			if (al.npairs < 1)
				continue;
			fit_rigid(a, b, &al);
			move(a, b, &al, true, x, y);
			pair(p, a, b, &al, x, y, 20);
			if (al.npairs < 1)
				continue;
			fit_rigid(a, b, &al);
			move(a, b, &al, true, x, y);
			pair(p, a, b, &al, x, y, 16);
			if (al.evidence > value)
			{
				value = al.evidence;
				best = al;
				evidence[0] = al.evidence;
				evidence[1] = al.npairs;
				evidence[2] = al.descriptor;
				evidence[3] = al.residual;
				evidence[4] = overlap_a(a, b, x, y);
				evidence[5] = overlap_b(a, b, &al.motion);
				evidence[9] = al.angular;
				evidence[10] = seeds;
			}
		}
	}
	{
		float		s = 0;
		int			top = a->count < b->count ? a->count : b->count;

		/* mean likelihood of the best candidates */
		evidence[8] = relaxed;
		top = top > 12 ? 12 : top;
		{
			int			histogram[HIGHEST - LOWEST + 1] = {0};
			int			taken = 0;

			for (int i = 0; i < n; i++)
				histogram[(c[i].likelihood > HIGHEST ? HIGHEST : c[i].likelihood) - LOWEST]++;
			for (int t = HIGHEST; t >= LOWEST && taken < top; t--)
			{
				int			k = histogram[t - LOWEST];

				k = k > top - taken ? top - taken : k;
				s += (float) (k * t);
				taken += k;
			}
		}
		evidence[11] = s * 0.25f / 12;
	}
	(void) best;
}

void
fingerprint_evidence(FingerprintProbe *probe, const void *features, size_t size,
					 double evidence[FINGERPRINT_EVIDENCE])
{
	int			order;

	for (int i = 0; i < FINGERPRINT_EVIDENCE; i++)
		evidence[i] = 0;
	unpack(&probe->gallery, features);

	/* one of the two plays the same part whichever is the probe */
	order = probe->size < size ? -1 : probe->size > size ? 1 : memcmp(probe->bytes, features, size);
	if (order <= 0)
		compare(probe, &probe->probe, &probe->gallery, evidence);
	else
		compare(probe, &probe->gallery, &probe->probe, evidence);
}

double
fingerprint_distance(FingerprintProbe *probe, const void *features, size_t size)
{
	double		evidence[FINGERPRINT_EVIDENCE];
	double		s;

	const uint8_t *bytes = features;

	if (bytes[0] != 0 && probe->bytes[0] != 0 && bytes[0] != probe->bytes[0])
		return FINGERPRINT_DISTANCE_NONMATED;
	fingerprint_evidence(probe, features, size, evidence);
	s = evidence[0] * 2 / (8 + sqrt(evidence[6] * evidence[7]));
	if (!(s > 0))
		return 1;
	return 1 / (1 + s);
}
