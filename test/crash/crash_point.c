/*
 * crash_point.c
 *		Makes a backend die at one WAL record of an index.
 *
 * Linked into a copy of the module in which calls of GenericXLogFinish come here
 * (the linker's option --wrap).  "SET crash_point.at = '7 before'" kills the session's
 * process when it is about to write its 7th record from then on, "7 after" when it has
 * written it.  All WAL before that point is on disk by then.  crash_point.count is how
 * many records the session has written since.
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "access/generic_xlog.h"
#include "access/xlog.h"
#include "utils/guc.h"

extern XLogRecPtr __real_GenericXLogFinish(GenericXLogState *state);
extern XLogRecPtr __wrap_GenericXLogFinish(GenericXLogState *state);

static void
die(void)
{
	XLogFlush(GetXLogInsertRecPtr());
	kill(getpid(), SIGKILL);
	pg_usleep(10 * 1000 * 1000);
}

XLogRecPtr
__wrap_GenericXLogFinish(GenericXLogState *state)
{
	static char armed[32];
	static int  count;
	const char *at = GetConfigOption("crash_point.at", true, false);
	int         record = 0;
	char        when = 0;
	char        text[16];
	XLogRecPtr  end;

	if (at == NULL)
		return __real_GenericXLogFinish(state);
	if (strcmp(at, armed) != 0)
	{
		strlcpy(armed, at, sizeof(armed));
		count = 0;
	}
	count++;
	sscanf(at, "%d %c", &record, &when);
	if (count == record && when == 'b')
		die();
	end = __real_GenericXLogFinish(state);
	if (count == record && when == 'a')
		die();
	snprintf(text, sizeof(text), "%d", count);
	SetConfigOption("crash_point.count", text, PGC_USERSET, PGC_S_SESSION);
	return end;
}
