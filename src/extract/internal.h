/*
 * internal.h
 *		What the steps of the extractor share.
 *
 * Fields that change slowly (mean, contrast, direction of ridges, quality) live
 * on a grid of blocks of 4 x 4 pixels: sums over a block are a first smoothing,
 * and everything after it costs a sixteenth.  grid_row() interpolates between
 * the centres of blocks.
 *
 * Pixels that carry ridges are 16-bit numbers, positive on ridges, where RIDGE
 * is the deviation of the neighbourhood.  They have a margin of zeros, so that
 * filters need no check.
 */
#ifndef EXTRACT_INTERNAL_H
#define EXTRACT_INTERNAL_H

#include "extract/extract.h"

#define BLOCK  4   /* pixels */
#define MARGIN 32  /* pixels of zeros around a plane of ridges */
#define RIDGE  256 /* one standard deviation */

/* a plane of ridges: pixel (x, y) is at[y * stride + x], margins included */
typedef struct Plane
{
	int16_t *origin; /* of pixel (0, 0) */
	int      stride;
} Plane;

typedef struct Extraction
{
	int width; /* pixels at 500 dpi */
	int height;
	int columns; /* blocks */
	int rows;
	bool (*interrupted)(void *argument);
	void *argument;

	uint8_t *picture; /* at 500 dpi; later the ridges, then their skeleton: 0 or 1 */
	int32_t *stack;   /* 2 * width * height: scratch of the steps that follow pixels */
	Plane    normal;  /* the picture with its mean taken away and its contrast evened out */
	Plane    ridges;  /* what the filters leave */
	void    *room;    /* filters, made when first wanted; later lists of endings and minutiae */

	/* on the grid */
	float   *weight;     /* share of a block that is not flat surroundings */
	float   *contrast;   /* deviation, grey levels */
	float   *cosine;     /* of twice the angle across the ridges, times coherence; y down */
	float   *sine;       /* the same */
	float   *coherence;  /* of the finest scale, 0 to 1 */
	float   *wavelength; /* pixels */
	float   *agreement;  /* correlation of the filtered with the normal plane */
	float   *energy;     /* mean square of the filtered plane */
	uint8_t *mask;       /* 1 where the finger is */
	float   *scratch[6];
	uint8_t *marks; /* scratch */
	float    top_contrast;
} Extraction;

/* extract.c */

/* for functions that then return false */
extern bool extraction_stopped(const Extraction *x);

/*
 * Lays out the working memory for a width and height, or only counts it when
 * there is none; returns its size
 */
extern size_t extraction_lay_out(Extraction *x, char *memory);

/* grid.c */

/* Gaussian blur, deviation in blocks; what lies outside counts as 0.  Uses scratch. */
extern void grid_blur(const Extraction *x, float *grid, double deviation, float *scratch);

/* Row y of pixels, interpolated between blocks; room for columns more floats after the row */
extern void grid_row(const Extraction *x, const float *grid, int y, float *row);

/* value that the share q of the values does not exceed; scratch holds count floats */
extern float grid_quantile(const float *values, int count, double q, float *scratch);

/* smooths the outline of a mask, fills holes of less than hole blocks, keeps the largest part */
extern void grid_tidy(const Extraction *x, uint8_t *mask, double deviation, int hole);

/*
 * Turns 4-connected parts of value in a plane of columns x rows bytes into
 * 1 - value: those smaller than smallest and, if only_largest, all but the
 * largest.  stack has room for columns * rows numbers.  Leaves 2 and 3 nowhere.
 */
extern void remove_parts(uint8_t *plane, int columns, int rows, uint8_t value, int smallest,
						 bool only_largest, int32_t *stack);

/* ridges.c */

/* false: interrupted */
extern bool ridges_normalise(Extraction *x);
/*
 * Filters each pixel of the normal plane for the direction and wavelength of
 * the ridges there, after ridges_start().  False: interrupted
 */
extern void ridges_start(Extraction *x);
extern bool ridges_filter(Extraction *x);

/* false: interrupted */
extern bool ridges_enhance(Extraction *x);

/* how far the filtered agrees with the normal plane; leaves in the mask where it does */
extern void   ridges_judge(Extraction *x);
extern size_t ridges_room(void);

/* angle of the ridges at a pixel, radians, y down, modulo pi */
extern double ridges_angle(const Extraction *x, int column, int row);

/* skeleton.c */

#define SKELETON_BORDER 3 /* pixels along the sides of the picture that have no ridges */

typedef enum WalkEnd
{
	WALK_FORK,
	WALK_ENDING,
	WALK_LONG
} WalkEnd;

/* false: interrupted */
extern bool   skeleton_make(Extraction *x);
extern size_t skeleton_room(void);
extern bool   skeleton_is_fork(const Extraction *x, int i);
extern bool   skeleton_is_ending(const Extraction *x, int i);

/* neighbours of pixel i, one of each line that starts there; returns their number */
extern int skeleton_branches(const Extraction *x, int i, int first[8]);

/*
 * Follows the line from start through its neighbour first for at most "most"
 * pixels, which path receives, a fork or ending at its end included.
 */
extern WalkEnd skeleton_walk(const Extraction *x, int start, int first, int most, int *path,
							 int *length);

/* minutiae.c */

/* count, minutiae and quality of the result; false: interrupted */
extern bool   minutiae_find(Extraction *x, FingerprintTemplate *result);
extern size_t minutiae_room(void);

#endif /* EXTRACT_INTERNAL_H */
