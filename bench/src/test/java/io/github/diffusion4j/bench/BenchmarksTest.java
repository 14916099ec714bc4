package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.scheduler.Schedulers;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs, once and small; what it measures is not looked at. */
class BenchmarksTest {

  private static final Set<String> METERED =
      Set.of(
          "LoopBenchmark.generation",
          "SchedulerStepBenchmark.generation",
          "PipelineBenchmark.pipeline",
          "PipelineBenchmark.bare");

  @TempDir private static Path folder;

  @BeforeAll
  static void runBesideOthers() {
    System.setProperty("jmh.ignoreLock", "true"); // nothing is timed here
  }

  @TestFactory
  Stream<DynamicTest> everyBenchmarkRuns() {
    var silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
    return BenchmarkList.defaultList().getAll(silent, List.of()).stream()
        .map(BenchmarkListEntry::getUsername)
        .map(name -> DynamicTest.dynamicTest(name, () -> checkRun(name)));
  }

  private static void checkRun(String name) throws Exception {
    JsonNode results = run(name);
    assertFalse(results.isEmpty());
    for (JsonNode result : results) {
      JsonNode score = result.at("/primaryMetric/score");
      assertTrue(score.asDouble() > 0, result::toPrettyString);
      JsonNode secondary = result.get("secondaryMetrics");
      assertTrue(secondary.has(ProcessorTime.LABEL), secondary::toPrettyString);
      String method = name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
      assertEquals(METERED.contains(method), secondary.has(Quotients.STEP_TIME), method);
      assertEquals(METERED.contains(method), secondary.has(Quotients.STEP_ALLOCATION), method);
      assertEquals(method.startsWith("Overhead"), secondary.has(Quotients.OVERHEAD), method);
    }
  }

  @Test
  void everySchedulerIsMeasured() throws Exception {
    Set<String> measured = new HashSet<>();
    run(SchedulerStepBenchmark.class.getName() + ".generation")
        .forEach(result -> measured.add(result.at("/params/scheduler").asText()));
    assertEquals(Schedulers.all().keySet(), measured);
  }

  @Test
  void tableHasARowForEachResult() throws Exception {
    JsonNode results = run(PngBenchmark.class.getName() + ".encode");
    List<String> lines = Files.readAllLines(folder.resolve("results.md"));
    assertEquals(2 + 2 + results.size(), lines.size(), lines::toString);
    assertTrue(lines.get(2).startsWith("| benchmark | parameters | score |"), lines::toString);
    assertTrue(lines.get(4).startsWith("| PngBenchmark.encode | size=16 |"), lines::toString);
  }

  @Test
  void chartHasAPanelForEachBenchmark() throws Exception {
    run(PngBenchmark.class.getName() + ".encode");
    BufferedImage one = ImageIO.read(folder.resolve("results.png").toFile());
    run(GuidanceBenchmark.class.getName() + ".combine|" + PngBenchmark.class.getName() + ".encode");
    BufferedImage two = ImageIO.read(folder.resolve("results.png").toFile());
    assertEquals(one.getWidth(), two.getWidth());
    assertEquals(2 * one.getHeight(), two.getHeight());
  }

  private static JsonNode run(String name) throws Exception {
    Path json = folder.resolve("results.json");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                Stream.of(name.split("\\|"))
                    .map(n -> "^" + Pattern.quote(n) + "$")
                    .collect(Collectors.joining("|"))));
    arguments.addAll(List.of("-f", "0", "-wi", "0", "-i", "1", "-r", "1ms", "-v", "SILENT"));
    arguments.addAll(List.of("-rff", json.toString()));
    Stream.of("shape=4x4x4", "model=tiny", "size=16")
        .forEach(parameter -> arguments.addAll(List.of("-p", parameter)));
    Main.run(new CommandLineOptions(arguments.toArray(new String[0])));
    return new ObjectMapper().readTree(json.toFile());
  }
}
