package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Map;

/**
 * Like {@link ImageToImage}, from latents: those of another model that stopped early, or enlarged
 * ones. Needs no encoder.
 *
 * @param latents as the loop leaves them, for all images of the request
 * @param start as in {@link ImageToImage}
 */
public record LatentsToImage(Floats latents, StepPlan.Start start) implements Init {

  /** Checks the range of the strength. */
  public LatentsToImage {
    requireNonNull(latents, "latents");
    ImageToImage.checkStart(start);
  }

  @Override
  public StepPlan plan(StepPlan plan, FamilyRules rules) {
    return ImageToImage.plan(plan, start, rules);
  }

  @Override
  public Start begin(Context context) {
    float[] clean = latents.toArray();
    if (clean.length != context.shape().total()) {
      throw new IllegalArgumentException(
          "latents have %d values, expected %d for %s"
              .formatted(clean.length, context.shape().total(), context.shape()));
    }
    float[] x = ImageToImage.begin(context, clean, start);
    return () -> x;
  }

  @Override
  public Map<String, Object> description() {
    return Map.of("task", "latents to image");
  }
}
