/*
 * misreading.c
 *		The conventions that writers of records get wrong, put right.
 */
#include "record/misreading.h"

#include "record/minutiae_record.h"

const char *const misread_scale_names[SCALES] = {
	[SCALE_DPI] = "resolution in dpi written as pixels per centimetre",
	[SCALE_PER_CM] = "resolution divided by 2.54 once too often",
};

const char *const misread_axes_names[AXES] = {
	[AXES_Y_UP] = "y counted from below",
	[AXES_MIRRORED] = "picture mirrored",
};

const char *const misread_angle_names[ANGLES] = {
	[ANGLE_CLOCKWISE] = "angles clockwise",
	[ANGLE_HALF_TURN] = "angles turned by 180 degrees",
	[ANGLE_CLOCKWISE_HALF_TURN] = "angles clockwise and turned by 180 degrees",
	[ANGLE_TWO_DEGREES] = "angles in steps of two degrees instead of 1/256 turns",
};

static uint16_t
rescale(uint16_t resolution, MisreadScale scale)
{
	unsigned result = resolution;

	if (scale == SCALE_DPI)
		result = (resolution * 100U + 127) / 254;
	else if (scale == SCALE_PER_CM)
		result = (resolution * 254U + 50) / 100;
	return result >= 1 && result <= 65535 ? (uint16_t) result : resolution;
}

bool
misreading_undo(const FingerprintTemplate *finger, MisreadScale scale, MisreadAxes axes,
				MisreadAngle angle, FingerprintTemplate *result)
{
	*result = *finger;
	result->x_resolution = rescale(finger->x_resolution, scale);
	result->y_resolution = rescale(finger->y_resolution, scale);
	for (int i = 0; i < finger->count; i++)
	{
		Minutia *minutia = &result->minutiae[i];

		if (axes == AXES_Y_UP)
			minutia->y = (uint16_t) (finger->height - 1 - minutia->y);
		if (angle == ANGLE_CLOCKWISE || angle == ANGLE_CLOCKWISE_HALF_TURN)
			minutia->angle = (uint8_t) (256 - minutia->angle);
		if (angle == ANGLE_HALF_TURN || angle == ANGLE_CLOCKWISE_HALF_TURN)
			minutia->angle = (uint8_t) (minutia->angle + 128);
		if (angle == ANGLE_TWO_DEGREES)
		{
			if (minutia->angle > 179)
				return false;
			minutia->angle = angle_from_incits378(minutia->angle);
		}
		if (axes == AXES_MIRRORED)
		{
			minutia->x = (uint16_t) (finger->width - 1 - minutia->x);
			minutia->angle = (uint8_t) (128 - minutia->angle);
		}
	}
	return true;
}
