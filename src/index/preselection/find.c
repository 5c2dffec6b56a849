/*
 * find.c
 *		Choosing what a fast search compares.
 *
 * The probe's words are followed, the likeliest first, until a number of postings
 * is reached that depends only on the number of postings in the index.  Their
 * votes are collected in one array, brought together by entry with a few counters
 * that stay in the processor's cache, and the entries with most votes come first.
 * Memory is bounded by that number of postings.
 *
 * Copies of a template have the same votes, from the same postings.  So entries
 * with equal votes are ordered by a sum of hashes of the postings that they come from: copies
 * come one after the other, and count as one.
 */
#include "postgres.h"

#include "compat.h"
#include "index/preselection/preselection.h"
#include "match/cpu.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include <math.h>

/*
 * Postings that a search visits: at most this share of all, and less if fewer
 * entries are to be compared, as the best few need fewer votes to be found; within
 * limits.  test/bench/preselection measures what that finds.
 */
#define BUDGET_SHARE     0.025
#define BUDGET_OF_A_RATE 12.5
#define BUDGET_MIN       300000.0
#define BUDGET_MAX       6000000.0

/* A vote: a hash of the posting's code, its entry, its bin and its weight */
#define VOTE_BITS       8
#define VOTE_BIN_BITS   4
#define VOTE_HASH_SHIFT (ENTRY_REF_BITS + VOTE_BIN_BITS + VOTE_BITS)
#define VOTE_HASH_MASK  (~(((uint64) 1 << VOTE_HASH_SHIFT) - 1))
#define VOTE_HASH       UINT64CONST(0x9E3779B97F4A7C15)
#define VoteHash(vote)  ((uint32) ((vote) >> VOTE_HASH_SHIFT))
#define VoteRef(vote) \
	((EntryRef) ((vote) >> (VOTE_BITS + VOTE_BIN_BITS) & (((uint32) 1 << ENTRY_REF_BITS) - 1)))
#define VoteBin(vote)   ((vote) >> VOTE_BITS & (BIOMETRIC_VOTE_BINS - 1))
#define VoteCount(vote) ((unsigned) ((vote) & ((1 << VOTE_BITS) - 1)))

/* votes are counted for at least 1 << this references at a time: 512 kB of counters, which a core keeps */
#define RANGE_BITS     15
#define MAX_RANGE_BITS 11 /* the most ranges, as a power of 2 */

#define MAX_SCORE (2 * 255)

/* leaves to be read from disk before they are needed */
#define READ_AHEAD 32

typedef struct Votes
{
	uint64 *votes;
	Size    n;
	Size    room;
} Votes;

typedef struct Candidate
{
	EntryRef ref;
	uint32   hash;
	uint16   score;
} Candidate;

struct Preselection
{
	Relation                 index;
	Snapshot                 snapshot;
	const BiometricModality *modality;
	BiometricMetaPageData    meta;
	double                   rate;
	EntryRef                *pending; /* ascending */
	int64                    npending;

	/* those with votes, in no order */
	Candidate *candidates;
	Size       ncandidates;
	Size       with_score[MAX_SCORE + 1];

	/* of them those with a score of at least level, in order; some are given already */
	int        level;
	Candidate *sorted;
	Size       nsorted;
	Size       next;
};

static int
compare_keys(const void *a, const void *b)
{
	uint32 x = ((const BiometricWord *) a)->key;
	uint32 y = ((const BiometricWord *) b)->key;

	return x < y ? -1 : x > y;
}

/*
 * The votes of n postings, all of the word's key, for one word.  Most of them
 * have none, and a branch could not be predicted, so the loop has none: each
 * vote is written, and a vote of zero is overwritten by the next one.  There is
 * room for n.
 */
CPU_INLINE Size
collect_votes_loop(const BiometricModality *modality, const BiometricWord *word,
				   const Posting *postings, int n, uint64 *result)
{
	uint32 signatures = ((uint32) 1 << modality->signature_bits) - 1;
	uint32 tags = ((uint32) 1 << modality->tag_bits) - 1;
	uint8  votes[33];
	Size   found = 0;

	for (int differing = 0; differing <= modality->signature_bits; differing++)
	{
		int value = (8 * word->weight - word->slope * differing) / 8;

		if (8 * word->weight < word->slope * differing)
			value = 0;
		votes[differing] = value;
	}
	for (int i = 0; i < n; i++)
	{
		uint64 code = PostingCode(postings[i]);
		int    differing = __builtin_popcount(((uint32) code ^ word->signature) & signatures);
		uint32 tag = (uint32) (code >> modality->signature_bits) & tags;
		uint32 bin = (tag - word->tag) & (BIOMETRIC_VOTE_BINS - 1);

		result[found] = (code * VOTE_HASH & VOTE_HASH_MASK) |
						((uint64) PostingRef(postings[i]) << VOTE_BIN_BITS | bin) << VOTE_BITS |
						votes[differing];
		found += votes[differing] > 0;
	}
	return found;
}

/* the instruction that counts bits is not in baseline x86-64 */
CPU_VERSIONS(CPU_POPCNT, "popcnt", Size, collect_votes,
			 (const BiometricModality *modality, const BiometricWord *word, const Posting *postings,
			  int n, uint64 *result),
			 (modality, word, postings, n, result))

/* Makes room for n more votes */
static void
reserve_votes(Votes *votes, Size n)
{
	if (votes->n + n <= votes->room)
		return;
	votes->room = Max(2 * votes->room, votes->n + n);
	votes->votes = repalloc_huge(votes->votes, sizeof(uint64) * votes->room);
}

/* The votes of a leaf's postings in [start, end) for words of one key */
static void
vote_leaf(const BiometricModality *modality, WordPage leaf, uint64 start, uint64 end,
		  const BiometricWord *words, int nwords, Votes *votes)
{
	int     first = postings_before(leaf->items, leaf->sorted, start);
	int     n = postings_before(leaf->items, leaf->sorted, end) - first;
	Posting others[LEAF_MAX_POSTINGS];
	int     nothers = 0;

	for (int i = leaf->sorted; i < leaf->count; i++)
	{
		others[nothers] = leaf->items[i];
		nothers += leaf->items[i] >= start && leaf->items[i] < end;
	}

	for (int w = 0; w < nwords; w++)
	{
		reserve_votes(votes, n + nothers);
		votes->n +=
			collect_votes(modality, &words[w], leaf->items + first, n, votes->votes + votes->n);
		votes->n += collect_votes(modality, &words[w], others, nothers, votes->votes + votes->n);
	}
}

/* Young pages: the words to be looked for, and a bit for each key that one of them has */
typedef struct YoungVoter
{
	Preselection        *preselection;
	const BiometricWord *words; /* sorted by key */
	int                  nwords;
	const uint8         *keys;
	Votes               *votes;
} YoungVoter;

static void
vote_young(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	YoungVoter              *voter = argument;
	const BiometricModality *modality = voter->preselection->modality;
	int                      shift = modality->tag_bits + modality->signature_bits + ENTRY_REF_BITS;
	WordPage                 young;
	int                      i;

	if (!BufferIsValid(buffer))
	{
		voter->votes->n = 0;
		return;
	}
	young = BiometricPageGetWords(BufferGetPage(buffer));
	i = young->low < meta->merging_end ? postings_before(young->items, young->count, meta->merged)
									   : 0;
	while (i < young->count)
	{
		uint32 key = (uint32) (young->items[i] >> shift);
		int    low = 0;
		int    n = voter->nwords;
		int    same;

		if (key >> modality->key_bits != 0)
			biometric_page_corrupted(voter->preselection->index, BufferGetBlockNumber(buffer),
									 "A posting has a word that cannot be.");
		if (!(voter->keys[key / 8] >> key % 8 & 1))
		{
			i++;
			continue;
		}
		for (same = 1;
			 i + same < young->count && (uint32) (young->items[i + same] >> shift) == key;)
			same++;
		while (n > 0)
		{
			int half = n / 2;

			if (voter->words[low + half].key < key)
			{
				low += half + 1;
				n -= half + 1;
			}
			else
				n = half;
		}
		for (; low < voter->nwords && voter->words[low].key == key; low++)
		{
			reserve_votes(voter->votes, same);
			voter->votes->n += collect_votes(modality, &voter->words[low], young->items + i, same,
											 voter->votes->votes + voter->votes->n);
		}
		i += same;
	}
}

/* The votes of all young pages for words sorted by key.  The first ones that are collected. */
static void
follow_young(Preselection *preselection, const BiometricWord *words, int nwords, Votes *votes)
{
	uint8     *keys = palloc0(((Size) 1 << preselection->modality->key_bits) / 8 + 1);
	YoungVoter voter = {preselection, words, nwords, keys, votes};

	for (int i = 0; i < nwords; i++)
		keys[words[i].key / 8] |= 1 << words[i].key % 8;
	list_read(preselection->index, BIOMETRIC_YOUNG_PAGE, preselection->snapshot, BUFFER_LOCK_SHARE,
			  vote_young, &voter);
	pfree(keys);
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
follow_words(const Preselection *preselection, const DirectoryEntry *directory, int64 ndirectory,
			 const BiometricWord *words, int nwords, Votes *votes)
{
	Relation                 index = preselection->index;
	const BiometricModality *modality = preselection->modality;
	int                      shift = modality->tag_bits + modality->signature_bits + ENTRY_REF_BITS;
	BlockNumber              blocks = RelationGetNumberOfBlocks(index);
	Buffer                   buffer = InvalidBuffer;
	int                      ahead = 0; /* words whose leaves were asked for */
	int                      same;

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
			TestForOldSnapshot(preselection->snapshot, index, BufferGetPage(buffer));
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
			TestForOldSnapshot(preselection->snapshot, index, BufferGetPage(buffer));
		}
	}
	if (buffer != InvalidBuffer)
		UnlockReleaseBuffer(buffer);
}

double
preselection_visits(double postings, double rate)
{
	double share = Min(BUDGET_OF_A_RATE * rate, BUDGET_SHARE);

	return Min(Max(share * postings, BUDGET_MIN), BUDGET_MAX);
}

/* How many of the words, the best first, lead to enough postings */
static int
choose_words(const BiometricModality *modality, const BiometricMetaPageData *meta, double rate,
			 const DirectoryEntry *directory, int64 ndirectory, const BiometricWord *words, int n)
{
	int    shift = modality->tag_bits + modality->signature_bits + ENTRY_REF_BITS;
	uint64 last = (uint64) 1 << (shift + modality->key_bits);
	double postings_per_leaf = (double) meta->postings / (double) Max(ndirectory, 1);
	double budget = preselection_visits((double) meta->postings, rate);
	double visited = 0;
	int    used;

	for (used = 0; used < n && visited < budget; used++)
	{
		uint64 start = (uint64) words[used].key << shift;

		visited += postings_per_leaf *
				   (leaves_before(directory, ndirectory, start + ((uint64) 1 << shift), last) -
					leaves_before(directory, ndirectory, start, last));
	}
	return used;
}

/* The most votes in a bin, or in two neighbouring ones if tags are directions */
static inline int
best_bins(const uint8 *counters, bool neighbours)
{
	int best = counters[BIOMETRIC_VOTE_BINS - 1] + (neighbours ? counters[0] : 0);

	for (int bin = 0; bin < BIOMETRIC_VOTE_BINS - 1; bin++)
	{
		int sum = counters[bin] + (neighbours ? counters[bin + 1] : 0);

		best = Max(best, sum);
	}
	return best;
}

/*
 * Brings the votes together by entry.  An entry's score is the largest number
 * of votes in a bin, or in two neighbouring bins.
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
	uint32  *hashes; /* odd if there is a vote */
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
	hashes = palloc0(sizeof(uint32) << bits);
	for (Size r = 0; r < ranges; r++)
	{
		Size   start = r == 0 ? 0 : ends[r - 1];
		uint32 mask = ((uint32) 1 << bits) - 1;

		CHECK_FOR_INTERRUPTS();
		for (Size i = start; i < ends[r]; i++)
		{
			Size     entry = VoteRef(sorted[i]) & mask;
			uint8   *counter = &counters[entry * BIOMETRIC_VOTE_BINS + VoteBin(sorted[i])];
			unsigned sum = *counter + VoteCount(sorted[i]);

			*counter = Min(sum, 255);
			hashes[entry] = (hashes[entry] + 2 * VoteHash(sorted[i])) | 1;
		}

		/* an entry's counters are 0 again when it has been dealt with */
		for (Size i = start; i < ends[r]; i++)
		{
			Size   entry = VoteRef(sorted[i]) & mask;
			uint8 *counter = &counters[entry * BIOMETRIC_VOTE_BINS];

			if (hashes[entry] == 0)
				continue;
			(*candidates)[n].ref = VoteRef(sorted[i]);
			(*candidates)[n].hash = hashes[entry];
			(*candidates)[n].score = best_bins(counter, neighbours);
			n++;
			hashes[entry] = 0;
			memset(counter, 0, BIOMETRIC_VOTE_BINS);
		}
	}
	pfree(hashes);
	pfree(counters);
	pfree(sorted);
	pfree(ends);
	return n;
}

/* Those with most votes first, copies of a template together */
static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

Preselection *
preselection_begin(Relation index, Snapshot snapshot, const BiometricModality *modality,
				   const void *features, Size size, double rate)
{
	Preselection         *preselection = palloc0(sizeof(Preselection));
	BiometricWord        *words = palloc(sizeof(BiometricWord) * modality->max_probe_words);
	int                   nwords = modality->probe_words(features, size, words);
	Votes                 votes = {NULL, 0, 65536};
	const DirectoryEntry *directory = NULL;
	int64                 ndirectory;

	preselection->index = index;
	preselection->snapshot = snapshot;
	preselection->modality = modality;
	preselection->rate = rate;
	preselection->level = MAX_SCORE + 1;

	/* in this order, so that no entry is merged unseen */
	preselection->npending = pending_read(index, snapshot, &preselection->pending);
	votes.votes = palloc(sizeof(uint64) * votes.room);
	biometric_read_meta(index, &preselection->meta);
	if (preselection->meta.first_leaf != 0)
	{
		directory = directory_known(index, &preselection->meta, snapshot, &ndirectory);
		nwords =
			choose_words(modality, &preselection->meta, rate, directory, ndirectory, words, nwords);
	}
	qsort(words, nwords, sizeof(BiometricWord), compare_keys);
	follow_young(preselection, words, nwords, &votes);
	if (directory == NULL)
	{
		/* the first leaf may have come meanwhile */
		biometric_read_meta(index, &preselection->meta);
		if (preselection->meta.first_leaf != 0)
			directory = directory_known(index, &preselection->meta, snapshot, &ndirectory);
	}
	if (directory != NULL)
		follow_words(preselection, directory, ndirectory, words, nwords, &votes);
	preselection->ncandidates =
		count_votes(&votes, modality->tag_bits > 0, &preselection->candidates);
	for (Size i = 0; i < preselection->ncandidates; i++)
		preselection->with_score[preselection->candidates[i].score]++;
	pfree(votes.votes);
	pfree(words);
	return preselection;
}

int64
preselection_block_size(Preselection *preselection)
{
	double most = Max((double) preselection->ncandidates, PRESELECTION_MIN_CANDIDATES);

	/* the count of entries may be damaged */
	return (int64) Max(Min(ceil(preselection->rate * (double) preselection->meta.entries), most),
					   PRESELECTION_MIN_CANDIDATES);
}

int64
preselection_pending(Preselection *preselection, PreselectedEntry **entries)
{
	*entries = MemoryContextAllocHuge(CurrentMemoryContext,
									  sizeof(PreselectedEntry) * Max(preselection->npending, 1));
	for (int64 i = 0; i < preselection->npending; i++)
	{
		(*entries)[i].ref = preselection->pending[i];
		(*entries)[i].group = (uint32) i;
	}
	return preselection->npending;
}

/*
 * Puts the entries with the next lower scores in order, about as many as wanted
 * or more.  False if there are none.
 */
static bool
sort_more(Preselection *preselection, Size wanted)
{
	int  above = preselection->level;
	Size n = 0;

	while (preselection->level > 1 && n < wanted)
		n += preselection->with_score[--preselection->level];
	if (n == 0)
		return false;
	if (preselection->sorted != NULL)
		pfree(preselection->sorted);
	preselection->sorted = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * n);
	preselection->nsorted = preselection->next = 0;
	for (Size i = 0; i < preselection->ncandidates; i++)
	{
		const Candidate *candidate = &preselection->candidates[i];

		if (candidate->score >= preselection->level && candidate->score < above)
			preselection->sorted[preselection->nsorted++] = *candidate;
	}
	CHECK_FOR_INTERRUPTS();
	qsort(preselection->sorted, preselection->nsorted, sizeof(Candidate), compare_candidates);
	return true;
}

int64
preselection_next(Preselection *preselection, int64 groups, PreselectedEntry **entries,
				  int64 *ngroups)
{
	int64  room = groups + 1;
	int64  n = 0;
	int    score = 0;
	uint32 hash = 0;

	*entries = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(PreselectedEntry) * room);
	*ngroups = 0;
	for (;;)
	{
		const Candidate *candidate;

		/* all with one score are sorted together, so no group is cut */
		if (preselection->next == preselection->nsorted &&
			(*ngroups == groups || !sort_more(preselection, groups - *ngroups)))
			break;
		candidate = &preselection->sorted[preselection->next];
		if (*ngroups == 0 || candidate->score != score || candidate->hash != hash)
		{
			if (*ngroups == groups)
				break;
			(*ngroups)++;
			score = candidate->score;
			hash = candidate->hash;
		}
		preselection->next++;
		if (bsearch(&candidate->ref, preselection->pending, preselection->npending,
					sizeof(EntryRef), compare_entry_refs) != NULL)
			continue;
		if (n == room)
			*entries = repalloc_huge(*entries, sizeof(PreselectedEntry) * (room *= 2));
		(*entries)[n].ref = candidate->ref;
		(*entries)[n++].group = (uint32) (*ngroups - 1);
	}
	qsort(*entries, n, sizeof(PreselectedEntry), compare_entry_refs);
	return n;
}
