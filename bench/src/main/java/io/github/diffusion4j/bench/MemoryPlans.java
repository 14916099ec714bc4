package io.github.diffusion4j.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures the memory of a model under different plans: each in a process of its own, whose peak of
 * resident memory (Linux's {@code VmHWM}) is read. Prints a Markdown table.
 */
public final class MemoryPlans {

  private static final List<String> PLANS =
      List.of("all", "all+two-pass", "on-demand", "on-demand+two-pass");
  private static final double GIB = 1L << 30;

  private MemoryPlans() {}

  /** What a process told at one stage. */
  private record Stage(double resident, double peak, double files, double seconds) {
    static Stage of(String... words) {
      return new Stage(
          Long.parseLong(words[1]) / GIB,
          Long.parseLong(words[2]) / GIB,
          Long.parseLong(words[3]) / GIB,
          Double.parseDouble(words[4]));
    }
  }

  /**
   * Measures.
   *
   * @param args the model's folder (or {@code shipped}), width, height, steps, then plans such as
   *     {@code on-demand+two-pass}; four of them if none is named
   * @throws IOException if a process cannot be started
   * @throws InterruptedException if interrupted
   */
  public static void main(String... args) throws IOException, InterruptedException {
    if (args.length < 4) {
      System.err.println("usage: MODEL WIDTH HEIGHT STEPS [PLAN]...");
      System.exit(2);
    }
    Path model = Models.folder(args[0]).toAbsolutePath();
    List<String> plans = args.length == 4 ? PLANS : Arrays.asList(args).subList(4, args.length);
    plans.forEach(MemoryPlan::of);
    System.out.printf("%s, %s x %s, %s steps; GiB, seconds%n%n", model, args[1], args[2], args[3]);
    System.out.println(
        "| plan | loaded | load s | peak | after the picture | of files | picture s | closed |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    for (String plan : plans) {
      Map<String, Stage> stages = run(List.of(model.toString(), plan, args[1], args[2], args[3]));
      System.out.println(row(plan, stages));
    }
  }

  private static Map<String, Stage> run(List<String> args)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(PaintingProcess.command(args))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Map<String, Stage> stages = new LinkedHashMap<>();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        String[] words = line.split(" ");
        stages.put(words[0], Stage.of(words));
      }
    }
    if (process.waitFor() != 0) {
      throw new IOException("painting ended with exit code " + process.exitValue() + ": " + args);
    }
    return stages;
  }

  private static String row(String plan, Map<String, Stage> stages) {
    Stage loaded = stages.get("loaded");
    Stage painted = stages.get("painted");
    Stage closed = stages.get("closed");
    return String.format(
        Locale.ROOT,
        "| %s | %.2f | %.1f | %.2f | %.2f | %.2f | %.1f | %.2f |",
        plan,
        loaded.resident,
        loaded.seconds,
        closed.peak,
        painted.resident,
        painted.files,
        painted.seconds,
        closed.resident);
  }
}
