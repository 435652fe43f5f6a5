// MariaDB Connector/J through JDBC: text by Statement, and PreparedStatements of the driver (first argument `text`) or
// of the server (`binary`).
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;

public class Work {
    static boolean binary;
    static Connection db;

    static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof Long) return String.valueOf(value);
        if (value instanceof List<?> list) {
            List<String> parts = new ArrayList<>();
            for (Object item : list) parts.add(json(item));
            return "[" + String.join(",", parts) + "]";
        }
        StringBuilder text = new StringBuilder("\"");
        for (char c : value.toString().toCharArray()) {
            if (c == '"' || c == '\\') text.append('\\').append(c);
            else if (c < 0x20 || c > 0x7e) text.append(String.format("\\u%04x", (int) c));
            else text.append(c);
        }
        return text.append('"').toString();
    }

    static void say(String step, Object... fields) {
        StringBuilder line = new StringBuilder("{\"step\":" + json(step));
        for (int n = 0; n < fields.length; n += 2) line.append(',').append(json(fields[n])).append(':').append(json(fields[n + 1]));
        System.out.println(line.append('}'));
    }

    static Connection open() throws SQLException {
        Map<String, String> env = System.getenv();
        Properties settings = new Properties();
        settings.setProperty("user", env.get("DRIVER_USER"));
        settings.setProperty("password", env.get("DRIVER_PASSWORD"));
        settings.setProperty("allowMultiQueries", "true");
        settings.setProperty("allowLocalInfile", "true");
        settings.setProperty("useServerPrepStmts", String.valueOf(binary));
        if (env.get("DRIVER_TLS").equals("required")) {
            settings.setProperty("useSsl", "true");
            settings.setProperty("trustServerCertificate", "true");
        } else {
            settings.setProperty("allowPublicKeyRetrieval", "true");  // for a password over plain TCP
        }
        return DriverManager.getConnection("jdbc:mariadb://" + env.get("DRIVER_HOST") + ":" + env.get("DRIVER_PORT") + "/"
            + env.get("DRIVER_SCHEMA"), settings);
    }

    static List<Object> rows(ResultSet result) throws SQLException {
        List<Object> rows = new ArrayList<>();
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<Object> row = new ArrayList<>();
            for (int n = 1; n <= columns; n++) {
                byte[] bytes = columns == 10 && n == 10 ? result.getBytes(n) : null;
                row.add(bytes != null ? HexFormat.of().formatHex(bytes) : result.getString(n));
            }
            rows.add(row);
        }
        return rows;
    }

    static List<Object> rows(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return rows(statement.executeQuery(sql));
        }
    }

    static Object value(String sql) throws SQLException {
        return ((List<?>) rows(db, sql).get(0)).get(0);
    }

    static int run(String sql) throws SQLException {
        try (Statement statement = db.createStatement()) {
            statement.execute(sql);
            return statement.getUpdateCount();
        }
    }

    public static void main(String[] arguments) throws Exception {
        binary = arguments.length > 0 && arguments[0].equals("binary");
        try {
            db = open();
        } catch (SQLException refused) {
            System.err.println("cannot log in: " + refused.getMessage());
            System.exit(3);
        }
        say("connect", "cipher", ((List<?>) rows(db, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").get(0)).get(1));
        values();
        transactions();
        bulk();
        session();
        Connection second = open();
        db.setAutoCommit(false);
        run("INSERT INTO money VALUES (9)");
        String look = "SELECT COUNT(*) FROM money WHERE a = 9";
        List<Object> before = rows(second, look);
        db.commit();
        db.setAutoCommit(true);
        say("two", "before", before, "after", rows(second, look));
        second.close();
        db.close();
        say("close");
    }

    static void values() throws SQLException {
        run("CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, n INT NULL, i INT, u BIGINT UNSIGNED, d DECIMAL(20,6),"
            + " f DOUBLE, day DATE, moment DATETIME(6), t TEXT CHARACTER SET utf8mb4, b BLOB) ENGINE=InnoDB");
        String text = "na\u00efve \ud83d\ude80 'quoted' \\ text";
        Object[][] data = {
            {null, -7, new java.math.BigDecimal("18446744073709551615"), new java.math.BigDecimal("12345678901234.567890"), 2.25e-7,
                java.sql.Date.valueOf("2024-02-29"), "2024-02-29 23:59:58.123456", text, HexFormat.of().parseHex("00ff00275c1a0a0d80")},
            {5, 2147483647, 0, new java.math.BigDecimal("-0.000001"), -1e300, "1000-01-01", "9999-12-31 23:59:59.999999", "", new byte[0]}};
        List<Object> ids = new ArrayList<>();
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO kinds (n,i,u,d,f,day,moment,t,b) VALUES (?,?,?,?,?,?,?,?,?)",
                Statement.RETURN_GENERATED_KEYS)) {
            for (Object[] row : data) {
                for (int n = 0; n < row.length; n++) {
                    if (row[n] == null) insert.setNull(n + 1, Types.INTEGER);
                    else insert.setObject(n + 1, row[n]);
                }
                insert.executeUpdate();
                ids.addAll(rows(insert.getGeneratedKeys()));
            }
        }
        say("insert", "ids", ids, "last", value("SELECT LAST_INSERT_ID()"));
        say("text", "rows", rows(db, "SELECT * FROM kinds ORDER BY id"));
        List<Object> twice = new ArrayList<>();
        try (PreparedStatement select = db.prepareStatement("SELECT * FROM kinds WHERE i = ? OR t = ? ORDER BY id")) {
            for (Object[] parameters : new Object[][] {{-7, "none"}, {2147483647, text}}) {
                select.setObject(1, parameters[0]);
                select.setObject(2, parameters[1]);
                twice.add(rows(select.executeQuery()));
            }
        }
        say("binary", "rows", twice);
    }

    static void transactions() throws SQLException {
        run("CREATE TABLE money (a INT PRIMARY KEY) ENGINE=InnoDB");
        List<Object> counts = new ArrayList<>();
        db.setAutoCommit(false);
        run("INSERT INTO money VALUES (1)");
        db.commit();
        counts.add(value("SELECT COUNT(*) FROM money"));
        run("INSERT INTO money VALUES (2)");
        db.rollback();
        counts.add(value("SELECT COUNT(*) FROM money"));
        db.setAutoCommit(true);
        say("transaction", "counts", counts);

        List<Object> codes = new ArrayList<>();
        for (String sql : new String[] {"INSERT INTO money VALUES (1)", "SELEKT 1"}) {
            try {
                run(sql);
            } catch (SQLException error) {
                codes.add(Arrays.asList(error.getErrorCode(), error.getSQLState()));
            }
        }
        say("errors", "codes", codes, "alive", value("SELECT 1"));

        List<Object> sets = new ArrayList<>();
        try (Statement statement = db.createStatement()) {
            boolean isResult = statement.execute("SELECT 1; DO 2; SELECT 3, 4");
            while (isResult || statement.getUpdateCount() != -1) {
                if (isResult) sets.add(rows(statement.getResultSet()));
                isResult = statement.getMoreResults();
            }
        }
        say("multi", "sets", sets);
    }

    static void bulk() throws Exception {
        run("CREATE TABLE many (a INT PRIMARY KEY, t VARCHAR(100)) ENGINE=InnoDB");
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO many VALUES (?, ?)")) {
            for (int n = 0; n < 10000; n++) {
                insert.setInt(1, n);
                insert.setString(2, "row " + "x".repeat(n % 50));
                insert.addBatch();
                if (n % 1000 == 999) insert.executeBatch();
            }
        }
        int count = 0;
        long sum = 0;
        StringBuilder text = new StringBuilder();
        try (Statement statement = db.createStatement(); ResultSet all = statement.executeQuery("SELECT a, t FROM many ORDER BY a")) {
            while (all.next()) {
                count++;
                sum += all.getInt(1);
                text.append(all.getString(2));
            }
        }
        byte[] digest = MessageDigest.getInstance("MD5").digest(text.toString().getBytes("UTF-8"));
        say("many", "count", count, "sum", sum, "md5", HexFormat.of().formatHex(digest));

        byte[] big = new byte[1 << 20];
        for (int n = 0; n < big.length; n++) big[n] = (byte) n;
        run("CREATE TABLE large (v LONGBLOB)");
        try (PreparedStatement insert = db.prepareStatement("INSERT INTO large VALUES (?)")) {
            insert.setBytes(1, big);
            insert.executeUpdate();
        }
        try (Statement statement = db.createStatement(); ResultSet result = statement.executeQuery("SELECT v FROM large")) {
            result.next();
            byte[] back = result.getBytes(1);
            say("large", "length", back.length, "same", Arrays.equals(back, big));
        }

        run("CREATE TABLE loaded (a INT, t TEXT)");
        int loaded = run("LOAD DATA LOCAL INFILE '" + System.getenv("DRIVER_FILE") + "' INTO TABLE loaded");
        say("infile", "rows", loaded, "sum", value("SELECT SUM(a) FROM loaded"));
        say("ping", "ok", db.isValid(5));
    }

    static void session() throws SQLException {
        Object before = value("SELECT DATABASE()");
        db.setCatalog(System.getenv("DRIVER_OTHER"));
        Object now = value("SELECT DATABASE()");
        run("CREATE TABLE here (a INT)");
        run("USE " + before);
        say("database", "before", before, "now", now, "again", value("SELECT DATABASE()"));
        // The driver refuses other character sets than utf8, so SET NAMES is left to the others.
        for (String sql : new String[] {"SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'", "SET time_zone = '+02:00'", "SET @mine = 'kept'"}) run(sql);
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        say("session", "values", rows(db, "SELECT @@character_set_client, @@sql_mode, @@time_zone, @mine"),
            "isolation", db.getTransactionIsolation());
    }
}
