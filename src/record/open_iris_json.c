/*
 * open_iris_json.c
 *		The JSON that open-iris writes for an eye.
 *
 * A reader of JSON that keeps three strings and passes over everything else.
 */
#include "record/open_iris_json.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 32

/* which object a member is in */
typedef enum Place
{
	PLACE_WHOLE,
	PLACE_TEMPLATE, /* iris_template of the whole */
	PLACE_METADATA,
	PLACE_ELSEWHERE
} Place;

/* A string; start is NULL where there is none */
typedef struct String
{
	char *start;
	char *end;
} String;

typedef struct Json
{
	char  *next;
	char  *end;
	int    depth;
	String code[2]; /* of the whole, of iris_template: the first that is there is taken */
	String mask[2];
	String eye;
} Json;

static bool read_value(Json *json, Place place, String *string);

static void
skip_space(Json *json)
{
	while (json->next < json->end && strchr(" \t\r\n", *json->next) != NULL && *json->next != '\0')
		json->next++;
}

/* whether this character comes next; steps over it */
static bool
take(Json *json, char c)
{
	skip_space(json);
	if (json->next == json->end || *json->next != c)
		return false;
	json->next++;
	return true;
}

/* behind the opening quote */
static bool
read_string(Json *json, String *string)
{
	char *to = json->next;

	string->start = to;
	while (json->next < json->end && *json->next != '"')
	{
		char c = *json->next++;

		if ((unsigned char) c < ' ')
			return false;
		if (c == '\\')
		{
			static const char escapes[] = "\"\\/bfnrt";
			static const char meanings[] = "\"\\/\b\f\n\r\t";
			const char       *escape;

			if (json->next == json->end || *json->next == '\0')
				return false;
			c = *json->next++;
			escape = strchr(escapes, c);
			if (escape != NULL)
				c = meanings[escape - escapes];
			else if (c == 'u' && json->end - json->next >= 4)
			{
				for (int i = 0; i < 4; i++)
				{
					if (json->next[i] == '\0' ||
						strchr("0123456789abcdefABCDEF", json->next[i]) == NULL)
						return false;
				}
				/* no string that is kept has such a character */
				json->next += 4;
				c = '?';
			}
			else
				return false;
		}
		*to++ = c;
	}
	string->end = to;
	if (json->next == json->end)
		return false;
	json->next++;
	return true;
}

static bool
is(String key, const char *name)
{
	size_t length = strlen(name);

	return (size_t) (key.end - key.start) == length && memcmp(key.start, name, length) == 0;
}

/* behind the opening brace */
static bool
read_object(Json *json, Place place)
{
	if (take(json, '}'))
		return true;
	do
	{
		String key;
		String value;
		Place  inner = PLACE_ELSEWHERE;

		if (!take(json, '"') || !read_string(json, &key) || !take(json, ':'))
			return false;
		if (place == PLACE_WHOLE && is(key, "iris_template"))
			inner = PLACE_TEMPLATE;
		else if (place == PLACE_WHOLE && is(key, "metadata"))
			inner = PLACE_METADATA;
		if (!read_value(json, inner, &value))
			return false;
		if (place == PLACE_WHOLE || place == PLACE_TEMPLATE)
		{
			if (is(key, "iris_codes"))
				json->code[place == PLACE_TEMPLATE] = value;
			else if (is(key, "mask_codes"))
				json->mask[place == PLACE_TEMPLATE] = value;
		}
		else if (place == PLACE_METADATA && is(key, "eye_side"))
			json->eye = value;
	} while (take(json, ','));
	return take(json, '}');
}

/* behind the opening bracket */
static bool
read_array(Json *json)
{
	String ignored;

	if (take(json, ']'))
		return true;
	do
	{
		if (!read_value(json, PLACE_ELSEWHERE, &ignored))
			return false;
	} while (take(json, ','));
	return take(json, ']');
}

/* any value; *string is set if it is one */
static bool
read_value(Json *json, Place place, String *string)
{
	bool  sound;
	char *start;

	*string = (String){NULL, NULL};
	if (take(json, '"'))
		return read_string(json, string);
	if (json->depth == MAX_DEPTH)
		return false;
	json->depth++;
	if (take(json, '{'))
		sound = read_object(json, place);
	else if (take(json, '['))
		sound = read_array(json);
	else
	{
		/* numbers, true, false, null: nothing is made of them */
		start = json->next;
		while (json->next < json->end && *json->next != '\0' &&
			   strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *json->next) != NULL)
			json->next++;
		sound = json->next > start;
	}
	json->depth--;
	return sound;
}

static bool
refuse(IrisError *error, const char *reason)
{
	snprintf(error->reason, sizeof(error->reason), "%s", reason);
	return false;
}

bool
iris_read_open_iris_json(char *text, size_t size, int64_t rows, int64_t columns, int64_t wavelets,
						 IrisRecord *record, IrisError *error)
{
	Json    json = {.next = text, .end = text + size};
	String  ignored;
	String  code;
	String  mask;
	uint8_t eye;
	bool    sound = read_value(&json, PLACE_WHOLE, &ignored);

	skip_space(&json);
	if (!sound || json.next != json.end)
	{
		snprintf(error->reason, sizeof(error->reason),
				 "The JSON is damaged or cut off at byte %zu.", (size_t) (json.next - text));
		return false;
	}
	code = json.code[json.code[0].start == NULL];
	mask = json.mask[json.mask[0].start == NULL];
	if (code.start == NULL || mask.start == NULL)
		return refuse(error, "The JSON has no iris_codes and mask_codes as open-iris writes them.");
	if (json.eye.start == NULL)
		iris_eye_from_name("unknown", strlen("unknown"), &eye);
	else if (!iris_eye_from_name(json.eye.start, (size_t) (json.eye.end - json.eye.start), &eye))
		return refuse(error, "The eye_side of the metadata is not left, right or unknown.");
	return iris_read_open_iris(code.start, (size_t) (code.end - code.start), mask.start,
							   (size_t) (mask.end - mask.start), rows, columns, wavelets, eye,
							   record, error);
}
