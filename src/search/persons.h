/*
 * persons.h
 *		A search for one person with several probes: which persons of a gallery
 *		were found, and their scores.  A person may have several templates.
 *
 *		persons.c		finding persons, and completing their scores
 *		person_score.c	what a person's comparisons say together
 *		depth.c			how deep to search, and who may have been missed
 */
#ifndef BIOMETRIC_PERSONS_H
#define BIOMETRIC_PERSONS_H

#include "search/gallery.h"

#define MAX_PROBES 100
#define MAX_DEPTH  100000
#define AUTO_DEPTH 500 /* completing more persons takes longer than finding them */

/* A row of a person's */
typedef struct PersonRow
{
	struct PersonRow *next;
	int               label;
	Datum             key;    /* jsonb */
	float8           *scores; /* of the probes */
} PersonRow;

typedef struct Person
{
	Datum      value; /* of the person column */
	PersonRow *rows;  /* in the order they came */
	PersonRow *last_row;
	int        row_count;

	/* set by person_score */
	double score; /* the sum, as calibrated */
	double sum;   /* of match_score */
	double log_fmr;
	int    sources;
	bool   beyond_limit; /* a score of the sum is above the limit of its modality: see scores.h */
	Jsonb *evidence;

	char *name; /* for the result */
} Person;

struct person_table_hash;
struct known_table_hash;

typedef struct PersonSearch
{
	Gallery        *gallery;
	const char     *person; /* the column that names persons, quoted */
	TypeCacheEntry *person_type;
	Oid             collation;
	Oid             template_type;

	Probe *probes;
	int    probe_count;
	double min_score; /* rows that score less find nobody; 0: all rows do */

	/* found so far */
	int                       count;
	int                       capacity;
	Person                   *list;
	struct person_table_hash *numbers; /* by value */

	/* scores that are known */
	struct known_table_hash *known; /* by template */
	Size                     room;  /* bytes for more of them */

	void *features; /* room for those of a template */
} PersonSearch;

/* begin a search; the caller has set the fields above "found so far" */
extern void persons_begin(PersonSearch *search);

/*
 * Search with every probe for the depth nearest rows that score at least
 * min_score, and note the persons of these rows.  Returns whether one of the
 * searches came to the end of the gallery: then all persons are found.
 */
extern bool persons_find(PersonSearch *search, int depth);

/* compare all rows of the persons found with every probe */
extern void persons_complete(PersonSearch *search);

/* the sum of a completed person's scores, and what it is made of */
extern void person_score(const PersonSearch *search, Person *person);

/* whether searches return the nearest rows, and not only some of them */
extern bool search_is_exact(void);

/*
 * Search deeper and deeper, up to AUTO_DEPTH, until a person who was not found
 * cannot reach this FPIR in a gallery of size persons.  Returns the depth;
 * *unseen is the most that a person who was not found can score.
 */
extern int persons_find_enough(PersonSearch *search, int k, double fpir, int64 size,
							   double *unseen);

/* Search to a given depth; returns the most that a person who was not found can score */
extern double persons_find_depth(PersonSearch *search, int depth, double fpir, int64 size);

/* the match_score that one of a person's fingers has at least, if they reach this FPIR */
extern double persons_best_threshold(const PersonSearch *search, double fpir, int64 size);

#endif /* BIOMETRIC_PERSONS_H */
