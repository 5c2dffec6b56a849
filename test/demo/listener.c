/*
 * listener.c
 *		An officer's terminal: prints the alerts of a watchlist database as they
 *		are committed.
 *
 * listener [--name NAME] [--count N] [--timeout SECONDS] [CONNECTION]
 *
 * The outbox is the truth and NOTIFY only a bell: whatever is undelivered is
 * read after every connection and every bell, and each alert is acknowledged
 * in a transaction of its own after it was printed.  So an alert is delivered
 * at least once, whoever was away meanwhile; the number of an alert tells a
 * second delivery from a new alert.  A lost connection is made anew, for as
 * long as it takes.
 *
 * --count ends the program after so many alerts, --timeout after so many
 * seconds without them (exit status 3).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <libpq-fe.h>

#define PATIENCE_MS 100 /* between attempts to connect */

/* what is undelivered, and how long ago it was committed as far as can be told */
#define UNDELIVERED                                                      \
	"SELECT alert, kind, coalesce(list, partner), person, band, score, " \
	"round(1000 * extract(epoch FROM clock_timestamp() - created), 1) "  \
	"FROM watchlist.undelivered_alerts(100)"
#define ACKNOWLEDGE "SELECT watchlist.acknowledge_alert($1)"

static const char *name = "listener";
static long        wanted = -1;
static double      deadline = -1;

static double
now(void)
{
	struct timeval time;

	gettimeofday(&time, NULL);
	return time.tv_sec + time.tv_usec / 1e6;
}

static void
say(const char *text)
{
	printf("%s: %s\n", name, text);
	fflush(stdout);
}

static void
give_up_in_time(void)
{
	if (deadline > 0 && now() > deadline)
	{
		say("nothing more came");
		exit(3);
	}
}

/* milliseconds to wait, at most one second, so that the deadline is kept */
static int
patience(void)
{
	double left = deadline > 0 ? deadline - now() : 1;

	return left > 1 ? 1000 : left < 0 ? 0 : (int) (left * 1000) + 1;
}

/* deliver what there is; false when the connection failed */
static int
deliver(PGconn *conn)
{
	int rows;

	do
	{
		PGresult *alerts = PQexec(conn, UNDELIVERED);

		if (PQresultStatus(alerts) != PGRES_TUPLES_OK)
		{
			fprintf(stderr, "%s: %s", name, PQerrorMessage(conn));
			PQclear(alerts);
			return 0;
		}
		rows = PQntuples(alerts);
		for (int row = 0; row < rows; row++)
		{
			const char *alert = PQgetvalue(alerts, row, 0);
			PGresult   *acknowledged;

			/* a partner tells no score */
			printf("%s: alert %s, %s, %s, %s, %s%s%s, after %s ms\n", name, alert,
				   PQgetvalue(alerts, row, 1), PQgetvalue(alerts, row, 2),
				   PQgetvalue(alerts, row, 3), PQgetvalue(alerts, row, 4),
				   PQgetisnull(alerts, row, 5) ? "" : ", score ", PQgetvalue(alerts, row, 5),
				   PQgetvalue(alerts, row, 6));
			fflush(stdout);
			acknowledged = PQexecParams(conn, ACKNOWLEDGE, 1, NULL, &alert, NULL, NULL, 0);
			if (PQresultStatus(acknowledged) != PGRES_TUPLES_OK)
			{
				fprintf(stderr, "%s: %s", name, PQerrorMessage(conn));
				PQclear(acknowledged);
				PQclear(alerts);
				return 0;
			}
			PQclear(acknowledged);
			if (wanted > 0 && --wanted == 0)
				exit(0);
		}
		PQclear(alerts);
	} while (rows > 0);
	return 1;
}

/* listen first, then look: what is committed in between rings as well */
static void
serve(PGconn *conn)
{
	PGresult *listening = PQexec(conn, "LISTEN watchlist_alert");
	int       good = PQresultStatus(listening) == PGRES_COMMAND_OK;

	PQclear(listening);
	if (!good)
		return;
	say("listening");
	while (deliver(conn))
	{
		PGnotify *bell;

		/* what rang while the alerts were read is told before sleeping */
		while ((bell = PQnotifies(conn)) == NULL)
		{
			struct pollfd socket = {.fd = PQsocket(conn), .events = POLLIN};

			give_up_in_time();
			if (poll(&socket, 1, patience()) < 0 && errno != EINTR)
				return;
			if (!PQconsumeInput(conn))
				return;
		}
		while (bell != NULL)
		{
			PQfreemem(bell);
			bell = PQnotifies(conn);
		}
	}
}

int
main(int argc, char **argv)
{
	const char *connection = "";
	int         was_connected = 1;

	for (int i = 1; i < argc; i++)
	{
		if (i + 1 < argc && strcmp(argv[i], "--name") == 0)
			name = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--count") == 0)
			wanted = strtol(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--timeout") == 0)
			deadline = now() + strtod(argv[++i], NULL);
		else if (argv[i][0] != '-')
			connection = argv[i];
		else
		{
			fprintf(stderr,
					"usage: %s [--name NAME] [--count N] [--timeout SECONDS] [CONNECTION]\n",
					argv[0]);
			return 2;
		}
	}

	for (;;)
	{
		const struct timespec pause = {.tv_nsec = PATIENCE_MS * 1000000L};
		PGconn               *conn = PQconnectdb(connection);

		if (PQstatus(conn) == CONNECTION_OK)
		{
			serve(conn);
			say("the connection is lost");
			was_connected = 1;
		}
		else if (was_connected)
		{
			say("no connection, trying again");
			was_connected = 0;
		}
		PQfinish(conn);
		give_up_in_time();
		nanosleep(&pause, NULL);
	}
}
