/*
 * open_iris_json.h
 *		The JSON that open-iris writes for an eye.  Plain C.
 */
#ifndef RECORD_OPEN_IRIS_JSON_H
#define RECORD_OPEN_IRIS_JSON_H

#include "record/iris_code.h"

/*
 * Reads {"iris_codes": "..", "mask_codes": ".."}, alone or as "iris_template"
 * beside "metadata" with "eye_side", as iris_from_open_iris_json() does in SQL.
 * Rows, columns and wavelets are those of iris_read_open_iris().  Strings are
 * unescaped where they stand, so text changes.
 */
extern bool iris_read_open_iris_json(char *text, size_t size, int64_t rows, int64_t columns,
									 int64_t wavelets, IrisRecord *record, IrisError *error);

#endif /* RECORD_OPEN_IRIS_JSON_H */
