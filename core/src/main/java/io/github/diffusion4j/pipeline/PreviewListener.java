package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentPreview;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.image.Images;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.function.Consumer;

/**
 * Shows previews while a generation runs: the solver's estimate of the clean latents as pictures.
 *
 * <pre>{@code
 * var preview = LatentColors.of(pipeline.stages()); // or a tiny Autoencoder
 * pipeline.generate(request, new PreviewListener(5, preview, images -> show(images.get(0))));
 * }</pre>
 *
 * <p>It works on the generating thread, between two steps: what it takes delays the next one.
 *
 * @param every evaluations of the denoiser from one preview to the next, at least 1
 * @param preview makes the pictures
 * @param shown gets the pictures of all images; not called after the last step, when the final
 *     pictures follow
 */
public record PreviewListener(int every, LatentPreview preview, Consumer<List<BufferedImage>> shown)
    implements StepListener {

  /** Checks the number and that nothing is missing. */
  public PreviewListener {
    if (every < 1) {
      throw new IllegalArgumentException("every must be at least 1, got " + every);
    }
    requireNonNull(preview, "preview");
    requireNonNull(shown, "shown");
  }

  @Override
  public void onStep(StepEvent event) {
    if (event.evaluation() % every == 0 && event.evaluation() < event.evaluations()) {
      ImageTensor image = event.preview(preview);
      shown.accept(Images.fromTensor(image.values(), image.width(), image.height()));
    }
  }
}
