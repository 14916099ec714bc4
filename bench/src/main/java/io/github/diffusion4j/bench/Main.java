package io.github.diffusion4j.bench;

import io.github.diffusion4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks: JMH's own command line, with the profilers of allocation, processor time and
 * memory on, the solvers filled in, and the results also in files: JSON, and a Markdown table
 * beside it.
 */
public final class Main {

  private static final Path JSON = Path.of("target", "jmh.json");

  /** First argument that asks for {@link ModelComparison} in place of JMH. */
  private static final String COMPARE = "compare";

  static final int NATIVE_ACCESS_SINCE = 24;

  private Main() {}

  /**
   * Runs what the arguments ask for.
   *
   * @param args JMH's: regular expressions of benchmarks, {@code -p}, {@code -f}, {@code -wi}, ...;
   *     {@code -rff FILE} says where the JSON goes; or {@value #COMPARE} and folders of models
   */
  public static void main(String... args) {
    System.setProperty("java.awt.headless", "true"); // charts need no screen
    try {
      if (args.length > 0 && args[0].equals(COMPARE)) {
        ModelComparison.run(List.of(args).subList(1, args.length), System.out);
      } else {
        run(new CommandLineOptions(args));
      }
    } catch (NoBenchmarksException e) {
      fail(e.toString()); // has no message
    } catch (CommandLineOptionException
        | RunnerException
        | IOException
        | IllegalArgumentException e) {
      fail(e.getMessage());
    }
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(1);
  }

  static void run(CommandLineOptions given) throws RunnerException, IOException {
    if (given.shouldHelp()) {
      given.showHelp();
    } else if (given.shouldListProfilers()) {
      given.listProfilers();
    } else if (given.shouldListResultFormats()) {
      given.listResultFormats();
    } else if (given.shouldList()) {
      new Runner(given).list();
    } else if (given.shouldListWithParams()) {
      new Runner(withDefaults(given).build()).listWithParams(given);
    } else {
      measure(given);
    }
  }

  private static void measure(CommandLineOptions given) throws RunnerException, IOException {
    Path json = given.getResult().hasValue() ? Path.of(given.getResult().get()) : JSON;
    Files.createDirectories(json.toAbsolutePath().getParent());
    Collection<RunResult> results =
        new Runner(withDefaults(given).result(json.toString()).build()).run();
    if (results.isEmpty()) {
      throw new RunnerException("no benchmark has come to a result");
    }
    String name = json.getFileName().toString().replaceFirst("\\.[^.]*$", "");
    Path table = json.resolveSibling(name + ".md");
    Files.writeString(table, MarkdownTable.of(results));
    Path chart = json.resolveSibling(name + ".png");
    ResultChart.write(results, chart);
    System.out.println("Results: " + json + ", " + table + ", " + chart);
  }

  /** The command line's options, and what it leaves open. */
  static ChainedOptionsBuilder withDefaults(Options given) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .parent(given)
            .resultFormat(given.getResultFormat().orElse(ResultFormatType.JSON))
            .addProfiler(Quotients.class)
            .addProfiler(ProcessorTime.class)
            .addProfiler(PeakMemory.class)
            .shouldFailOnError(given.shouldFailOnError().orElse(true));
    if (given.getProfilers().isEmpty()) {
      options.addProfiler(GCProfiler.class);
    }
    if (!given.getParameter(SchedulerStepBenchmark.SCHEDULER).hasValue()) {
      options.param(
          SchedulerStepBenchmark.SCHEDULER, Schedulers.all().keySet().toArray(new String[0]));
    }
    if (Runtime.version().feature() >= NATIVE_ACCESS_SINCE
        && !given.getJvmArgsPrepend().hasValue()) {
      options.jvmArgsPrepend("--enable-native-access=ALL-UNNAMED");
    }
    return options;
  }
}
