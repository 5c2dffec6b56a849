/*
 * fuzz_records.c
 *		libFuzzer entry: bytes as records of fingers and irises.
 *
 * -DCODEC=check_card and so on, see record_checks.h, makes a target for one
 * reader; without it the bytes go through all of them.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -ffp-contract=off -Isrc -DCODEC=check_an2k \
 *		test/fuzz/fuzz_records.c src/match/NAME.c src/match/FOLDER/NAME.c src/record/NAME.c -lm
 *
 * Seeds are in test/fuzz/corpus/records.
 */
#include "record_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
#ifdef CODEC
	CODEC(data, size);
#else
	check_fingerprint_record(data, size);
	check_an2k(data, size);
	check_card(data, size);
	check_xyt(data, size);
	check_text(data, size);
	check_iris(data, size);
#endif
	return 0;
}
