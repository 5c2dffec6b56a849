/*
 * selection.h
 *		The nearest rows of a gallery, in bounded memory and for as long as they
 *		are asked for.
 *
 * A pass offers every row of the gallery; the selection keeps the nearest that
 * memory holds, then hands them out in order.  If the pass had more, another
 * pass selects those that come after the last one handed out:
 *
 *		do
 *		{
 *			selection_begin_pass(selection);
 *			for each row
 *				selection_offer(selection, distances, &tid, place);
 *			selection_end_pass(selection);
 *			while (selection_next(selection, distances, &tid, &place))
 *				...
 *		} while (selection_has_more(selection));
 *
 * The order is total: by distances, first to last, then by TID.  So no row is
 * returned twice or left out, even if many have the same distances.
 */
#ifndef BIOMETRIC_SELECTION_H
#define BIOMETRIC_SELECTION_H

#include "storage/itemptr.h"

typedef struct Selection Selection;

/* Where in the index a row was found */
typedef struct EntryPlace
{
	BlockNumber  block;
	OffsetNumber offset;
} EntryPlace;

/* ndistances numbers a row; memory is a limit in bytes.  Allocated in CurrentMemoryContext. */
extern Selection *selection_create(int ndistances, Size memory);

extern void selection_begin_pass(Selection *selection);

/*
 * Rows whose first distance is greater need not be offered in this pass.  It gets smaller
 * while rows are offered.
 */
extern double selection_limit(Selection *selection);

/* Distances are not NaN */
extern void selection_offer(Selection *selection, const double *distances, ItemPointer tid,
							EntryPlace place);

extern void selection_end_pass(Selection *selection);

/* The next row in order; false at the end of what the pass has selected */
extern bool selection_next(Selection *selection, double *distances, ItemPointer tid,
						   EntryPlace *place);

/* Whether the pass left rows out for lack of memory */
extern bool selection_has_more(Selection *selection);

/* Forgets what was handed out: the next pass selects from the nearest row on */
extern void selection_restart(Selection *selection);

#endif /* BIOMETRIC_SELECTION_H */
