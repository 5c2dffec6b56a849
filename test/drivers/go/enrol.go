// enrol.go
//		An application in Go: enrol and search through database/sql and pq.
//		Prints TAP.
//
// A []byte is sent as bytea.  Into a column of type fingerprint it goes as it
// is; elsewhere $1::bytea::fingerprint makes a template of it.
package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"

	"github.com/lib/pq"
)

var tests int

func ok(good bool, name string) {
	tests++
	word := "ok"
	if !good {
		word = "not ok"
	}
	fmt.Printf("%s %d - Go pq: %s\n", word, tests, name)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

func main() {
	db, err := sql.Open("postgres", "sslmode=disable")
	must(err)
	// one connection, for search_path
	db.SetMaxOpenConns(1)

	exec := func(query string, arguments ...interface{}) {
		_, err := db.Exec(query, arguments...)
		must(err)
	}
	record := func(query string, arguments ...interface{}) []byte {
		var value []byte
		must(db.QueryRow(query, arguments...).Scan(&value))
		return value
	}
	number := func(query string, arguments ...interface{}) int {
		var value int
		must(db.QueryRow(query, arguments...).Scan(&value))
		return value
	}

	exec("CREATE SCHEMA driver_go")
	exec("SET search_path = driver_go, public")
	exec("CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)")
	exec("CREATE INDEX ON visitor USING biometric (print)")
	for finger := 1; finger <= 20; finger++ {
		format := "to_incits378"
		if finger%2 == 1 {
			format = "to_iso19794_2"
		}
		exec("INSERT INTO visitor VALUES ($1, $2::bytea)", finger,
			record("SELECT "+format+"(synthetic_fingerprint($1, 0, 2))", finger))
	}
	ok(number("SELECT count(*) FROM visitor") == 20, "records enrolled")

	probe := record("SELECT to_incits378(synthetic_fingerprint(9, 1, 2))")
	ok(number("SELECT id FROM visitor ORDER BY print <-> $1::bytea::fingerprint LIMIT 1", probe) == 9,
		"search finds the finger")

	more := record("SELECT to_iso19794_2(synthetic_fingerprint(9, 2, 2))")
	ok(number("SELECT person::int FROM identify('visitor', 'id', 'print', $1::bytea[]::fingerprint[], 3) LIMIT 1",
		pq.Array([][]byte{probe, more})) == 9, "identify with an array of records")

	whole := record("SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))")
	ok(bytes.Equal(whole, record("SELECT print::bytea FROM visitor WHERE id = 3")), "read back as bytes")

	_, err = db.Exec("INSERT INTO visitor VALUES (999, $1::bytea)", whole[:40])
	refusal, is := err.(*pq.Error)
	ok(is && refusal.Code.Class() == "22", "a truncated record is refused with SQLSTATE class 22")
	must(db.Close())
	fmt.Printf("1..%d\n", tests)
}
