package io.github.diffusion4j.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * JMH's results as a picture: a panel for each benchmark, a bar for each set of its parameters,
 * with the error. Bars show the figure that the other processes of a machine disturb least: the
 * processor time of a step, else that of an operation, else the score.
 */
final class ResultChart {

  private static final int WIDTH = 1000;
  private static final int HEIGHT = 420;
  private static final int LABEL_ROTATION = 30;
  private static final List<String> FIGURES = List.of(Quotients.STEP_CPU, ProcessorTime.LABEL);

  private ResultChart() {}

  /** Writes a PNG file. */
  static void write(Collection<RunResult> results, Path file) throws IOException {
    Map<String, List<RunResult>> panels =
        results.stream()
            .collect(
                Collectors.groupingBy(
                    result -> MarkdownTable.name(result.getParams()),
                    LinkedHashMap::new,
                    Collectors.toList()));
    List<CategoryChart> charts = new ArrayList<>();
    panels.forEach((name, rows) -> charts.add(panel(name, rows)));
    try (OutputStream out = Files.newOutputStream(file)) {
      BitmapEncoder.saveBitmap(charts, charts.size(), 1, out, BitmapFormat.PNG);
    }
  }

  /** Bars over all parameters that differ but the last, which makes the series. */
  private static CategoryChart panel(String name, List<RunResult> rows) {
    List<String> differing = differing(rows);
    String series = differing.size() > 1 ? differing.get(differing.size() - 1) : "";
    List<String> axis = differing.stream().filter(parameter -> !parameter.equals(series)).toList();
    Set<String> places = new LinkedHashSet<>();
    Map<String, Map<String, Result<?>>> bars = new LinkedHashMap<>();
    for (RunResult row : rows) {
      String place = label(row, axis);
      places.add(place);
      bars.computeIfAbsent(
              series.isEmpty() ? name : label(row, List.of(series)), key -> new LinkedHashMap<>())
          .put(place, figure(row));
    }
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(name)
            .yAxisTitle(title(rows.get(0)))
            .build();
    chart.getStyler().setLegendVisible(bars.size() > 1);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
    chart.getStyler().setXAxisLabelRotation(places.size() > 2 ? LABEL_ROTATION : 0);
    bars.forEach((key, values) -> addSeries(chart, key, places, values));
    return chart;
  }

  private static void addSeries(
      CategoryChart chart, String name, Set<String> places, Map<String, Result<?>> values) {
    List<Double> heights = new ArrayList<>();
    List<Double> errors = new ArrayList<>();
    for (String place : places) {
      Result<?> value = values.get(place);
      heights.add(value == null ? 0 : value.getScore());
      boolean certain = value == null || Double.isNaN(value.getScoreError());
      errors.add(certain ? 0 : value.getScoreError());
    }
    chart
        .addSeries(name, List.copyOf(places), heights, errors)
        .setChartCategorySeriesRenderStyle(CategorySeries.CategorySeriesRenderStyle.Bar);
  }

  private static List<String> differing(List<RunResult> rows) {
    return rows.get(0).getParams().getParamsKeys().stream()
        .filter(
            key -> rows.stream().map(row -> row.getParams().getParam(key)).distinct().count() > 1)
        .toList();
  }

  private static String label(RunResult row, List<String> parameters) {
    if (parameters.isEmpty()) {
      return "one operation"; // a chart takes no empty label
    }
    return parameters.stream()
        .map(parameter -> parameter + " " + row.getParams().getParam(parameter))
        .collect(Collectors.joining(", "));
  }

  private static Result<?> figure(RunResult row) {
    return FIGURES.stream()
        .filter(row.getSecondaryResults()::containsKey)
        .<Result<?>>map(row.getSecondaryResults()::get)
        .findFirst()
        .orElseGet(row::getPrimaryResult);
  }

  private static String title(RunResult row) {
    String label = figure(row).getLabel();
    String what =
        label.equals(Quotients.STEP_CPU)
            ? "processor time of a step"
            : label.equals(ProcessorTime.LABEL) ? "processor time" : "score";
    return what + ", " + figure(row).getScoreUnit();
  }
}
