/*
 * Runs SQL statements in a Flink of its own (a cluster in this JVM) and prints what came out.
 *
 * Standard input: the statements, each ended by a NUL. Standard output: for each query, a line
 * `[["+I",[CELL,...]],...]`: its changelog in order. A cell is null, a text (numbers with all
 * their digits, bytes in base64) or, of a MAP, an object of texts. A statement that fails ends it with status 1.
 */
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.ResultKind;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

public class RunSql {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A statement of Flink's SQL client, which a program has to carry out itself. */
    private static final Pattern SET = Pattern.compile("\\s*SET\\s+'([^']+)'\\s*=\\s*'([^']*)'\\s*");

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        StreamTableEnvironment flink = StreamTableEnvironment.create(
                StreamExecutionEnvironment.createLocalEnvironment(2, new Configuration()));
        for (String statement : input.split("\0")) {
            Matcher set = SET.matcher(statement);
            if (set.matches()) {
                flink.getConfig().set(set.group(1), set.group(2));
                continue;
            }
            TableResult result = flink.executeSql(statement);
            if (result.getResultKind() == ResultKind.SUCCESS_WITH_CONTENT) {
                out.println(JSON.writeValueAsString(changelog(result)));
            }
        }
        out.flush();
        System.exit(0);
    }

    private static List<Object> changelog(TableResult result) throws Exception {
        List<Object> changes = new ArrayList<>();
        try (CloseableIterator<Row> rows = result.collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                List<Object> cells = new ArrayList<>();
                for (int i = 0; i < row.getArity(); i++) cells.add(cell(row.getField(i)));
                changes.add(List.of(row.getKind().shortString(), cells));
            }
        }
        return changes;
    }

    private static Object cell(Object value) {
        if (value == null) return null;
        if (value instanceof BigDecimal number) return number.toPlainString();
        if (value instanceof byte[] bytes) return Base64.getEncoder().encodeToString(bytes);
        if (!(value instanceof Map<?, ?> map)) return value.toString();
        Map<String, Object> entries = new LinkedHashMap<>();
        map.forEach((name, entry) -> entries.put(name.toString(), cell(entry)));
        return entries;
    }
}
