package io.github.diffusion4j.bench;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Paints pictures of changing prompts, sizes, steps and solvers in one process for a long time, and
 * looks for what grows: resident memory, direct buffers, open native objects. A flight recording
 * runs along and is summed up at the end. A program of its own, not a JMH benchmark; Linux only. To
 * be run with a heap of fixed size that is in memory from the start ({@code -Xms160m -Xmx160m
 * -XX:+AlwaysPreTouch}), or the series shows the heap fill up.
 */
public final class Soak {

  private static final long SEED = 20261122;
  private static final int SAMPLE_EVERY = 10;
  private static final List<String> SOLVERS =
      List.of(
          "ddim", "ddpm", "euler", "euler-a", "heun", "lms", "pndm", "dpm++2m", "unipc", "deis");

  private final StableDiffusionPipeline pipeline;
  private final List<String> prompts;
  private final Random random = new Random(SEED);

  private Soak(StableDiffusionPipeline pipeline, List<String> prompts) {
    this.pipeline = pipeline;
    this.prompts = prompts;
  }

  /**
   * Paints; ends with status 1 if something grows.
   *
   * @param args MODEL (shipped, tiny or a folder) PICTURES MINUTES RECORDING (file to be written);
   *     the first of the two limits that is reached ends it
   * @throws IOException if a file cannot be read or written
   */
  public static void main(String... args) throws IOException {
    if (args.length != 4) {
      System.err.println("usage: MODEL PICTURES MINUTES RECORDING");
      System.exit(2);
    }
    Path model = Models.folder(args[0]);
    int pictures = Integer.parseInt(args[1]);
    Duration time = Duration.ofMinutes(Long.parseLong(args[2]));
    SoakSeries series = new SoakSeries();
    try (Flight flight = Flight.begin()) {
      try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model)) {
        new Soak(pipeline, prompts(model)).paint(pictures, time, series);
      }
      System.out.println(flight.end(Path.of(args[3])));
    }
    System.out.println(series.summary());
    System.out.printf("open native objects after closing: %d%n", NativeCount.open());
    if (series.grows() || NativeCount.open() != 0) {
      System.exit(1);
    }
  }

  private static List<String> prompts(Path model) throws IOException {
    Path file = model.resolve("prompts.txt");
    return Files.exists(file) ? Files.readAllLines(file) : List.of("a cat", "a red house", "");
  }

  private void paint(int pictures, Duration time, SoakSeries series) throws IOException {
    System.out.println("seed " + SEED + "\n" + SoakSeries.Sample.TITLES);
    long start = System.nanoTime();
    int loaded = NativeCount.open();
    for (int picture = 1; picture <= pictures; picture++) {
      pipeline.generate(request(picture));
      Duration passed = Duration.ofNanos(System.nanoTime() - start);
      boolean last = picture == pictures || passed.compareTo(time) >= 0;
      if (picture == 1 || picture % SAMPLE_EVERY == 0 || last) {
        var sample = SoakSeries.Sample.now(picture, passed, NativeCount.open() - loaded);
        series.add(sample);
        System.out.println(sample);
      }
      if (last) {
        return;
      }
    }
  }

  private GenerationRequest request(int picture) {
    List<Integer> sides = sides();
    return GenerationRequest.prompt(any(prompts) + " on a " + any(List.of("red", "blue", "white")))
        .negativePrompt(any(List.of("", "blurred")))
        .size(any(sides), any(sides))
        .steps(2 + random.nextInt(4))
        .scheduler(any(SOLVERS))
        .seed(picture)
        .build();
  }

  /** From about half of the model's own side up to one and a half of it. */
  private List<Integer> sides() {
    int multiple = pipeline.stages().sizeMultiple();
    int own = pipeline.facts().width();
    List<Integer> sides = new ArrayList<>();
    for (int quarters = 2; quarters <= 6; quarters++) {
      sides.add(Math.max(multiple, own * quarters / 4 / multiple * multiple));
    }
    return sides;
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
