/*
 * selection.c
 *		The nearest rows of a gallery in bounded memory.
 *
 * Rows are collected without order.  When memory is full, a quickselect keeps
 * the nearer half, and from then on only rows nearer than the farthest kept are
 * collected: constant work per row.  At the end of the pass the rows become a
 * heap in linear time, and each row taken from it costs the logarithm of their
 * number.
 *
 * An access method does not know the LIMIT.  Most queries take only a few rows,
 * so the first pass keeps only FIRST_CAPACITY: the nearer the farthest of them is,
 * the more entries their sketches rule out.  A query that takes more rows is likely to
 * take many more, so the following passes keep more and more, up to the memory allowed.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "index/selection.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

typedef struct SelectedRow
{
	ItemPointerData tid;
	OffsetNumber    offset; /* of the entry; it fills a gap */
	BlockNumber     block;
	double          distances[FLEXIBLE_ARRAY_MEMBER];
} SelectedRow;

struct Selection
{
	int   ndistances;
	Size  row_size;
	char *rows; /* capacity rows, of which count are used */
	int64 count;
	int64 capacity;
	int64 pass_capacity; /* limit for this pass; even, at least 2 */
	int64 max_capacity;  /* what the memory limit allows */

	/* the farthest row that was kept when memory was full in this pass */
	bool         left_out;
	SelectedRow *bound;

	/* the row handed out last, over all passes */
	bool         has_last;
	SelectedRow *last;

	SelectedRow  *scratch;
	pg_prng_state random;
};

/* A pass keeps at least half of its capacity, if there are so many rows */
#define FIRST_CAPACITY  512
#define CAPACITY_GROWTH 32
#define MIN_CAPACITY    512

static inline SelectedRow *
selected_row(Selection *selection, int64 i)
{
	return (SelectedRow *) (selection->rows + i * selection->row_size);
}

static inline int
compare_rows(const Selection *selection, SelectedRow *a, SelectedRow *b)
{
	for (int i = 0; i < selection->ndistances; i++)
	{
		if (a->distances[i] < b->distances[i])
			return -1;
		if (a->distances[i] > b->distances[i])
			return 1;
	}
	return ItemPointerCompare(&a->tid, &b->tid);
}

static inline void
swap_rows(Selection *selection, int64 i, int64 j)
{
	memcpy(selection->scratch, selected_row(selection, i), selection->row_size);
	memcpy(selected_row(selection, i), selected_row(selection, j), selection->row_size);
	memcpy(selected_row(selection, j), selection->scratch, selection->row_size);
}

Selection *
selection_create(int ndistances, Size memory)
{
	Selection *selection = palloc0(sizeof(Selection));

	selection->ndistances = ndistances;
	selection->row_size = MAXALIGN(offsetof(SelectedRow, distances) + sizeof(double) * ndistances);
	selection->max_capacity = Max(memory / selection->row_size, MIN_CAPACITY) / 2 * 2;
	selection->capacity = selection->pass_capacity = FIRST_CAPACITY;
	selection->rows = palloc(selection->capacity * selection->row_size);
	selection->bound = palloc0(selection->row_size);
	selection->last = palloc0(selection->row_size);
	selection->scratch = palloc0(selection->row_size);

	/* random, so that no data can make the pivots bad */
	pg_prng_seed(&selection->random, (uint64) pg_prng_uint64(&pg_global_prng_state));
	return selection;
}

void
selection_begin_pass(Selection *selection)
{
	selection->count = 0;
	selection->left_out = false;
	if (selection->has_last)
		selection->pass_capacity =
			Min(selection->pass_capacity * CAPACITY_GROWTH, selection->max_capacity);
}

double
selection_limit(Selection *selection)
{
	return selection->left_out ? selection->bound->distances[0] : get_float8_infinity();
}

/*
 * Reorder the rows so that the nearest n come first, the farthest of them at
 * n - 1.  Quickselect (Hoare 1961); rows are distinct, pivots random, so its
 * expected time is linear for any input.
 */
static void
keep_nearest(Selection *selection, int64 n)
{
	int64 low = 0;
	int64 high = selection->count - 1;

	while (low < high)
	{
		int64 pivot = (int64) pg_prng_uint64_range(&selection->random, low, high);
		int64 boundary = low;

		CHECK_FOR_INTERRUPTS();
		swap_rows(selection, pivot, high);
		for (int64 i = low; i < high; i++)
		{
			if (compare_rows(selection, selected_row(selection, i), selected_row(selection, high)) <
				0)
			{
				if (i != boundary)
					swap_rows(selection, i, boundary);
				boundary++;
			}
		}
		swap_rows(selection, boundary, high);

		if (boundary == n - 1)
			break;
		if (boundary < n - 1)
			low = boundary + 1;
		else
			high = boundary - 1;
	}
	selection->count = n;
}

void
selection_offer(Selection *selection, const double *distances, ItemPointer tid, EntryPlace place)
{
	SelectedRow *row;

	/* most rows of a large gallery end here */
	if (distances[0] > selection_limit(selection))
		return;

	if (selection->count == selection->capacity)
	{
		if (selection->capacity < selection->pass_capacity)
		{
			selection->capacity = Min(selection->capacity * 2, selection->pass_capacity);
			selection->rows =
				repalloc_huge(selection->rows, selection->capacity * selection->row_size);
		}
		else
		{
			keep_nearest(selection, selection->capacity / 2);
			memcpy(selection->bound, selected_row(selection, selection->count - 1),
				   selection->row_size);
			selection->left_out = true;
		}
	}

	row = selected_row(selection, selection->count);
	memset(row, 0, offsetof(SelectedRow, distances));
	row->tid = *tid;
	row->block = place.block;
	row->offset = place.offset;
	memcpy(row->distances, distances, sizeof(double) * selection->ndistances);
	if (selection->left_out && compare_rows(selection, row, selection->bound) >= 0)
		return;
	if (selection->has_last && compare_rows(selection, row, selection->last) <= 0)
		return;
	selection->count++;
}

/* Restores the heap order, nearest row first, below row i */
static void
sift_down(Selection *selection, int64 i)
{
	for (;;)
	{
		int64 child = 2 * i + 1;

		if (child >= selection->count)
			return;
		if (child + 1 < selection->count &&
			compare_rows(selection, selected_row(selection, child + 1),
						 selected_row(selection, child)) < 0)
			child++;
		if (compare_rows(selection, selected_row(selection, i), selected_row(selection, child)) <=
			0)
			return;
		swap_rows(selection, i, child);
		i = child;
	}
}

void
selection_end_pass(Selection *selection)
{
	for (int64 i = selection->count / 2 - 1; i >= 0; i--)
		sift_down(selection, i);
}

bool
selection_next(Selection *selection, double *distances, ItemPointer tid, EntryPlace *place)
{
	if (selection->count == 0)
		return false;

	memcpy(selection->last, selected_row(selection, 0), selection->row_size);
	selection->has_last = true;
	if (--selection->count > 0)
	{
		memcpy(selected_row(selection, 0), selected_row(selection, selection->count),
			   selection->row_size);
		sift_down(selection, 0);
	}

	memcpy(distances, selection->last->distances, sizeof(double) * selection->ndistances);
	*tid = selection->last->tid;
	place->block = selection->last->block;
	place->offset = selection->last->offset;
	return true;
}

bool
selection_has_more(Selection *selection)
{
	return selection->left_out;
}

void
selection_restart(Selection *selection)
{
	selection->count = 0;
	selection->left_out = false;
	selection->has_last = false;
}
