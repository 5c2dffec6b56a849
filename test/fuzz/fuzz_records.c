/*
 * fuzz_records.c
 *		libFuzzer entry: bytes as a finger minutiae record, and what was read
 *		through feature extraction and comparison with itself.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -ffp-contract=off -Isrc \
 *		test/fuzz/fuzz_records.c src/match/*.c src/match/*/ *.c src / record /*.c -o fuzz_records
 */
#include "record/minutiae_record.h"

#include <stdlib.h>

	int
	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate finger;
	FingerprintProbe   *probe;
	RecordError         error;
	size_t              features_size;

	minutiae_record_read(data, size, true, 0, NULL, &error);
	if (minutiae_record_read(data, size, false, 0, &finger, &error) < 1)
		return 0;
	features_size = fingerprint_extract(&finger, features);
	if (!fingerprint_features_valid(features, features_size))
		abort();
	probe = aligned_alloc(64, (fingerprint_probe_size() + 63) / 64 * 64);
	fingerprint_probe_init(probe, features, features_size);
	if (!(fingerprint_distance(probe, features, features_size) <= 1))
		abort();
	free(probe);
	return 0;
}
