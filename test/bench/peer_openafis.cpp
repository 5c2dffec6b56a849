/*
 * peer_openafis.cpp
 *		The few functions of openafis that peer.c needs, for C.
 */
#include "OpenAFIS.h"

using Record = OpenAFIS::TemplateISO19794_2_2005<unsigned, OpenAFIS::Fingerprint>;

extern "C" void *
peer_load(const char *path)
{
	Record *record = new Record(0);

	if (!record->load(std::string(path)) || record->fingerprints().empty())
	{
		delete record;
		return nullptr;
	}
	return record;
}

/* similarity, 0..100 */
extern "C" int
peer_similarity(const void *a, const void *b)
{
	static OpenAFIS::MatchSimilarity *match = new OpenAFIS::MatchSimilarity;
	uint8_t                           result = 0;

	match->compute(result, static_cast<const Record *>(a)->fingerprints()[0],
				   static_cast<const Record *>(b)->fingerprints()[0]);
	return result;
}
