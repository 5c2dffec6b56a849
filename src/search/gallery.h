/*
 * gallery.h
 *		A gallery is a table or view with a column of templates; the caller
 *		gives the names of both.  Also the statements that search it.
 *
 *		gallery.c	opening it, statements, comparison
 *		parts.c		parts of the statements: columns, filter, key
 *		nodes.c		where its rows are
 */
#ifndef BIOMETRIC_GALLERY_H
#define BIOMETRIC_GALLERY_H

#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "search/calibration.h"
#include "type/modality.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

#define GALLERY_MAX_PARAMETERS 201

/* What is searched, and the parts of the statements that do it */
typedef struct Gallery
{
	Relation                 relation; /* locked until the end of the transaction */
	const BiometricModality *modality;
	int                      settings; /* nest level of settings, until gallery_close */
	const char              *distance; /* OPERATOR(..) of the modality: template <-> template */
	const char              *match;    /* template % probe */
	Oid                      probe_type;
	const char              *schema; /* of the modality's functions, quoted */
	const char              *column; /* of the templates, g.column, quoted */
	const char              *key;    /* an expression of type jsonb */
	StringInfoData           where;  /* WHERE .. */

	/* of the scores that are shown and the rates that are claimed; NULL: the modality's own */
	const Calibration *calibration;

	/* what the statements read, quoted: the relation itself, or its partitions */
	List *sources;
	bool  is_local; /* all rows are in tables of this server, so its operators compare them */

	/* parameters of the filter; those of a statement follow */
	int   parameters;
	Oid   types[GALLERY_MAX_PARAMETERS];
	Datum values[GALLERY_MAX_PARAMETERS];
} Gallery;

/* A template ready for comparison */
typedef struct Probe
{
	int    number; /* in the caller's array, from 1 */
	int    label;  /* which finger or eye, see modality.h */
	Datum  datum;
	void  *probe;
	double last; /* score of the last row that its search returned */
} Probe;

/*
 * Open a gallery inside SPI and make the parts of statements.  person is NULL
 * for a search of rows; key_columns may be NULL, and so may filter and the name
 * of a calibration.
 */
extern void gallery_open(Gallery *gallery, Oid relation, const char *person,
						 const char *template_column, Jsonb *filter, ArrayType *key_columns,
						 ArrayType *without_servers, Oid template_type, const char *calibration);
extern void gallery_close(Gallery *gallery);

/* an error: the argument must not be null */
extern void gallery_null_argument(const char *name);

/* ---- parts.c ------------------------------------------------------------- */

/* an ordinary column by its name, with the type under its domains */
extern void  gallery_column(const Gallery *gallery, const char *name, Oid *type, Oid *collation);
extern char *gallery_quote_column(const char *name);
extern char *gallery_quote_operator(Oid operator_oid);

/* equality of values of a type, as GROUP BY and unique constraints have it */
extern TypeCacheEntry *gallery_equality(const char *column, Oid type, int flags);

/* add the conditions that a filter, {"column": value, ..}, stands for */
extern void gallery_add_filter(Gallery *gallery, Jsonb *filter);

/* what names a row, see identify in doc/identify.md; columns may be NULL */
extern const char *gallery_key(const Gallery *gallery, ArrayType *columns, Oid template_type);

/* ---- gallery.c ----------------------------------------------------------- */

/* the condition that a row is compared with the probe at all */
extern const char *gallery_comparable(const Gallery *gallery, const Probe *probe);

/* SELECT what of the gallery's rows, tail being more conditions or clauses */
extern char *gallery_select(const Gallery *gallery, const char *what, const char *tail);

/* a plan for the parameters' values as they are */
extern SPIPlanPtr gallery_prepare(Gallery *gallery, const char *statement, int parameters);

/*
 * what, two columns, nearest to the probe first, in SPI_tuptable: at most limit
 * rows, of a score of at least min_score, if that is above 0.  The distance is a
 * third column if the gallery is local.
 */
extern void gallery_search(Gallery *gallery, const char *what, Oid template_type, Datum probe,
						   double min_score, int64 limit);

/* the number of rows with more conditions, and of different values in them */
extern int64 gallery_count(Gallery *gallery, const char *tail);
extern int64 gallery_count_distinct(Gallery *gallery, const char *what);

/* a column, from 1, of a row, from 0, of SPI_tuptable */
extern Datum gallery_result(int row, int column);

extern int         gallery_label(const Gallery *gallery, Datum datum);
extern const char *gallery_label_name(const Gallery *gallery, int label);

/* whether a template of this label is compared with the probe at all */
extern bool gallery_labels_meet(const Probe *probe, int label);

/*
 * A score as it is shown, the least score that is shown as so much, the least that is so
 * much or is shown as so much, and up to which scores were counted
 */
extern double gallery_calibrated(const Gallery *gallery, double score);
extern double gallery_least_score(const Gallery *gallery, double calibrated);
extern double gallery_min_score(const Gallery *gallery, double min_score);
extern double gallery_score_limit(const Gallery *gallery);

/* scores, equal to the bit to those of match_score; features is room for some */
extern void   gallery_begin_probe(const Gallery *gallery, Probe *probe, Datum datum);
extern double gallery_compare(const Gallery *gallery, Probe *probe, const void *features,
							  Size size);
extern double gallery_compare_template(const Gallery *gallery, Probe *probe, Datum datum,
									   void *features);

/*
 * The score of a row, from 0, of gallery_search, whose second column is the
 * template: compared again only if another server compared it.
 */
extern double gallery_result_score(const Gallery *gallery, Probe *probe, int row, void *features);

/* ---- nodes.c ------------------------------------------------------------- */

/*
 * The partitions of a partitioned table some of which are on other servers, as
 * OIDs in the order of the catalog; NIL for any other relation.
 */
extern List *gallery_leaves(Relation relation);

/* Set what the statements read, leaving out servers that without_servers names, which may be NULL */
extern void gallery_set_sources(Gallery *gallery, ArrayType *without_servers);

/* may the caller read the partitions as they may read the table? */
extern bool gallery_leaves_readable(Relation relation, List *leaves);

/* "schema.name", quoted */
extern char *gallery_qualified_name(Oid relation);

#endif /* BIOMETRIC_GALLERY_H */
