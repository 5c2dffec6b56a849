/*
 * export.c
 *		The way out: each row of a query becomes a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "load/load.h"

/* a name that stays in the folder: relative, without "." and ".." */
static bool
is_inside(const char *name)
{
	if (*name == '\0' || *name == '/')
		return false;
	while (*name != '\0')
	{
		size_t length = strcspn(name, "/");

		if (length == 0 || (length == 1 && name[0] == '.') ||
			(length == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		name += length + (name[length] == '/');
	}
	return true;
}

/* the folders of a path */
static bool
make_folders(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return true;
}

/* NULL, or why it was not written; files are not overwritten */
static const char *
write_file(const char *folder, const char *name, const char *data, size_t size)
{
	size_t      length = strlen(folder);
	char       *path;
	int         file;
	const char *problem = NULL;

	if (!is_inside(name))
		return "not a name of a file in the folder";
	path = allocate(length + strlen(name) + 2);
	sprintf(path, "%s/%s", folder, name);
	file = make_folders(path, length + 1) ? open(path, O_WRONLY | O_CREAT | O_EXCL, 0666) : -1;
	if (file < 0)
		problem = strerror(errno);
	else
	{
		while (size > 0 && problem == NULL)
		{
			ssize_t n = write(file, data, size);

			if (n < 0)
				problem = strerror(errno);
			else
			{
				data += n;
				size -= (size_t) n;
			}
		}
		if (close(file) != 0 && problem == NULL)
			problem = strerror(errno);
	}
	free(path);
	return problem;
}

bool
export_rows(const char *query, const char *folder)
{
	PGconn   *connection = target_connect();
	PGresult *result;
	bool      sound = true;

	if (connection == NULL)
		return false;
	if (!PQsendQueryParams(connection, query, 0, NULL, NULL, NULL, NULL, 1) ||
		!PQsetSingleRowMode(connection))
	{
		complain("%s", PQerrorMessage(connection));
		sound = false;
	}
	while ((result = PQgetResult(connection)) != NULL)
	{
		if (PQresultStatus(result) == PGRES_SINGLE_TUPLE && sound && !interrupted)
		{
			char       *name;
			const char *problem;

			if (PQnfields(result) != 2)
			{
				complain("the query has %d columns: it takes a name and the bytes of a record",
						 PQnfields(result));
				sound = false;
			}
			else if (PQgetisnull(result, 0, 0) || PQgetisnull(result, 0, 1))
				report_reject("(row)", 0, 0, "the name or the record is NULL");
			else
			{
				/* binary text is not terminated by what it holds */
				name = copy_string(PQgetvalue(result, 0, 0));
				problem = write_file(folder, name, PQgetvalue(result, 0, 1),
									 (size_t) PQgetlength(result, 0, 1));
				if (problem != NULL)
					report_reject(name, 0, 0, problem);
				else
				{
					report_item();
					report_rows(1);
				}
				free(name);
			}
		}
		else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		{
			complain("%s", PQresultErrorMessage(result));
			sound = false;
		}
		PQclear(result);
	}
	PQfinish(connection);
	return sound;
}
