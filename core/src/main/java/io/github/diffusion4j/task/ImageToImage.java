package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Map;

/**
 * Image to image (Meng et al. 2021, arXiv 2108.01073): the picture is noised to where the first of
 * the taken steps begins, and painted from there. A size that the request leaves open is the
 * picture's, cut to the model's multiple.
 *
 * @param pictures one for all, one for each prompt, or one for each image
 * @param start strength above 0 to 1, or the share of the training steps at which another model
 *     stopped: then the picture is taken as that noisy already
 */
public record ImageToImage(Pictures pictures, StepPlan.Start start) implements Init {

  /** Checks the range of the strength. */
  public ImageToImage {
    requireNonNull(pictures, "pictures");
    checkStart(start);
  }

  /**
   * Image to image by strength.
   *
   * @param pictures one for all, one for each prompt, or one for each image
   * @param strength share of the steps that are taken: near 0 hardly changes the picture, 1 keeps
   *     little of it
   */
  public ImageToImage(Pictures pictures, double strength) {
    this(pictures, new StepPlan.Start.Strength(Encoding.checkedStrength(strength)));
  }

  static void checkStart(StepPlan.Start start) {
    if (start instanceof StepPlan.Start.Strength given) {
      Encoding.checkedStrength(given.strength());
    } else if (!(start instanceof StepPlan.Start.Share)) {
      throw new IllegalArgumentException(
          "start must be a strength, or a share of the training steps, got " + start);
    }
  }

  static StepPlan plan(StepPlan plan, StepPlan.Start start, FamilyRules rules) {
    return start instanceof StepPlan.Start.Strength given
        ? rules.imageToImage(plan, given.strength())
        : plan.withStart(start);
  }

  static float[] begin(Context context, float[] clean, StepPlan.Start start) {
    if (start instanceof StepPlan.Start.Strength given) {
      Encoding.requireSteps(context.run(), given.strength());
      return Encoding.noised(context, clean, Encoding.draw(context));
    }
    return clean;
  }

  @Override
  public GenerationRequest prepare(GenerationRequest request, Stages stages) {
    Init.requireExtraChannels(stages, 0);
    Encoding.requireEncoder(stages);
    return Encoding.sized(request, stages, pictures);
  }

  @Override
  public StepPlan plan(StepPlan plan, FamilyRules rules) {
    return plan(plan, start, rules);
  }

  @Override
  public Start begin(Context context) {
    int width = context.request().width().orElseThrow();
    int height = context.request().height().orElseThrow();
    float[] clean =
        Encoding.sample(
            context, Encoding.encode(context, pictures.tensor(width, height, Resampling.LANCZOS)));
    float[] x = begin(context, clean, start);
    return () -> x;
  }

  @Override
  public Map<String, Object> description() {
    return start instanceof StepPlan.Start.Strength given
        ? Map.of("task", "image to image", "strength", given.strength())
        : Map.of("task", "image to image");
  }
}
