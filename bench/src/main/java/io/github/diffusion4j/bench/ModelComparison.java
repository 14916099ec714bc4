package io.github.diffusion4j.bench;

import com.sun.management.OperatingSystemMXBean;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Variants of one model beside each other, such as smaller types of weights or reused features: the
 * same prompts and seeds by each in turn, so that what else the machine does meets all alike.
 * Prints a Markdown table of processor time over the first model's (median, least and most of the
 * rounds) and of the pictures' peak signal to noise ratio to the first model's (of the mean squared
 * error of all).
 */
final class ModelComparison {

  private static final List<String> PROMPTS =
      List.of("a red apple on a light blue background", "a fox", "a yellow star", "a green tree");
  private static final int ROUNDS = 8;
  private static final int STEPS = 10;
  private static final double GUIDANCE_SCALE = 4;
  private static final long SEED = 7;
  private static final int LEVELS = 255;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private ModelComparison() {}

  /** What is known of one model. */
  private static final class Candidate {
    private final Path folder;
    private final StableDiffusionPipeline pipeline;
    private final double[] cpuMillis = new double[ROUNDS];
    private final List<BufferedImage> pictures = new ArrayList<>();

    private final FeatureReuse reuse;

    /** A model, perhaps with {@code @N} or {@code @N,BRANCH} for reusing features. */
    Candidate(String text) throws IOException {
      String[] parts = text.split("@", 2);
      folder = Models.folder(parts[0]);
      reuse = parts.length == 1 ? FeatureReuse.OFF : reuse(parts[1].split(","));
      RuntimeOptions options =
          RuntimeOptions.builder()
              .provider(ExecutionProvider.cpu())
              .intraOpThreads(1)
              .promptCacheBytes(0)
              .build();
      pipeline = StableDiffusionPipeline.load(folder, options);
    }

    private static FeatureReuse reuse(String... numbers) {
      int branch = numbers.length > 1 ? Integer.parseInt(numbers[1]) : 0;
      return new FeatureReuse(Integer.parseInt(numbers[0]), branch);
    }

    private String label() {
      return folder.getFileName()
          + (reuse.isOn()
              ? ", features of every %d, branch %d".formatted(reuse.interval(), reuse.branch())
              : "");
    }

    void paint(int round) {
      GenerationRequest request =
          GenerationRequest.prompt(PROMPTS.get(round % PROMPTS.size()))
              .seed(SEED + round)
              .steps(STEPS)
              .guidanceScale(GUIDANCE_SCALE)
              .featureReuse(reuse)
              .build();
      long start = SYSTEM.getProcessCpuTime();
      pictures.add(pipeline.generate(request).image());
      cpuMillis[round] = (SYSTEM.getProcessCpuTime() - start) / 1e6;
    }

    String row(Candidate first) {
      double[] ratios = new double[ROUNDS - 1]; // the first round warms up
      for (int round = 1; round < ROUNDS; round++) {
        ratios[round - 1] = cpuMillis[round] / first.cpuMillis[round];
      }
      Arrays.sort(ratios);
      double decibels = decibels(first.pictures, pictures);
      double[] times = Arrays.copyOfRange(cpuMillis, 1, ROUNDS);
      Arrays.sort(times);
      return String.format(
          Locale.ROOT,
          "| %s | %.0f ms | %.2f (%.2f to %.2f) | %s |",
          label(),
          times[times.length / 2],
          ratios[ratios.length / 2],
          ratios[0],
          ratios[ratios.length - 1],
          Double.isInfinite(decibels)
              ? "the same"
              : String.format(Locale.ROOT, "%.1f dB", decibels));
    }
  }

  /** Compares models; the first is what the others are compared with. */
  static void run(List<String> models, PrintStream out) throws IOException {
    if (models.size() < 2) {
      throw new IllegalArgumentException(
          "compare takes two or more folders of models, each perhaps with @N or @N,BRANCH for"
              + " feature reuse, got "
              + models);
    }
    List<Candidate> candidates = new ArrayList<>();
    try {
      for (String model : models) {
        candidates.add(new Candidate(model));
      }
      for (int round = 0; round < ROUNDS; round++) {
        for (Candidate candidate : candidates) {
          candidate.paint(round);
        }
      }
      out.println("| model | processor time | over the first model's | PSNR |");
      out.println("| --- | --- | --- | --- |");
      candidates.forEach(candidate -> out.println(candidate.row(candidates.get(0))));
    } finally {
      candidates.forEach(candidate -> candidate.pipeline.close());
    }
  }

  /** Peak signal to noise ratio of all pictures together; infinite if each is the same. */
  static double decibels(List<BufferedImage> references, List<BufferedImage> others) {
    double error = 0;
    for (int i = 0; i < references.size(); i++) {
      error += squaredError(references.get(i), others.get(i)) / references.size();
    }
    return 10 * Math.log10(LEVELS * LEVELS / error);
  }

  /** Mean squared error of 8-bit RGB. */
  private static double squaredError(BufferedImage reference, BufferedImage other) {
    double squares = 0;
    int width = reference.getWidth();
    int height = reference.getHeight();
    int[] expected = reference.getRGB(0, 0, width, height, null, 0, width);
    int[] found = other.getRGB(0, 0, width, height, null, 0, width);
    for (int i = 0; i < expected.length; i++) {
      for (int shift = 0; shift < 24; shift += 8) {
        int difference = (expected[i] >> shift & LEVELS) - (found[i] >> shift & LEVELS);
        squares += difference * difference;
      }
    }
    return squares / (3.0 * expected.length);
  }
}
