package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.family.MachineMemory;

/** From a request's pixels to latents, refusing what the model or the machine cannot do. */
final class LatentSizes {

  private LatentSizes() {}

  /**
   * The latents of a resolved request.
   *
   * @throws IllegalArgumentException if the size does not suit the model or the memory
   */
  static LatentShape shape(GenerationRequest request, Stages stages, int branches) {
    int factor = stages.codec().factor();
    int width = request.width().orElseThrow();
    int height = request.height().orElseThrow();
    int multiple = stages.sizeMultiple();
    check("width", width, multiple);
    check("height", height, multiple);
    long longest = (long) stages.rules().longestSide() * factor;
    if (Math.max(width, height) > longest) {
      throw new IllegalArgumentException(
          "width and height must be at most %d, for the model knows no places beyond; got %d x %d"
              .formatted(longest, width, height));
    }
    ModelFacts facts = stages.facts();
    if (facts.fixedSize() && (width != facts.width() || height != facts.height())) {
      throw new IllegalArgumentException(
          "this model was exported for %d x %d pixels only, got %d x %d"
              .formatted(facts.width(), facts.height(), width, height));
    }
    long pixels = Math.multiplyFull(width, height);
    checkMemory(request, stages, pixels, branches);
    return new LatentShape(
        request.images(), stages.codec().latentChannels(), height / factor, width / factor);
  }

  private static void check(String name, int pixels, int multiple) {
    if (pixels % multiple != 0) {
      int below = Math.max(multiple, pixels / multiple * multiple);
      throw new IllegalArgumentException(
          "%s must be a multiple of %d, got %d; use %d or %d"
              .formatted(name, multiple, pixels, below, below + multiple));
    }
  }

  /**
   * What is certainly needed: our own arrays on the heap, and with them one full-size activation of
   * the decoder outside. Networks need more on top.
   */
  private static void checkMemory(
      GenerationRequest request, Stages stages, long pixels, int branches) {
    int factor = stages.codec().factor();
    double images = request.images();
    double cells = images * stages.codec().latentChannels() * pixels / ((double) factor * factor);
    double heap = 4.0 * (cells * (4 + branches) + images * pixels * 4);
    double heapLimit = Runtime.getRuntime().maxMemory();
    double machine = MachineMemory.BYTES;
    boolean tooLarge = heap > heapLimit || pixels * 3 > Integer.MAX_VALUE / 4;
    double outside =
        8.0 * cells * branches
            + (tooLarge
                ? 0 // the decoder's tiles alone would be too many to count
                : stages
                    .codec()
                    .decodeBytes(request.width().orElseThrow(), request.height().orElseThrow()));
    if (tooLarge || heap + outside > machine) {
      throw new IllegalArgumentException(
          "%d image(s) of %d x %d need at least %s of Java heap and %s beside it; the heap may grow to %s and this machine has %s. Use a smaller size or fewer images%s"
              .formatted(
                  request.images(),
                  request.width().orElseThrow(),
                  request.height().orElseThrow(),
                  size(heap),
                  size(outside),
                  size(heapLimit),
                  size(machine),
                  heap > heapLimit ? ", or a larger heap (-Xmx)" : ""));
    }
  }

  private static String size(double bytes) {
    return bytes >= 1 << 30
        ? "%.1f GiB".formatted(bytes / (1 << 30))
        : "%.0f MiB".formatted(Math.ceil(bytes / (1 << 20)));
  }
}
