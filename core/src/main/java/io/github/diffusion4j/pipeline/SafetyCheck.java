package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.family.SafetyChecker;
import io.github.diffusion4j.image.Masks;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The last look at decoded pictures.
 *
 * @param policy what becomes of flagged ones
 * @param checker looks; empty where the model has none or the policy is OFF
 */
record SafetyCheck(SafetyPolicy policy, Optional<SafetyChecker> checker) implements AutoCloseable {

  private static final System.Logger LOG = System.getLogger(SafetyCheck.class.getName());

  static final SafetyCheck NONE = new SafetyCheck(SafetyPolicy.OFF, Optional.empty());

  /** A standard deviation of this share of the longer side leaves patches of colour. */
  private static final double BLUR = 1.0 / 16;

  /** Pictures after the check, and what was found. */
  record Checked(List<BufferedImage> images, SafetyReport report) {}

  static SafetyCheck open(ModelLayout layout, OrtRuntime runtime, SafetyPolicy policy)
      throws IOException {
    Optional<SafetyChecker> checker =
        policy == SafetyPolicy.OFF ? Optional.empty() : SafetyChecker.of(layout, runtime);
    return checker.isEmpty() ? NONE : new SafetyCheck(policy, checker);
  }

  Checked check(List<BufferedImage> images, CancelToken cancel) {
    if (checker.isEmpty()) {
      return new Checked(images, SafetyReport.UNCHECKED);
    }
    List<BufferedImage> shown = new ArrayList<>();
    List<Boolean> flagged = new ArrayList<>();
    for (BufferedImage image : images) {
      boolean flag = checker.get().flags(image, cancel);
      flagged.add(flag);
      shown.add(flag ? hidden(image) : image);
    }
    if (flagged.contains(true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the safety checker flagged {0} of {1} pictures (policy {2}); another prompt or seed"
              + " paints another picture",
          flagged.stream().filter(flag -> flag).count(),
          flagged.size(),
          policy);
    }
    return new Checked(shown, new SafetyReport(policy, flagged));
  }

  private BufferedImage hidden(BufferedImage image) {
    return switch (policy) {
      case OFF, REPORT -> image;
      case BLACK ->
          new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_3BYTE_BGR);
      case BLUR -> Masks.blur(image, BLUR * Math.max(image.getWidth(), image.getHeight()));
    };
  }

  @Override
  public void close() {
    checker.ifPresent(SafetyChecker::close);
  }
}
