/*
 * fingerprint_record.c
 *		Any bytes that hold fingerprints and say so themselves.
 */
#include "record/fingerprint_record.h"

#include "record/an2k.h"
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
		record_fail(error, shift.offset, "biometric data block", "is not a finger minutiae record");
		return -1;
	}
	views = minutiae_record_visit(block.data, block.size, strict, shift_error, &shift,
								  &source->format, error);
	error->offset += shift.offset;
	return views;
}

/* the Type-9 records of an ANSI/NIST file */
typedef struct Type9Views
{
	const uint8_t *file;
	An2kPictures   pictures;
	int            views;
	RecordVisitor  visitor;
	void          *context;
} Type9Views;

static bool
show_type9(const An2kRecord *record, void *context)
{
	Type9Views         *views = context;
	FingerprintTemplate finger;
	RecordView          view = {.finger = &finger};
	Type9Form           form;

	if (record->type != 9)
		return true;
	view.number = ++views->views;
	if (!type9_read(views->file, record, &views->pictures, &finger, &form, &view.error))
		view.finger = NULL;
	return views->visitor == NULL || views->visitor(&view, views->context);
}

static int
visit_an2k(const uint8_t *data, size_t size, RecordVisitor visitor, void *context,
		   RecordError *error)
{
	Type9Views views = {.file = data, .visitor = visitor, .context = context};

	an2k_pictures(data, size, &views.pictures);
	if (an2k_visit(data, size, show_type9, &views, error) < 0)
		return -1;
	if (views.views == 0)
	{
		record_fail(error, 0, "file", "has no Type-9 record");
		return -1;
	}
	return views.views;
}

int
fingerprint_record_visit(const uint8_t *data, size_t size, bool strict, RecordVisitor visitor,
						 void *context, RecordSource *source, RecordError *error)
{
	*source = (RecordSource){record_recognise(data, size), MINUTIAE_FORMATS};
	*error = (RecordError){0};
	switch (source->kind)
	{
		case RECORD_MINUTIAE:
			return minutiae_record_visit(data, size, strict, visitor, context, &source->format,
										 error);
		case RECORD_CBEFF:
			return visit_cbeff(data, size, strict, visitor, context, source, error);
		case RECORD_AN2K:
			return visit_an2k(data, size, visitor, context, error);
		default:
			return -1;
	}
}
