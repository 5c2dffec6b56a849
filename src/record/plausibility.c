/*
 * plausibility.c
 *		Signs that a template is not of a real finger.
 *
 * Size is judged by density, since a small sensor makes small pictures: ridges
 * are half a millimetre apart, so a square millimetre has no room for many
 * minutiae, and a square centimetre has more than two.  Of 1 669 captures of seven
 * sensors and of ink the densest has 0.63 on a square millimetre, the sparsest 0.11;
 * of the same with a resolution written 2.54 times too high, 99 % have more than
 * MAX_DENSITY.
 */
#include "record/plausibility.h"

#define MAX_DENSITY 0.85 /* minutiae per square millimetre */
#define MIN_DENSITY 0.02

/* a rolled thumb at its largest, millimetres */
#define MAX_SPAN 55

void
template_plausibility(const FingerprintTemplate *finger, Plausibility *result)
{
	int  left = finger->width, right = 0, top = finger->height, bottom = 0;
	bool right_angles = true;

	*result = (Plausibility){0};
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *a = &finger->minutiae[i];

		left = a->x < left ? a->x : left;
		right = a->x > right ? a->x : right;
		top = a->y < top ? a->y : top;
		bottom = a->y > bottom ? a->y : bottom;
		right_angles = right_angles && a->angle % 64 == 0;
		for (int j = 0; j < i; j++)
		{
			const Minutia *b = &finger->minutiae[j];

			if (a->x == b->x && a->y == b->y && a->angle == b->angle)
			{
				result->doubles++;
				break;
			}
		}
	}
	if (finger->count < PLAUSIBILITY_MIN_MINUTIAE)
		return;

	result->width = (right - left + 1) * 10.0 / finger->x_resolution;
	result->height = (bottom - top + 1) * 10.0 / finger->y_resolution;
	result->density = finger->count / (result->width * result->height);
	result->too_small = result->density > MAX_DENSITY;
	result->too_large =
		result->width > MAX_SPAN || result->height > MAX_SPAN || result->density < MIN_DENSITY;
	result->right_angles = right_angles;
	result->one_corner = (right - left) * 4 < finger->width && (bottom - top) * 4 < finger->height;
}
