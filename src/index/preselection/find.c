/*
 * find.c
 *		Choosing what a fast search compares.
 *
 * The probe's words are followed, the likeliest first, until a number of
 * postings is reached that depends on the size of the gallery only.  Their votes
 * are collected in one array, brought together by entry with a few counters
 * that stay in the processor's cache, and the entries with most votes win.
 * Memory is bounded by that number of postings.
 */
#include "postgres.h"

#include "index/preselection/preselection.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include <math.h>

/*
 * Postings that a search visits: a share of all, within limits.  Measured
 * (test/bench/preselection): more find hardly more.
 */
#define BUDGET_SHARE 0.025
#define BUDGET_MIN   300000.0
#define BUDGET_MAX   4000000.0

/* However small the share of the gallery, so many are soon compared */
#define MIN_CANDIDATES 1000

/* A vote: its entry, its bin and its weight */
#define VOTE_BITS       8
#define VOTE_BIN_BITS   4
#define VoteRef(vote)   ((EntryRef) ((vote) >> (VOTE_BITS + VOTE_BIN_BITS)))
#define VoteBin(vote)   ((vote) >> VOTE_BITS & (BIOMETRIC_VOTE_BINS - 1))
#define VoteCount(vote) ((unsigned) ((vote) & ((1 << VOTE_BITS) - 1)))

/* votes are counted for at least 1 << this references at a time: 64 kB of counters */
#define RANGE_BITS     12
#define MAX_RANGE_BITS 11 /* and in at most so many ranges */

#define MAX_SCORE (2 * 255)

/* leaves to be read from disk before they are needed */
#define READ_AHEAD 32

/* the instruction that counts bits is not in the least of x86-64 processors */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define COUNTS_BITS __attribute__((target_clones("default", "popcnt")))
#else
#define COUNTS_BITS
#endif

typedef struct Votes
{
	uint64 *votes;
	Size    n;
	Size    room;
} Votes;

typedef struct Candidate
{
	EntryRef ref;
	uint32   score;
} Candidate;

static int
compare_keys(const void *a, const void *b)
{
	uint32 x = ((const BiometricWord *) a)->key;
	uint32 y = ((const BiometricWord *) b)->key;

	return x < y ? -1 : x > y;
}

/*
 * The votes of n postings, all of the word's key, for one word.  Most of them
 * have none, which nobody can foresee, so the loop has no branch: each vote is
 * written and the next one overwrites it if it counts nothing.  There is room for n.
 */
COUNTS_BITS static Size
collect_votes(const BiometricModality *modality, const BiometricWord *word, const Posting *postings,
			  int n, uint64 *result)
{
	uint32 signatures = ((uint32) 1 << modality->signature_bits) - 1;
	uint32 tags = ((uint32) 1 << modality->tag_bits) - 1;
	uint8  votes[33];
	Size   found = 0;

	for (int differing = 0; differing <= modality->signature_bits; differing++)
	{
		int value = (8 * word->weight - modality->signature_slope * differing) / 8;

		if (8 * word->weight < modality->signature_slope * differing)
			value = 0;
		votes[differing] = value;
	}
	for (int i = 0; i < n; i++)
	{
		uint64 code = PostingCode(postings[i]);
		int    differing = __builtin_popcount(((uint32) code ^ word->signature) & signatures);
		uint32 tag = (uint32) (code >> modality->signature_bits) & tags;
		uint32 bin = (tag - word->tag) & (BIOMETRIC_VOTE_BINS - 1);

		result[found] = ((uint64) PostingRef(postings[i]) << VOTE_BIN_BITS | bin) << VOTE_BITS |
						votes[differing];
		found += votes[differing] > 0;
	}
	return found;
}

static int
first_not_less(const Posting *postings, int n, uint64 value)
{
	int low = 0;

	while (n > 0)
	{
		int half = n / 2;

		if (postings[low + half] < value)
		{
			low += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return low;
}

/* The votes of a leaf's postings in [start, end) for words of one key */
static void
vote_leaf(const BiometricModality *modality, WordPage leaf, uint64 start, uint64 end,
		  const BiometricWord *words, int nwords, Votes *votes)
{
	int     first = first_not_less(leaf->items, leaf->sorted, start);
	int     n = first_not_less(leaf->items, leaf->sorted, end) - first;
	Posting others[LEAF_MAX_POSTINGS];
	int     nothers = 0;

	for (int i = leaf->sorted; i < leaf->count; i++)
	{
		others[nothers] = leaf->items[i];
		nothers += leaf->items[i] >= start && leaf->items[i] < end;
	}

	for (int w = 0; w < nwords; w++)
	{
		if (votes->n + n + nothers > votes->room)
		{
			votes->room = Max(2 * votes->room, votes->n + n + nothers);
			votes->votes = repalloc_huge(votes->votes, sizeof(uint64) * votes->room);
		}
		votes->n +=
			collect_votes(modality, &words[w], leaf->items + first, n, votes->votes + votes->n);
		votes->n += collect_votes(modality, &words[w], others, nothers, votes->votes + votes->n);
	}
}

/* How many leaves lie before a value, with a part of the one that it is in */
static double
leaves_before(const DirectoryEntry *directory, int64 n, uint64 value, uint64 last)
{
	int64  i = directory_find(directory, n, value);
	double low = (double) directory[i].low;
	double high = (double) (i + 1 < n ? directory[i + 1].low : last);

	return high > low ? i + Min(((double) value - low) / (high - low), 1.0) : i;
}

/* Follows the words, which are sorted by key */
static void
follow_words(Relation index, const BiometricModality *modality, const DirectoryEntry *directory,
			 int64 ndirectory, const BiometricWord *words, int nwords, Votes *votes)
{
	int         shift = modality->tag_bits + modality->signature_bits + ENTRY_REF_BITS;
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	Buffer      buffer = InvalidBuffer;
	int         ahead = 0; /* words whose leaves were asked for */
	int         same;

	for (int w = 0; w < nwords; w += same)
	{
		uint64   start = (uint64) words[w].key << shift;
		uint64   end = start + ((uint64) 1 << shift);
		WordPage leaf;

		for (same = 1; w + same < nwords && words[w + same].key == words[w].key;)
			same++;
		for (; ahead < Min(w + READ_AHEAD, nwords); ahead++)
		{
			int64 i;

			if (ahead > 0 && words[ahead].key == words[ahead - 1].key)
				continue;
			i = directory_find(directory, ndirectory, (uint64) words[ahead].key << shift);
			if (directory[i].leaf < blocks)
				PrefetchBuffer(index, MAIN_FORKNUM, directory[i].leaf);
		}

		if (buffer == InvalidBuffer || start >= BiometricPageGetWords(BufferGetPage(buffer))->high)
		{
			int64 i = directory_find(directory, ndirectory, start);

			if (buffer != InvalidBuffer)
				UnlockReleaseBuffer(buffer);
			CHECK_FOR_INTERRUPTS();
			buffer = word_page_read(index, &blocks, directory[i].leaf, BIOMETRIC_LEAF_PAGE,
									BUFFER_LOCK_SHARE);
			if (BiometricPageGetWords(BufferGetPage(buffer))->low != directory[i].low)
				biometric_page_corrupted(index, directory[i].leaf,
										 "The leaf begins elsewhere than the directory says.");
		}
		for (;;)
		{
			leaf = BiometricPageGetWords(BufferGetPage(buffer));
			if (leaf->high > start)
				vote_leaf(modality, leaf, start, end, words + w, same, votes);
			if (leaf->high >= end || leaf->right == 0)
				break;
			buffer =
				word_page_right(index, &blocks, buffer, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
		}
	}
	if (buffer != InvalidBuffer)
		UnlockReleaseBuffer(buffer);
}

/* Takes the best words until the postings that they lead to are enough; sorts them by key */
static int
choose_words(const BiometricModality *modality, const BiometricMetaPageData *meta,
			 const DirectoryEntry *directory, int64 ndirectory, BiometricWord *words, int n)
{
	int    shift = modality->tag_bits + modality->signature_bits + ENTRY_REF_BITS;
	uint64 last = (uint64) 1 << (shift + modality->key_bits);
	double postings_per_leaf = (double) meta->postings / (double) Max(ndirectory, 1);
	double budget = Min(Max(BUDGET_SHARE * (double) meta->postings, BUDGET_MIN), BUDGET_MAX);
	double visited = 0;
	int    used;

	for (used = 0; used < n && visited < budget; used++)
	{
		uint64 start = (uint64) words[used].key << shift;

		visited += postings_per_leaf *
				   (leaves_before(directory, ndirectory, start + ((uint64) 1 << shift), last) -
					leaves_before(directory, ndirectory, start, last));
	}
	qsort(words, used, sizeof(BiometricWord), compare_keys);
	return used;
}

/* What an entry has in a bin that has just got a vote; with the better neighbour if tags are directions */
static inline unsigned
score_at(const uint8 *counters, unsigned bin, bool neighbours)
{
	unsigned before = counters[(bin - 1) & (BIOMETRIC_VOTE_BINS - 1)];
	unsigned after = counters[(bin + 1) & (BIOMETRIC_VOTE_BINS - 1)];

	return counters[bin] + (neighbours ? Max(before, after) : 0);
}

/*
 * Brings the votes together by entry.  An entry's score is the most votes in a
 * bin, or in two neighbouring ones.  Counters only grow, so it is the most that
 * was ever seen where a vote has just been counted.
 */
static Size
count_votes(const Votes *votes, bool neighbours, Candidate **candidates)
{
	int      bits = RANGE_BITS;
	EntryRef last = 0;
	Size     ranges;
	Size    *ends;
	uint64  *sorted;
	uint8   *counters;
	uint16  *scores;
	Size     n = 0;

	for (Size i = 0; i < votes->n; i++)
		last = Max(last, VoteRef(votes->votes[i]));
	while (last >> bits >= (1 << MAX_RANGE_BITS))
		bits++;
	ranges = (last >> bits) + 1;

	ends = palloc0(sizeof(Size) * (ranges + 1));
	for (Size i = 0; i < votes->n; i++)
		ends[(VoteRef(votes->votes[i]) >> bits) + 1]++;
	for (Size r = 1; r <= ranges; r++)
		ends[r] += ends[r - 1];
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * Max(votes->n, 1));
	for (Size i = 0; i < votes->n; i++)
		sorted[ends[VoteRef(votes->votes[i]) >> bits]++] = votes->votes[i];

	*candidates =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * Max(votes->n, 1));
	counters = palloc0((Size) BIOMETRIC_VOTE_BINS << bits);
	scores = palloc0(sizeof(uint16) << bits);
	for (Size r = 0; r < ranges; r++)
	{
		Size   start = r == 0 ? 0 : ends[r - 1];
		uint32 mask = ((uint32) 1 << bits) - 1;

		CHECK_FOR_INTERRUPTS();
		for (Size i = start; i < ends[r]; i++)
		{
			Size     entry = VoteRef(sorted[i]) & mask;
			unsigned bin = VoteBin(sorted[i]);
			uint8   *counter = counters + entry * BIOMETRIC_VOTE_BINS;
			unsigned sum = counter[bin] + VoteCount(sorted[i]);
			unsigned score;

			counter[bin] = Min(sum, 255);
			score = score_at(counter, bin, neighbours);
			scores[entry] = Max(scores[entry], score);
		}

		/* an entry's counters are 0 again when it has been dealt with */
		for (Size i = start; i < ends[r]; i++)
		{
			Size entry = VoteRef(sorted[i]) & mask;

			if (scores[entry] == 0)
				continue;
			(*candidates)[n].ref = VoteRef(sorted[i]);
			(*candidates)[n].score = scores[entry];
			n++;
			scores[entry] = 0;
			memset(counters + entry * BIOMETRIC_VOTE_BINS, 0, BIOMETRIC_VOTE_BINS);
		}
	}
	pfree(scores);
	pfree(counters);
	pfree(sorted);
	pfree(ends);
	return n;
}

/* Those with most votes, at most wanted; among equals at the end the first ones in the index */
static Size
choose_best(const Candidate *candidates, Size n, Size wanted, EntryRef *refs)
{
	Size      with_score[MAX_SCORE + 1] = {0};
	Size      better = 0;
	Size      chosen = 0;
	Size      equal = 0;
	int       limit = MAX_SCORE;
	EntryRef *equals;

	for (Size i = 0; i < n; i++)
		with_score[candidates[i].score]++;
	while (limit > 1 && better + with_score[limit] <= wanted)
		better += with_score[limit--];

	equals =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(EntryRef) * Max(with_score[limit], 1));
	for (Size i = 0; i < n; i++)
	{
		if ((int) candidates[i].score > limit)
			refs[chosen++] = candidates[i].ref;
		else if ((int) candidates[i].score == limit)
			equals[equal++] = candidates[i].ref;
	}
	qsort(equals, equal, sizeof(EntryRef), compare_entry_refs);
	for (Size i = 0; i < equal && chosen < wanted; i++)
		refs[chosen++] = equals[i];
	pfree(equals);
	return chosen;
}

int
preselection_find(Relation index, const BiometricModality *modality, const void *features,
				  Size size, double rate, EntryRef **refs)
{
	BiometricMetaPageData meta;
	int64                 n = pending_read(index, refs);

	/* only now, so that no entry is merged unseen */
	biometric_read_meta(index, &meta);
	if (meta.first_leaf != 0)
	{
		BiometricWord  *words = palloc(sizeof(BiometricWord) * modality->max_probe_words);
		int             nwords = modality->probe_words(features, size, words);
		int64           ndirectory;
		DirectoryEntry *directory = directory_read(index, meta.first_directory, &ndirectory);
		Votes           votes = {NULL, 0, 65536};
		Candidate      *candidates;
		Size            ncandidates;
		Size            wanted;

		votes.votes = palloc(sizeof(uint64) * votes.room);
		nwords = choose_words(modality, &meta, directory, ndirectory, words, nwords);
		follow_words(index, modality, directory, ndirectory, words, nwords, &votes);
		ncandidates = count_votes(&votes, modality->tag_bits > 0, &candidates);
		wanted = Min(Max(ceil(rate * (double) meta.entries), MIN_CANDIDATES), ncandidates);
		*refs = repalloc_huge(*refs, sizeof(EntryRef) * Max(n + wanted, 1));
		n += choose_best(candidates, ncandidates, wanted, *refs + n);
		pfree(candidates);
		pfree(votes.votes);
		pfree(directory);
		pfree(words);
	}
	if (n > INT_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many entries of index \"%s\" are pending",
							   RelationGetRelationName(index)),
						errhint("VACUUM the table.")));
	qsort(*refs, n, sizeof(EntryRef), compare_entry_refs);
	return (int) qunique(*refs, n, sizeof(EntryRef), compare_entry_refs);
}
