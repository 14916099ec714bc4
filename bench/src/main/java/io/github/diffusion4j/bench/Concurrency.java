package io.github.diffusion4j.bench;

import com.sun.management.OperatingSystemMXBean;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Paints the same pictures by 1 to 8 threads on one pipeline, with runs of the denoiser shared and
 * not, and prints time, processor time and peak memory beside those of one thread. A program of its
 * own, not a JMH benchmark; Linux only.
 */
public final class Concurrency {

  private static final int[] THREADS = {1, 2, 4, 8};
  private static final int BRANCHES = 2;
  private static final Duration WAIT = Duration.ofMillis(20);
  private static final double NANOS = 1e9;
  private static final Path RESET = Path.of("/proc/self/clear_refs");
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final int pictures;
  private final int steps;

  private Concurrency(int pictures, int steps) {
    this.pictures = pictures;
    this.steps = steps;
  }

  /** What painting all pictures took. */
  private record Cost(double seconds, double processor, double peak) {}

  /**
   * Measures.
   *
   * @param args MODEL (shipped, tiny or a folder) PICTURES STEPS
   * @throws IOException if the model cannot be read
   * @throws InterruptedException if interrupted
   */
  public static void main(String... args) throws IOException, InterruptedException {
    if (args.length != 3) {
      System.err.println("usage: MODEL PICTURES STEPS");
      System.exit(2);
    }
    Path model = Models.folder(args[0]);
    Concurrency all = new Concurrency(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    System.out.println("| threads | runs | time | processor time | peak resident memory |");
    System.out.println("|---|---|---|---|---|");
    Cost one = null;
    for (int threads : THREADS) {
      for (boolean shared : new boolean[] {false, true}) {
        if (shared && threads == 1) {
          continue;
        }
        Cost cost = all.measured(model, threads, shared);
        one = one == null ? cost : one;
        System.out.printf(
            "| %d | %s | %.1f s, %.2f | %.1f s, %.2f | %.0f MiB, %.2f |%n",
            threads,
            shared ? "shared" : "apart",
            cost.seconds,
            cost.seconds / one.seconds,
            cost.processor,
            cost.processor / one.processor,
            cost.peak,
            cost.peak / one.peak);
      }
    }
  }

  private Cost measured(Path model, int threads, boolean shared)
      throws IOException, InterruptedException {
    RuntimeOptions.Builder options =
        RuntimeOptions.builder().provider(ExecutionProvider.cpu()).spinning(false);
    if (shared) {
      options.batching(BRANCHES * threads, WAIT);
    }
    ExecutorService painters = Executors.newFixedThreadPool(threads);
    try (var pipeline = StableDiffusionPipeline.load(model, options.build())) {
      paint(pipeline, painters, threads); // warm
      Files.writeString(RESET, "5"); // the peak of resident memory
      long processor = SYSTEM.getProcessCpuTime();
      long start = System.nanoTime();
      paint(pipeline, painters, pictures);
      return new Cost(
          (System.nanoTime() - start) / NANOS,
          (SYSTEM.getProcessCpuTime() - processor) / NANOS,
          ProcessMemory.now().peakMebibytes());
    } finally {
      painters.shutdown();
    }
  }

  private void paint(StableDiffusionPipeline pipeline, ExecutorService painters, int count)
      throws InterruptedException {
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      GenerationRequest request =
          GenerationRequest.prompt("a red apple on a light blue background")
              .steps(steps)
              .seed(i)
              .build();
      all.add(painters.submit(() -> pipeline.generate(request)));
    }
    for (Future<?> one : all) {
      try {
        one.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
  }
}
