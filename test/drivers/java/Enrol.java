/*
 * Enrol.java
 *		An application in Java: enrol and search through JDBC.  Prints TAP.
 *
 * java -cp postgresql.jar Enrol.java jdbc:postgresql://host:port/database user
 *
 * Parameters are bytes of records, bound with setBytes.  Into a column of type
 * fingerprint they go as they are; elsewhere ?::bytea::fingerprint makes a
 * template of them.
 */
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import org.postgresql.PGConnection;

public class Enrol {
	static int tests = 0;
	static int failures = 0;

	static void ok(boolean good, String name) {
		tests++;
		failures += good ? 0 : 1;
		System.out.println((good ? "ok " : "not ok ") + tests + " - " + name);
	}

	static byte[] bytes(Connection connection, String query) throws SQLException {
		try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(query)) {
			result.next();
			return result.getBytes(1);
		}
	}

	static long number(Connection connection, String query) throws SQLException {
		try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(query)) {
			result.next();
			return result.getLong(1);
		}
	}

	public static void main(String[] arguments) throws Exception {
		Connection connection = DriverManager.getConnection(arguments[0], arguments[1], "");

		try (Statement statement = connection.createStatement()) {
			statement.execute("CREATE SCHEMA driver_java");
			statement.execute("SET search_path = driver_java, public");
			statement.execute("CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)");
			statement.execute("CREATE INDEX ON visitor USING biometric (print)");
		}

		/* enrol: a batch of records */
		try (PreparedStatement insert = connection.prepareStatement("INSERT INTO visitor VALUES (?, ?)")) {
			for (int finger = 1; finger <= 20; finger++) {
				String format = finger % 2 == 0 ? "to_incits378" : "to_iso19794_2";
				insert.setLong(1, finger);
				insert.setBytes(2, bytes(connection, "SELECT " + format + "(synthetic_fingerprint(" + finger + ", 0, 2))"));
				insert.addBatch();
			}
			insert.executeBatch();
		}
		ok(number(connection, "SELECT count(*) FROM visitor") == 20, "JDBC: records enrolled with setBytes alone");

		/* search */
		byte[] probe = bytes(connection, "SELECT to_incits378(synthetic_fingerprint(9, 1, 2))");
		try (PreparedStatement search = connection.prepareStatement(
				"SELECT id, match_score(print, q) FROM visitor, (SELECT ?::bytea::fingerprint AS q) p ORDER BY print <-> q LIMIT 2")) {
			search.setBytes(1, probe);
			try (ResultSet result = search.executeQuery()) {
				result.next();
				long first = result.getLong(1);
				double score = result.getDouble(2);
				result.next();
				ok(first == 9 && score > result.getDouble(2), "JDBC: search finds the finger");
			}
		}

		/* several probes of a person, as an array of records */
		try (PreparedStatement identify = connection.prepareStatement(
				"SELECT person, verdict FROM identify('visitor', 'id', 'print', (SELECT array_agg(r::fingerprint) FROM unnest(?::bytea[]) r), 3)")) {
			Array probes = connection.createArrayOf("bytea", new byte[][] {probe,
				bytes(connection, "SELECT to_iso19794_2(synthetic_fingerprint(9, 2, 2))")});
			identify.setArray(1, probes);
			try (ResultSet result = identify.executeQuery()) {
				result.next();
				ok(result.getString(1).equals("9"), "JDBC: identify with an array of records");
			}
		}

		/* back as bytes */
		byte[] record = bytes(connection, "SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))");
		ok(Arrays.equals(bytes(connection, "SELECT print::bytea FROM visitor WHERE id = 3"), record), "JDBC: read back as bytes");

		/* COPY in binary */
		ByteArrayOutputStream rows = new ByteArrayOutputStream();
		DataOutputStream out = new DataOutputStream(rows);
		out.write(new byte[] {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0});
		for (int i = 0; i < 10; i++) {
			out.writeShort(2);
			out.writeInt(8);
			out.writeLong(101 + i);
			out.writeInt(record.length);
			out.write(record);
		}
		out.writeShort(-1);
		connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY visitor FROM STDIN (FORMAT binary)",
			new ByteArrayInputStream(rows.toByteArray()));
		ok(number(connection, "SELECT count(*) FROM visitor WHERE id > 100") == 10, "JDBC: COPY in binary");

		/* what is no record */
		try (PreparedStatement insert = connection.prepareStatement("INSERT INTO visitor VALUES (999, ?)")) {
			insert.setBytes(1, Arrays.copyOf(record, 40));
			insert.execute();
			ok(false, "JDBC: a truncated record is refused");
		} catch (SQLException error) {
			ok(error.getSQLState().startsWith("22"), "JDBC: a truncated record is refused with SQLSTATE class 22");
		}
		connection.close();
		System.out.println("1.." + tests);
		System.exit(failures);
	}
}
