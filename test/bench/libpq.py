"""PostgreSQL's own client library, through ctypes.

Enough of it to time single statements: prepared, with typed parameters and
results in binary.  What this adds to libpq's own work is some microseconds, and
nothing needs to be installed that psql does not need as well.
"""
import ctypes
import ctypes.util
import glob
import os
import subprocess
import threading
import time

_OK = 0
_COMMAND_OK, _TUPLES_OK = 1, 2


class Error(Exception):
    """What the server or libpq complains about."""


def _load():
    places = []
    try:
        libdir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--libdir"], capture_output=True,
                                text=True, check=True).stdout.strip()
        places += sorted(glob.glob(os.path.join(libdir, "libpq.so*")))
    except (OSError, subprocess.CalledProcessError):
        pass
    places.append(ctypes.util.find_library("pq") or "libpq.so.5")
    for place in places:
        try:
            library = ctypes.CDLL(place)
        except OSError:
            continue
        break
    else:
        raise Error("there is no libpq")
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for name, result, arguments in (
            ("PQconnectdb", pointer, [text]),
            ("PQstatus", integer, [pointer]),
            ("PQfinish", None, [pointer]),
            ("PQerrorMessage", text, [pointer]),
            ("PQexec", pointer, [pointer, text]),
            ("PQprepare", pointer, [pointer, text, text, integer, pointer]),
            ("PQexecPrepared", pointer, [pointer, text, integer, pointer, pointer, pointer, integer]),
            ("PQresultStatus", integer, [pointer]),
            ("PQresultErrorMessage", text, [pointer]),
            ("PQntuples", integer, [pointer]),
            ("PQnfields", integer, [pointer]),
            ("PQfname", text, [pointer, integer]),
            ("PQgetvalue", pointer, [pointer, integer, integer]),
            ("PQgetlength", integer, [pointer, integer, integer]),
            ("PQgetisnull", integer, [pointer, integer, integer]),
            ("PQclear", None, [pointer])):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


_pq = _load()


class Connection:
    """One session; where it leads is said by libpq's environment variables, unless a connection string says it."""

    def __init__(self, settings=None, where=""):
        self._connection = _pq.PQconnectdb(("client_encoding=UTF8 " + where).encode())
        if _pq.PQstatus(self._connection) != _OK:
            raise Error(_pq.PQerrorMessage(self._connection).decode().strip())
        self.execute("SET client_min_messages = error")
        for name, value in (settings or {}).items():
            self.execute("SET %s = '%s'" % (name, value))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        if self._connection:
            _pq.PQfinish(self._connection)
            self._connection = None

    def _rows(self, result, statement, binary):
        """The rows of a result, which is freed."""
        try:
            if _pq.PQresultStatus(result) not in (_COMMAND_OK, _TUPLES_OK):
                raise Error("%s\n%s" % (_pq.PQresultErrorMessage(result).decode().strip(), statement))
            rows = []
            for row in range(_pq.PQntuples(result)):
                values = []
                for column in range(_pq.PQnfields(result)):
                    value = None
                    if not _pq.PQgetisnull(result, row, column):
                        value = ctypes.string_at(_pq.PQgetvalue(result, row, column),
                                                 _pq.PQgetlength(result, row, column))
                        if not binary:
                            value = value.decode()
                    values.append(value)
                rows.append(tuple(values))
            self.columns = [_pq.PQfname(result, column).decode() for column in range(_pq.PQnfields(result))]
            return rows
        finally:
            _pq.PQclear(result)

    def execute(self, statement):
        """Run a statement as text; its rows, of strings."""
        return self._rows(_pq.PQexec(self._connection, statement.encode()), statement, False)

    def value(self, statement):
        """The first value of a statement's first row."""
        return self.execute(statement)[0][0]

    def prepare(self, name, statement):
        self._rows(_pq.PQprepare(self._connection, name.encode(), statement.encode(), 0, None), statement, True)

    def run(self, name, *parameters):
        """Run a prepared statement; its rows, of bytes, and the seconds it took."""
        n = len(parameters)
        values = (ctypes.c_char_p * n)(*parameters)
        lengths = (ctypes.c_int * n)(*map(len, parameters))
        formats = (ctypes.c_int * n)(*([1] * n))
        start = time.perf_counter()
        result = _pq.PQexecPrepared(self._connection, name.encode(), n, values, lengths, formats, 1)
        seconds = time.perf_counter() - start
        return self._rows(result, name, True), seconds


def together(*functions):
    """Run functions at the same time, one thread each; what they return."""
    results = [None] * len(functions)
    problems = []

    def call(i):
        try:
            results[i] = functions[i]()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=call, args=(i,), daemon=True) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results
