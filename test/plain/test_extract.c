/*
 * test_extract.c
 *		Minutiae from pictures: limits, hostile pictures, and that a picture that
 *		is turned, shifted, mirrored, scaled or inverted has the same minutiae.
 */
#include "extract/extract.h"
#include "extract/synthetic_image.h"
#include "match/portable_math.h"
#include "tap.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W SYNTHETIC_WIDTH
#define H SYNTHETIC_HEIGHT

/* of synthetic_image(1, 0, 0) and its template */
#define PICTURE_HASH  UINT64_C(0x68B6C0C4C9DAE549)
#define TEMPLATE_HASH UINT64_C(0x759C9ED75608F0E7)

static uint64_t
hash_bytes(const uint8_t *bytes, size_t size)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t
hash_template(const FingerprintTemplate *t)
{
	uint8_t bytes[8 + 8 * FINGERPRINT_MAX_MINUTIAE];
	size_t  n = 0;

	bytes[n++] = t->count;
	bytes[n++] = t->quality;
	for (int i = 0; i < t->count; i++)
	{
		const Minutia *m = &t->minutiae[i];

		bytes[n++] = m->x & 255;
		bytes[n++] = (uint8_t) (m->x >> 8);
		bytes[n++] = m->y & 255;
		bytes[n++] = (uint8_t) (m->y >> 8);
		bytes[n++] = m->angle;
		bytes[n++] = m->type;
		bytes[n++] = m->quality;
	}
	return hash_bytes(bytes, n);
}

/* extraction in memory of exactly the size that was asked for */
static ExtractStatus
extract_with(const uint8_t *pixels, int width, int height, double dpi,
			 bool (*interrupted)(void *argument), void *argument, FingerprintTemplate *result)
{
	ExtractImage  image = {pixels, width, height, dpi};
	int           scaled_width = 0, scaled_height = 0;
	size_t        size = extract_memory_size(width, height, dpi);
	void         *memory = malloc(size);
	uint8_t      *enhanced;
	ExtractStatus status;

	extract_check(width, height, dpi, &scaled_width, &scaled_height);
	enhanced = malloc((size_t) scaled_width * scaled_height);
	memset(memory, 0xA5, size);
	status = extract_minutiae(&image, memory, interrupted, argument, enhanced, result);
	free(enhanced);
	free(memory);
	return status;
}

static FingerprintTemplate
extract(const uint8_t *pixels, int width, int height, double dpi)
{
	FingerprintTemplate result;

	memset(&result, 0, sizeof(result));
	if (extract_with(pixels, width, height, dpi, NULL, NULL, &result) != EXTRACT_OK)
		result.count = 0;
	return result;
}

static bool
valid(const FingerprintTemplate *t, int width, int height)
{
	if (t->width != width || t->height != height || t->x_resolution != 197 ||
		t->y_resolution != 197 || t->quality > 100 || t->position != 0)
		return false;
	for (int i = 0; i < t->count; i++)
	{
		const Minutia *m = &t->minutiae[i];

		if (m->x >= width || m->y >= height || m->type < 1 || m->type > 2 || m->quality < 1 ||
			m->quality > 100 || (i > 0 && m->quality > t->minutiae[i - 1].quality))
			return false;
	}
	return true;
}

/*
 * Share of the minutiae of a that b has, where (x, y, angle) of a becomes
 * (xx x + xy y + x0, yx x + yy y + y0) in b
 */
static double
share_kept(const FingerprintTemplate *a, const FingerprintTemplate *b, double xx, double xy,
		   double x0, double yx, double yy, double y0, bool types)
{
	int kept = 0;

	for (int i = 0; i < a->count; i++)
	{
		const Minutia *m = &a->minutiae[i];
		double         angle = m->angle * (PORTABLE_PI / 128);
		double         dx = cos(angle), dy = -sin(angle);
		double         x = xx * m->x + xy * m->y + x0, y = yx * m->x + yy * m->y + y0;
		double         ex = xx * dx + xy * dy, ey = yx * dx + yy * dy;
		bool           found = false;

		for (int j = 0; j < b->count && !found; j++)
		{
			const Minutia *n = &b->minutiae[j];
			double         other = n->angle * (PORTABLE_PI / 128);
			double         cosine = (cos(other) * ex - sin(other) * ey) / sqrt(ex * ex + ey * ey);

			found = fabs(n->x - x) <= 4 && fabs(n->y - y) <= 4 && cosine > 0.95 &&
					(!types || n->type == m->type);
		}
		kept += found;
	}
	return a->count ? (double) kept / a->count : 0;
}

static bool
stop_at(void *argument)
{
	return --*(int *) argument < 0;
}

static void
test_limits(void)
{
	int           w, h;
	const uint8_t pixel = 0;

	ok(extract_check(W, H, 500, &w, &h) == EXTRACT_OK && w == W && h == H, "a usual size");
	ok(extract_check(1000, 800, 1000, &w, &h) == EXTRACT_OK && w == 500 && h == 400,
	   "the size at 500 dpi");
	ok(extract_check(W, H, NAN, &w, &h) == EXTRACT_BAD_RESOLUTION &&
		   extract_check(W, H, INFINITY, &w, &h) == EXTRACT_BAD_RESOLUTION &&
		   extract_check(W, H, -INFINITY, &w, &h) == EXTRACT_BAD_RESOLUTION &&
		   extract_check(W, H, 0, &w, &h) == EXTRACT_BAD_RESOLUTION &&
		   extract_check(W, H, -500, &w, &h) == EXTRACT_BAD_RESOLUTION &&
		   extract_check(W, H, 5e-324, &w, &h) == EXTRACT_BAD_RESOLUTION,
	   "resolutions that are none");
	ok(extract_check(1, 1, 500, &w, &h) == EXTRACT_TOO_SMALL &&
		   extract_check(0, H, 500, &w, &h) == EXTRACT_TOO_SMALL &&
		   extract_check(W, -5, 500, &w, &h) == EXTRACT_TOO_SMALL &&
		   extract_check(-2147483647 - 1, H, 500, &w, &h) == EXTRACT_TOO_SMALL &&
		   extract_check(63, 64, 500, &w, &h) == EXTRACT_TOO_SMALL,
	   "sizes that are too small");
	ok(extract_check(2147483647, 2147483647, 500, &w, &h) == EXTRACT_TOO_LARGE &&
		   extract_check(65536, 65536, 500, &w, &h) == EXTRACT_TOO_LARGE &&
		   extract_check(2049, 100, 500, &w, &h) == EXTRACT_TOO_LARGE &&
		   extract_check(2048, 2048, 250, &w, &h) == EXTRACT_TOO_LARGE,
	   "sizes that are too large");
	ok(extract_memory_size(65536, 65536, 500) == 0 && extract_memory_size(W, H, NAN) == 0 &&
		   extract_memory_size(W, H, 500) < (size_t) 80 * W * H,
	   "memory: at most 80 bytes a pixel");
	{
		ExtractImage        image = {&pixel, 1, 1, 500};
		FingerprintTemplate t;

		ok(extract_minutiae(&image, NULL, NULL, NULL, NULL, &t) == EXTRACT_TOO_SMALL,
		   "a picture that is refused is not touched");
	}
}

/* pictures without a finger, of awkward sizes */
static void
test_hostile(void)
{
	static const int    sizes[][2] = {{64, 64}, {65, 67}, {64, 331}, {331, 64}, {127, 130}};
	static const double dpi[] = {500, 499.5, 300};
	uint64_t            random = 1;
	bool                sound = true, nothing = true, stops = true;
	uint8_t            *pixels = malloc(331 * 331);

	for (int s = 0; s < 5; s++)
		for (int kind = 0; kind < 7; kind++)
		{
			int                 w = sizes[s][0], h = sizes[s][1], sw, sh;
			double              d = dpi[kind % 3];
			FingerprintTemplate t;

			for (int i = 0; i < w * h; i++)
			{
				int x = i % w, y = i / w;

				pixels[i] =
					(uint8_t) (kind == 0   ? 255
							   : kind == 1 ? 0
							   : kind == 2 ? portable_random(&random) & 255
							   : kind == 3 ? (x + y) % 2 * 255        /* chequered */
							   : kind == 4 ? 128 + 100 * sin(x * 0.7) /* straight */
							   : kind == 5
								   ? (x > w / 2) * 255                              /* one edge */
								   : 128 + 100 * sin(hypot(x - 30, y - 30) * 0.7)); /* rings */
			}
			t = extract(pixels, w, h, d);
			extract_check(w, h, d, &sw, &sh);
			sound = sound && valid(&t, sw, sh);
			if (kind < 2)
				nothing = nothing && t.count == 0 && t.quality == 0;
		}
	ok(sound, "pictures without a finger give valid templates");
	ok(nothing, "white and black give no minutiae and quality 0");

	/* stops at whatever call */
	for (int i = 0; i < 128 * 128; i++)
		pixels[i] = (uint8_t) (128 + 100 * sin(hypot(i % 128 - 30, i / 128 - 30) * 0.7));
	for (int calls = 0;; calls += 37)
	{
		int                 left = calls;
		FingerprintTemplate t;
		ExtractStatus       status = extract_with(pixels, 128, 128, 500, stop_at, &left, &t);

		if (status == EXTRACT_OK)
			break;
		stops = stops && status == EXTRACT_INTERRUPTED && left == -1 && calls < 10000;
		if (!stops)
			break;
	}
	ok(stops, "an interrupt stops the work wherever it comes");
	free(pixels);
}

static void
test_properties(void)
{
	uint8_t            *picture = malloc(W * H);
	uint8_t            *other = malloc(4 * W * H);
	void               *memory = malloc(synthetic_image_memory_size());
	FingerprintTemplate t, u;
	double              a, b;

	ok(synthetic_image(1, 0, 0, memory, NULL, NULL, picture), "a synthetic picture");
	t = extract(picture, W, H, 500);
	ok(valid(&t, W, H) && t.count >= 20 && t.quality > 60, "it has minutiae and is good");
	printf("# picture %016llx template %016llx, %d minutiae, quality %d\n",
		   (unsigned long long) hash_bytes(picture, W * H), (unsigned long long) hash_template(&t),
		   t.count, t.quality);
	ok(hash_bytes(picture, W * H) == PICTURE_HASH, "the picture is the same on every platform");
	ok(hash_template(&t) == TEMPLATE_HASH, "the template is the same on every platform");

	for (int i = 0; i < W * H; i++)
		other[i] = picture[W * H - 1 - i];
	u = extract(other, W, H, 500);
	a = share_kept(&t, &u, -1, 0, W - 1, 0, -1, H - 1, true);
	b = share_kept(&u, &t, -1, 0, W - 1, 0, -1, H - 1, true);
	printf("# turned by 180 degrees: %.2f %.2f kept\n", a, b);
	ok(a > 0.8 && b > 0.8, "turned by 180 degrees");

	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			other[x * H + H - 1 - y] = picture[y * W + x];
	u = extract(other, H, W, 500);
	a = share_kept(&t, &u, 0, -1, H - 1, 1, 0, 0, true);
	b = share_kept(&u, &t, 0, 1, 0, -1, 0, H - 1, true);
	printf("# turned by 90 degrees: %.2f %.2f kept\n", a, b);
	ok(a > 0.8 && b > 0.8, "turned by 90 degrees");

	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			other[y * W + W - 1 - x] = picture[y * W + x];
	u = extract(other, W, H, 500);
	a = share_kept(&t, &u, -1, 0, W - 1, 0, 1, 0, true);
	b = share_kept(&u, &t, -1, 0, W - 1, 0, 1, 0, true);
	printf("# mirrored: %.2f %.2f kept\n", a, b);
	ok(a > 0.8 && b > 0.8, "mirrored");

	memset(other, picture[0], 4 * W * H);
	for (int y = 0; y < H; y++)
		memcpy(other + (y + 10) * (W + 30) + 19, picture + y * W, W);
	u = extract(other, W + 30, H + 21, 500);
	a = share_kept(&t, &u, 1, 0, 19, 0, 1, 10, true);
	b = share_kept(&u, &t, 1, 0, -19, 0, 1, -10, true);
	printf("# shifted: %.2f %.2f kept\n", a, b);
	ok(a > 0.8 && b > 0.8, "shifted");

	for (int i = 0; i < W * H; i++)
		other[i] = 255 - picture[i];
	u = extract(other, W, H, 500);
	a = share_kept(&t, &u, 1, 0, 0, 0, 1, 0, true);
	printf("# inverted: %.2f kept\n", a);
	ok(a > 0.95, "light ridges on dark");

	/* half the contrast, another brightness */
	for (int i = 0; i < W * H; i++)
		other[i] = 20 + picture[i] / 2;
	u = extract(other, W, H, 500);
	a = share_kept(&t, &u, 1, 0, 0, 0, 1, 0, true);
	printf("# less contrast: %.2f kept\n", a);
	ok(a > 0.8, "half the contrast");

	/* each pixel four times, which is 1 000 dpi */
	for (int i = 0; i < 4 * W * H; i++)
		other[i] = picture[i / (2 * W) / 2 * W + i % (2 * W) / 2];
	u = extract(other, 2 * W, 2 * H, 1000);
	a = share_kept(&t, &u, 1, 0, 0, 0, 1, 0, true);
	b = share_kept(&u, &t, 1, 0, 0, 0, 1, 0, true);
	printf("# 1000 dpi: %.2f %.2f kept\n", a, b);
	ok(valid(&u, W, H) && a > 0.8 && b > 0.8, "scaled to 1000 dpi");

	/* means of four, which is 250 dpi */
	for (int y = 0; y < H / 2; y++)
		for (int x = 0; x < W / 2; x++)
		{
			const uint8_t *p = picture + 2 * y * W + 2 * x;

			other[y * (W / 2) + x] = (uint8_t) ((p[0] + p[1] + p[W] + p[W + 1] + 2) / 4);
		}
	u = extract(other, W / 2, H / 2, 250);
	a = share_kept(&t, &u, 1, 0, 0, 0, 1, 0, false);
	b = share_kept(&u, &t, 1, 0, 0, 0, 1, 0, false);
	printf("# 250 dpi: %.2f %.2f kept\n", a, b);
	ok(valid(&u, W, H) && a > 0.7 && b > 0.7, "scaled to 250 dpi");

	free(memory);
	free(other);
	free(picture);
}

/* files that fuzzing kept, as fuzz_extract.c reads them */
static void
test_corpus(void)
{
	const char    *path = "../fuzz/corpus/extract";
	DIR           *folder = opendir(path);
	struct dirent *entry;
	int            files = 0;
	bool           sound = true;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
	{
		char                name[512];
		uint8_t             data[65536];
		FILE               *file;
		size_t              size;
		int                 width, height, w, h;
		double              dpi;
		FingerprintTemplate t;
		uint8_t            *pixels;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = fopen(name, "rb");
		if (file == NULL)
			continue;
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		if (size < 5)
			continue;
		width = 32 + data[0];
		height = 32 + data[1];
		dpi = data[2] * 256 + data[3];
		pixels = malloc((size_t) width * height);
		for (int i = 0; i < width * height; i++)
			pixels[i] = data[4 + i % (size - 4)];
		if (extract_check(width, height, dpi, &w, &h) == EXTRACT_OK)
		{
			t = extract(pixels, width, height, dpi);
			sound = sound && valid(&t, w, h);
		}
		free(pixels);
		files++;
	}
	if (folder != NULL)
		closedir(folder);
	printf("# %d files\n", files);
	ok(files > 0 && sound, "the corpus of the fuzzer does no harm");
}

int
main(void)
{
	test_limits();
	test_hostile();
	test_properties();
	test_corpus();
	printf("1..%d\n", tests);
	return failures > 0;
}
