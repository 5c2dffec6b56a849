/*
 * modality.h
 *		What the index and the searches know of a biometric modality.
 *
 * Support function 1 of an operator class of the access method "biometric"
 * returns a pointer to one constant BiometricModality (SQL type internal).
 * Through it templates become the match-ready features that the index stores
 * and compares, and nobody outside the modality knows what they are.  A new
 * modality is one such struct, an operator class, and the SQL of
 * src/sql/biometric/modality.sql stamped for its type.
 *
 * A template is a varlena; equal templates have equal bytes.  It is checked at
 * input: after that no data can make these functions fail, except for out of
 * memory.
 */
#ifndef BIOMETRIC_MODALITY_H
#define BIOMETRIC_MODALITY_H

#include "match/words.h"
#include "nodes/pg_list.h"

/* Strategy numbers of the operator classes */
#define BIOMETRIC_DISTANCE_STRATEGY 1 /* template <-> template, FOR ORDER BY */
#define BIOMETRIC_MATCH_STRATEGY    2 /* template % template: score >= biometric.match_threshold */
#define BIOMETRIC_PROBE_STRATEGY    3 /* template % probe: score >= the probe's own minimum */
#define BIOMETRIC_STRATEGIES        3

/* Support function numbers */
#define BIOMETRIC_MODALITY_PROC 1
#define BIOMETRIC_PROCS         1

/* Of this layout of the struct below */
#define BIOMETRIC_MODALITY_MAGIC 0xB10E0004

#define BIOMETRIC_MAX_LABEL 100

/* A byte in the index says which page of a group an entry is on */
#define BIOMETRIC_MAX_GROUP_PAGES 256

/*
 * Pre-selection, for searches that need not be exact.  A template has words,
 * each a coarse description of a part of it; mated templates have some in
 * common.  key is what the part looks like, signature says more of that, and
 * tag is how the part is turned, where that makes sense.  The index keeps
 * postings: which entries have which words.
 *
 * A probe's words are those that a mate's may be, the likeliest first.  Each
 * posting found by the key of one gives the entry
 *
 *		weight - slope / 8 * (bits in which the signatures differ)
 *
 * votes, rounded down, if that is more than 0, in the bin (posting's tag - probe
 * word's tag) mod 16: votes for the same turn of the whole template come
 * together in one bin, or in two neighbouring ones.
 */
typedef Word BiometricWord; /* key < 1 << key_bits, and so on */

/* postings have this many bits for key, tag and signature together */
#define BIOMETRIC_CODE_BITS  35
#define BIOMETRIC_MAX_WEIGHT WORD_MAX_WEIGHT
#define BIOMETRIC_VOTE_BINS  16

typedef struct BiometricModality
{
	uint32      magic; /* BIOMETRIC_MODALITY_MAGIC */
	const char *name;  /* "fingerprint" */

	/* an index that holds features of another version wants REINDEX */
	uint32 features_version;

	/* no features are larger, bytes */
	Size max_features_size;

	/* planner: cost of one comparison of ready features, in cpu_operator_cost */
	double compare_cost;

	/*
	 * Which finger or eye of a person a template is of, its label: from 0,
	 * unknown, to max_label, which is at most BIOMETRIC_MAX_LABEL.  Templates of
	 * different known labels are never mated.  The pointers are NULL if max_label
	 * is 0.
	 *
	 * label_function is the name of the SQL function that returns a template's
	 * label, in the schema of the support function.  label_value is its result
	 * for a label, as text.  label_name is the label in words.
	 */
	int         max_label;
	const char *label_function;
	int (*label)(Datum datum);
	const char *(*label_value)(int label);
	const char *(*label_name)(int label);

	/*
	 * Write the features of a template (a datum of the indexed type, possibly
	 * toasted) into buffer, of max_features_size bytes; returns their size.
	 * Temporary memory goes to CurrentMemoryContext.
	 */
	Size (*extract)(Datum datum, void *buffer);

	/* whether size bytes read from a page can be compared safely */
	bool (*features_valid)(const void *features, Size size);

	/*
	 * Unpack features for comparison with many; allocated in
	 * CurrentMemoryContext as one chunk or several, freed with the context.
	 */
	void *(*begin_probe)(const void *features, Size size);

	/*
	 * Distances of the probe to n features, which need not be aligned.  Equal
	 * to the bit to what the operator <-> returns for the same templates; but
	 * for one beyond the limit any number beyond the limit may be given, which
	 * saves work.  Never NaN.  Bounded work for n <= a page's worth: the caller
	 * checks for interrupts.
	 */
	void (*distances)(void *probe, int n, const void *const *features, const Size *sizes,
					  double limit, double *distances);

	/*
	 * A sketch is a few bytes of the features that tell of most strangers that
	 * they are beyond a limit.  max_sketch_size is 0 and the pointers are NULL if
	 * the modality has none.
	 *
	 * sketch writes that of features, and returns its size.  sketch_valid says
	 * whether size bytes read from a page can be used safely.  sketches_within
	 * sets within[i] to false only if distances() from the probe to all features
	 * with sketch i is beyond the limit.  A page's worth at a time.
	 */
	Size max_sketch_size;
	int  group_pages; /* about so many pages of entries have their sketches on one page */
	Size (*sketch)(const void *features, Size size, void *sketch);
	bool (*sketch_valid)(const void *sketch, Size size);
	void (*sketches_within)(void *probe, int n, const void *const *sketches, const Size *sizes,
							double limit, bool *within);

	/*
	 * How much n features resemble the probe: the higher, the likelier mates; equal
	 * for equal features.  A fast search compares first what resembles most.  NULL if distances cost
	 * hardly more.
	 */
	void (*resemblances)(void *probe, int n, const void *const *features, const Size *sizes,
						 int *resemblances);

	/*
	 * Decibans of the false match rate of any distance, also one that no pair of
	 * templates has, except NaN.  Monotonically not increasing: the index turns a
	 * lowest score into a largest distance by bisection.
	 */
	double (*score)(double distance);

	/* false match rates were counted up to this score; beyond it a rate is a bound */
	double (*score_limit)(void);

	/*
	 * Words; key_bits is 0 if the modality has none.  Both functions return how
	 * many they wrote, at most max_words or max_probe_words, all of them
	 * different for words().
	 */
	int key_bits;       /* key_bits + tag_bits + signature_bits <= BIOMETRIC_CODE_BITS */
	int tag_bits;       /* at most 4; if not 0, a vote counts in the next bin too */
	int signature_bits; /* at most 16 */
	int max_words;
	int max_probe_words;
	int (*words)(const void *features, Size size, BiometricWord *words);
	int (*probe_words)(const void *features, Size size, BiometricWord *words);
} BiometricModality;

/*
 * Functions of modality.c.  They look at the default operator class that a type
 * has for the access method.
 */

/* What a support function 1 returned, after a look at it; NULL if it is no BiometricModality */
extern const BiometricModality *biometric_modality_from(Datum support_result);

/* The modality of a type; an error if it has none */
extern const BiometricModality *biometric_modality_of_type(Oid type);

/* The operators <-> and % probe of a type, the latter with the type of the probe */
extern Oid biometric_distance_operator(Oid type);
extern Oid biometric_probe_operator(Oid type, Oid *probe_type);

/* The schema of a type's support function, where its other functions are */
extern Oid biometric_schema_of_type(Oid type);

/* The type on the right-hand side of strategy 3 in an operator family; InvalidOid if there is none */
extern Oid biometric_probe_type(Oid family, Oid type);

/* The type of the templates in a probe type; InvalidOid if it is none */
extern Oid biometric_template_type(Oid probe_type);

/* The types with a default operator class, in no order */
extern List *biometric_types(void);

/*
 * The largest distance whose score is at least min_score: the limit of a search
 * for such scores.  Returns false if there is none.
 */
extern bool biometric_largest_distance(const BiometricModality *modality, double min_score,
									   double *distance);

#endif /* BIOMETRIC_MODALITY_H */
