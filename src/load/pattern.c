/*
 * pattern.c
 *		Values of columns out of the names of files.
 */
#include <stdlib.h>
#include <string.h>

#include "load/load.h"

/* the length of a part "{name}" at the pattern, 0 if it is none */
static size_t
part_length(const char *pattern)
{
	const char *end;

	if (*pattern != '{')
		return 0;
	end = strchr(pattern, '}');
	return end == NULL || end == pattern + 1 ? 0 : (size_t) (end - pattern) + 1;
}

int
pattern_names(const char *pattern, char **names, int most)
{
	int n = 0;

	while (*pattern != '\0')
	{
		size_t length = part_length(pattern);

		if (length == 0)
		{
			pattern++;
			continue;
		}
		if (n == most)
			return -1;
		names[n] = allocate(length - 1);
		memcpy(names[n], pattern + 1, length - 2);
		names[n++][length - 2] = '\0';
		pattern += length;
	}
	return n;
}

/* from here on; a part takes as little as lets the rest match */
static bool
match_here(const char *pattern, const char *path, char **fields, int field)
{
	size_t part = part_length(pattern);

	if (*pattern == '\0')
		return *path == '\0';
	if (part > 0 || *pattern == '*')
	{
		size_t least = part > 0 ? 1 : 0;
		size_t most = strcspn(path, "/");

		for (size_t taken = least; taken <= most; taken++)
		{
			if (!match_here(pattern + (part > 0 ? part : 1), path + taken, fields,
							field + (part > 0)))
				continue;
			if (part > 0)
			{
				fields[field] = allocate(taken + 1);
				memcpy(fields[field], path, taken);
				fields[field][taken] = '\0';
			}
			return true;
		}
		return false;
	}
	return *pattern == *path && match_here(pattern + 1, path + 1, fields, field);
}

bool
pattern_match(const char *pattern, const char *path, char **fields)
{
	for (;;)
	{
		if (match_here(pattern, path, fields, 0))
			return true;
		path = strchr(path, '/');
		if (path == NULL)
			return false;
		path++;
	}
}
