package io.github.diffusion4j.bench;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Paints many pictures of changing sizes in one process and prints its resident memory, which must
 * not go on growing.
 */
public final class MemorySeries {

  private static final long SEED = 20261122;
  private static final int SIZES = 5;
  private static final int TOLD = 10;
  private static final double MIB = 1L << 20;

  private MemorySeries() {}

  /**
   * Paints.
   *
   * @param args the model's folder (or {@code shipped}), number of pictures, plan
   * @throws IOException if the model or {@code /proc} cannot be read
   */
  public static void main(String... args) throws IOException {
    if (args.length != 3) {
      System.err.println("usage: MODEL PICTURES PLAN");
      System.exit(2);
    }
    MemoryPlan plan = MemoryPlan.of(args[2]);
    int pictures = Integer.parseInt(args[1]);
    Random random = new Random(SEED);
    System.out.println("seed " + SEED + "; picture, resident MiB, peak MiB");
    try (var pipeline = StableDiffusionPipeline.load(Models.folder(args[0]), plan.options())) {
      List<Integer> sides = sides(pipeline);
      for (int picture = 1; picture <= pictures; picture++) {
        pipeline.generate(
            GenerationRequest.prompt("picture " + picture)
                .size(
                    sides.get(random.nextInt(sides.size())),
                    sides.get(random.nextInt(sides.size())))
                .steps(2)
                .batching(plan.batching())
                .seed(picture)
                .build());
        if (picture == 1 || picture % TOLD == 0) {
          ProcessMemory memory = ProcessMemory.now();
          System.out.printf(
              "%d %.0f %.0f%n", picture, memory.resident() / MIB, memory.peak() / MIB);
        }
      }
    }
  }

  /** Half of the model's own side up to twice as much. */
  private static List<Integer> sides(StableDiffusionPipeline pipeline) {
    int multiple = pipeline.stages().sizeMultiple();
    List<Integer> sides = new ArrayList<>();
    for (int i = 0; i < SIZES; i++) {
      int side = pipeline.facts().width() * (2 + i) / 4;
      sides.add(Math.max(multiple, side / multiple * multiple));
    }
    Collections.sort(sides);
    return sides;
  }
}
