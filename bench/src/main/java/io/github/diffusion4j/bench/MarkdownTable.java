package io.github.diffusion4j.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;

/** JMH's results as a table for documents, with the machine they are from. */
final class MarkdownTable {

  /** Bytes an operation allocates, as {@link GCProfiler} labels them. */
  private static final String ALLOCATION = "gc.alloc.rate.norm";

  private static final List<Column> COLUMNS =
      List.of(
          Column.score(),
          Column.added("processor time", ProcessorTime.LABEL),
          Column.added("allocated", ALLOCATION),
          Column.added("a step", Quotients.STEP_TIME),
          Column.added("processor time of a step", Quotients.STEP_CPU),
          Column.added("allocated in a step", Quotients.STEP_ALLOCATION),
          Column.added("pipeline / bare", Quotients.OVERHEAD),
          Column.added("pipeline / bare, processor time", Quotients.OVERHEAD_CPU),
          Column.added(
              "pipeline / bare, processor time of all threads", Quotients.OVERHEAD_PROCESS),
          Column.added("peak resident memory", PeakMemory.LABEL));

  private MarkdownTable() {}

  /** The machine, then a row for each benchmark and its parameters. */
  static String of(Collection<RunResult> results) {
    List<Column> columns =
        COLUMNS.stream().filter(column -> results.stream().anyMatch(column::has)).toList();
    List<String> titles =
        Stream.concat(Stream.of("benchmark", "parameters"), columns.stream().map(Column::title))
            .toList();
    StringBuilder text = new StringBuilder();
    text.append(Machine.describe(results.iterator().next().getParams())).append("\n\n");
    text.append(row(titles)).append(row(titles.stream().map(title -> "---").toList()));
    results.forEach(result -> text.append(row(cells(result, columns))));
    return text.toString();
  }

  private static List<String> cells(RunResult result, List<Column> columns) {
    BenchmarkParams params = result.getParams();
    List<String> cells = new ArrayList<>();
    cells.add(name(params));
    cells.add(
        params.getParamsKeys().stream()
            .map(key -> key + "=" + params.getParam(key))
            .collect(Collectors.joining(", ")));
    columns.forEach(column -> cells.add(column.cell(result)));
    return cells;
  }

  /** A benchmark's class and method. */
  static String name(BenchmarkParams params) {
    String name = params.getBenchmark();
    return name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
  }

  private static String row(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }
}
