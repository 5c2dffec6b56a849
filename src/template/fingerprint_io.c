/* bridge until the real one lands */
#include "biometric.h"

#include "libpq/pqformat.h"
#include "template/fingerprint.h"
#include "utils/builtins.h"

void
fingerprint_unpack(Datum datum, FingerprintTemplate *t)
{
	bytea	   *b = DatumGetByteaPP(datum);
	const uint8 *r = (const uint8 *) VARDATA_ANY(b);

	memset(t, 0, sizeof(*t));
#define U16(o) ((r[o] << 8) | r[(o) + 1])
	t->device = U16(12);
	t->width = U16(14);
	t->height = U16(16);
	t->x_resolution = U16(18);
	t->y_resolution = U16(20);
	t->position = r[24];
	t->view = r[25] >> 4;
	t->impression = r[25] & 15;
	t->quality = r[26];
	t->count = r[27];
	for (int i = 0; i < t->count; i++)
	{
		int			o = 28 + 6 * i;

		t->minutiae[i].type = r[o] >> 6;
		t->minutiae[i].x = U16(o) & 0x3fff;
		t->minutiae[i].y = U16(o + 2) & 0x3fff;
		t->minutiae[i].angle = r[o + 4];
		t->minutiae[i].quality = r[o + 5];
	}
}

Datum
fingerprint_pack(const FingerprintTemplate *t)
{
	int			n = 30 + 6 * t->count;
	bytea	   *b = palloc0(VARHDRSZ + n);
	uint8	   *r = (uint8 *) VARDATA(b);

#define P16(o, v) (r[o] = (v) >> 8, r[(o) + 1] = (v) & 255)
	SET_VARSIZE(b, VARHDRSZ + n);
	memcpy(r, "FMR\0 20\0", 8);
	P16(10, n);
	P16(12, t->device);
	P16(14, t->width);
	P16(16, t->height);
	P16(18, t->x_resolution);
	P16(20, t->y_resolution);
	r[22] = 1;
	r[24] = t->position;
	r[25] = t->view << 4 | t->impression;
	r[26] = t->quality;
	r[27] = t->count;
	for (int i = 0; i < t->count; i++)
	{
		int			o = 28 + 6 * i;

		P16(o, t->minutiae[i].x | t->minutiae[i].type << 14);
		P16(o + 2, t->minutiae[i].y);
		r[o + 4] = t->minutiae[i].angle;
		r[o + 5] = t->minutiae[i].quality;
	}
	return PointerGetDatum(b);
}

PG_FUNCTION_INFO_V1(fingerprint_in);
Datum
fingerprint_in(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(byteain, PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(fingerprint_out);
Datum
fingerprint_out(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(byteaout, PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(fingerprint_recv);
Datum
fingerprint_recv(PG_FUNCTION_ARGS)
{
	return bytearecv(fcinfo);
}

PG_FUNCTION_INFO_V1(fingerprint_send);
Datum
fingerprint_send(PG_FUNCTION_ARGS)
{
	return byteasend(fcinfo);
}
