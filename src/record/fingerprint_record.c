/*
 * fingerprint_record.c
 *		Any bytes that hold fingerprints and say so themselves.
 */
#include "record/fingerprint_record.h"

#include "record/cbeff.h"

/* moves the errors of a record inside another to where they are in the whole */
typedef struct Shift
{
	size_t        offset;
	RecordVisitor visitor;
	void         *context;
} Shift;

static bool
shift_error(const RecordView *view, void *context)
{
	const Shift *shift = context;
	RecordView   shifted = *view;

	shifted.error.offset += shift->offset;
	return shift->visitor == NULL || shift->visitor(&shifted, shift->context);
}

static int
visit_cbeff(const uint8_t *data, size_t size, bool strict, RecordVisitor visitor, void *context,
			RecordSource *source, RecordError *error)
{
	CbeffBlock block;
	Shift      shift = {0, visitor, context};
	int        views;

	if (!cbeff_read(data, size, &block, error))
		return -1;
	shift.offset = (size_t) (block.data - data);
	if (record_recognise(block.data, block.size) != RECORD_MINUTIAE)
	{
		record_fail(error, shift.offset, "biometric data block", "is no finger minutiae record");
		return -1;
	}
	source->minutiae_record = true;
	views = minutiae_record_visit(block.data, block.size, strict, shift_error, &shift,
								  &source->format, error);
	error->offset += shift.offset;
	return views;
}

int
fingerprint_record_visit(const uint8_t *data, size_t size, bool strict, RecordVisitor visitor,
						 void *context, RecordSource *source, RecordError *error)
{
	*source = (RecordSource){.kind = record_recognise(data, size)};
	*error = (RecordError){0};
	switch (source->kind)
	{
		case RECORD_MINUTIAE:
			source->minutiae_record = true;
			return minutiae_record_visit(data, size, strict, visitor, context, &source->format,
										 error);
		case RECORD_CBEFF:
			return visit_cbeff(data, size, strict, visitor, context, source, error);
		default:
			return -1;
	}
}
