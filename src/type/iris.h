/*
 * iris.h
 *		The SQL type iris.
 */
#ifndef BIOMETRIC_IRIS_H
#define BIOMETRIC_IRIS_H

#include "fmgr.h"
#include "record/iris_code.h"

/*
 * On disk, after the varlena header: columns, bits (uint16), eye (uint8), code,
 * mask.  No field is aligned.  Equal templates have equal bytes.
 */
#define IRIS_DATUM_HEADER 5

/*
 * The template in a datum.  Code and mask point into it, or, where it was
 * toasted, into memory of the current context, which the result keeps.  A datum
 * that is no iris, which only a damaged table holds, has no usable bit.
 */
extern IrisTemplate iris_unpack(Datum datum);
extern Datum        iris_pack(const IrisTemplate *iris);

#endif /* BIOMETRIC_IRIS_H */
