"""An application in Python: enrol and search through psycopg.  Prints TAP.

With psycopg 3, parameters and results are binary: a small adapter sends a
record's bytes as type fingerprint, and receives ISO/IEC 19794-2:2005 records.
With psycopg 2, which only speaks text, bytes go in through a cast of bytea.
"""
import sys

try:
    import psycopg
    version = 3
except ImportError:
    try:
        import psycopg2 as psycopg
        version = 2
    except ImportError:
        print("1..0 # SKIP psycopg is not installed")
        sys.exit(0)

tests = 0
failures = 0


def ok(good, name):
    global tests, failures
    tests += 1
    failures += not good
    print("ok" if good else "not ok", tests, "-", name, flush=True)


class Record(bytes):
    """A fingerprint as an interchange record."""


def adapt(connection):
    """Teach psycopg 3 the type fingerprint, in binary."""
    from psycopg.adapt import Dumper, Loader
    from psycopg.pq import Format
    from psycopg.types import TypeInfo

    info = TypeInfo.fetch(connection, "fingerprint")
    info.register(connection)

    class RecordDumper(Dumper):
        format = Format.BINARY
        oid = info.oid

        def dump(self, value):
            return bytes(value)

    class RecordLoader(Loader):
        format = Format.BINARY

        def load(self, data):
            return Record(data)

    connection.adapters.register_dumper(Record, RecordDumper)
    connection.adapters.register_loader(info.oid, RecordLoader)


connection = psycopg.connect("")
connection.autocommit = True
if version == 3:
    adapt(connection)
    cursor = connection.cursor(binary=True)
    PRINT = "%b"

    def parameter(record):
        return Record(record)
else:
    cursor = connection.cursor()
    PRINT = "%s::fingerprint"

    def parameter(record):
        return psycopg.Binary(bytes(record))


def value(command, arguments=None):
    cursor.execute(command, arguments)
    return cursor.fetchone()[0]


print("# psycopg", psycopg.__version__.split()[0])
cursor.execute("SET client_min_messages = warning")
cursor.execute("CREATE SCHEMA driver_psycopg")
cursor.execute("SET search_path = driver_psycopg, public")
cursor.execute("CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)")
cursor.execute("CREATE INDEX visitor_print ON visitor USING biometric (print)")
cursor.execute("SET enable_seqscan = off")

for finger in range(1, 21):
    convert = "to_iso19794_2" if finger % 2 else "to_incits378"
    record = value(f"SELECT {convert}(synthetic_fingerprint({finger}, 0, 2))")
    cursor.execute(f"INSERT INTO visitor VALUES (%s, {PRINT})", (finger, parameter(record)))
ok(value("SELECT count(*) FROM visitor") == 20, "ISO/IEC 19794-2 and INCITS 378 records enrolled")

probe = value("SELECT to_incits378(synthetic_fingerprint(9, 1, 2))")
cursor.execute(
    f"SELECT id, match_score(print, {PRINT}) FROM visitor ORDER BY print <-> {PRINT} LIMIT 2",
    (parameter(probe), parameter(probe)))
first, second = cursor.fetchall()
ok(first[0] == 9, "search finds the finger")
ok(first[1] > second[1], "whose score is higher than the next one's")

cursor.execute(f"SELECT id FROM visitor WHERE print % probe({PRINT}, 40)".replace(" % ", " %% "), (parameter(probe),))
ok([row[0] for row in cursor.fetchall()] == [9], "search by threshold")

iso = value("SELECT to_iso19794_2(print) FROM visitor WHERE id = 2")
if version == 3:
    back = value("SELECT print FROM visitor WHERE id = 2")
    ok(isinstance(back, Record) and bytes(back) == bytes(iso), "a binary result is an ISO/IEC 19794-2 record")
else:
    back = value("SELECT print FROM visitor WHERE id = 2")
    ok(value("SELECT %s::fingerprint = print FROM visitor WHERE id = 2", (back,)), "a text result goes in again")

cursor.execute("INSERT INTO visitor VALUES (21, %s::text::fingerprint)", ("\\x" + bytes(iso).hex(),))
ok(value("SELECT count(DISTINCT print) FROM visitor WHERE id IN (2, 21)") == 1, "hex as text is the same fingerprint")

try:
    cursor.execute(f"INSERT INTO visitor VALUES (22, {PRINT})", (parameter(iso[:40]),))
    ok(False, "a truncated record is refused")
except psycopg.DataError as error:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", "")
    ok(state.startswith("22"), "a truncated record is refused: SQLSTATE class 22")
ok(value("SELECT count(*) FROM visitor") == 21, "everything else is still there")

if version == 3:
    with cursor.copy("COPY visitor (id, print) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "fingerprint"])
        for finger in range(101, 111):
            copy.write_row((finger, Record(iso)))
    ok(value("SELECT count(*) FROM visitor WHERE id > 100 AND print = (SELECT print FROM visitor WHERE id = 2)") == 10,
       "COPY in binary")

cursor.execute("SET search_path = public")
cursor.execute("DROP SCHEMA driver_psycopg CASCADE")
print(f"1..{tests}")
sys.exit(failures != 0)
