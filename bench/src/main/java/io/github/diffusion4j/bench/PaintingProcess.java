package io.github.diffusion4j.bench;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process of its own that paints and tells its memory: one line for each stage, {@code stage
 * resident peak files seconds}. What {@link MemoryPlans} starts.
 */
public final class PaintingProcess {

  private PaintingProcess() {}

  /**
   * Opens a model and paints a picture of it.
   *
   * @param args model's folder, plan, width, height, steps
   * @throws IOException if the model or {@code /proc} cannot be read
   */
  public static void main(String... args) throws IOException {
    MemoryPlan plan = MemoryPlan.of(args[1]);
    long start = System.nanoTime();
    try (var pipeline = StableDiffusionPipeline.load(Path.of(args[0]), plan.options())) {
      tell("loaded", start);
      start = System.nanoTime();
      pipeline.generate(
          GenerationRequest.prompt("a lighthouse")
              .size(Integer.parseInt(args[2]), Integer.parseInt(args[3]))
              .steps(Integer.parseInt(args[4]))
              .batching(plan.batching())
              .seed(1)
              .build());
      tell("painted", start);
      start = System.nanoTime();
    }
    tell("closed", start);
  }

  private static void tell(String stage, long start) throws IOException {
    ProcessMemory memory = ProcessMemory.now();
    System.out.printf(
        "%s %d %d %d %.1f%n",
        stage, memory.resident(), memory.peak(), memory.files(), (System.nanoTime() - start) / 1e9);
  }

  /** The command line of such a process. */
  static List<String> command(List<String> args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= Main.NATIVE_ACCESS_SINCE) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-Xmx1g", "-cp", System.getProperty("java.class.path")));
    command.add(PaintingProcess.class.getName());
    command.addAll(args);
    return command;
  }
}
