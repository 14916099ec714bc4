package io.github.diffusion4j.task;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.scheduler.SchedulerRun;

/** A picture's way into a generation: its size, its latents, its noise. */
final class Encoding {

  private Encoding() {}

  /** Takes a size that the request leaves open from the picture, cut to what the model takes. */
  static GenerationRequest sized(GenerationRequest request, Stages stages, Pictures pictures) {
    checkCount(request, pictures);
    int multiple = stages.sizeMultiple();
    GenerationRequestBuilder builder = request.toBuilder();
    if (stages.facts().fixedSize()) {
      return request;
    }
    if (request.width().isEmpty()) {
      builder.width(Math.max(multiple, pictures.width() / multiple * multiple));
    }
    if (request.height().isEmpty()) {
      builder.height(Math.max(multiple, pictures.height() / multiple * multiple));
    }
    return builder.build();
  }

  static void checkCount(GenerationRequest request, Pictures pictures) {
    int count = pictures.count();
    if (count != 1 && count != request.prompts().size() && count != request.images()) {
      throw new IllegalArgumentException(
          "expected one picture, one for each of the %d prompts, or one for each of the %d images, got %d pictures"
              .formatted(request.prompts().size(), request.images(), count));
    }
  }

  static void requireEncoder(Stages stages) {
    if (!stages.codec().encodes()) {
      throw new IllegalArgumentException(
          "the model %s has no vae_encoder, which a task that begins with a picture needs: add vae_encoder/model.onnx of the same autoencoder, or export the model with `optimum-cli export onnx`, which writes it"
              .formatted(stages.facts().name()));
    }
  }

  /** Refuses a strength that leaves no step to take. */
  static void requireSteps(SchedulerRun run, double strength) {
    if (run.evaluations() == 0) {
      int steps = run.timesteps().length;
      throw new IllegalArgumentException(
          "strength %s of %d steps leaves no step to take; use a strength of at least %.3f or more steps"
              .formatted(strength, steps, 1.0 / steps));
    }
  }

  static double checkedStrength(double strength) {
    if (!(strength > 0 && strength <= 1)) {
      throw new IllegalArgumentException("strength must be above 0 and at most 1, got " + strength);
    }
    return strength;
  }

  /** Encodes pictures; their latents are drawn by {@link #sample}. */
  static LatentDistribution encode(Init.Context context, ImageTensor pictures) {
    return context.codec().encode(pictures, context.cancel());
  }

  /**
   * Draws latents and scales them. One seed draws once for each picture, which its images share;
   * several seeds draw for each image.
   */
  static float[] sample(Init.Context context, LatentDistribution encoded) {
    int images = context.shape().batch();
    float[] latents;
    if (context.request().seeds().size() > 1) {
      latents = encoded.repeat(images).sample(context.noise());
    } else {
      latents =
          LatentDistribution.repeat(
              encoded.sample(context.noise()), encoded.shape().batch(), images);
    }
    context.codec().scale(latents, context.shape());
    return latents;
  }

  /** Draws what {@link #sample} would, for noise that the reference draws and does not use. */
  static void skip(Init.Context context, LatentDistribution encoded) {
    if (!encoded.isCertain()) {
      boolean shared = context.request().seeds().size() == 1;
      int images = shared ? encoded.shape().batch() : context.shape().batch();
      context.noise().fill(new float[images * encoded.shape().elements()]);
    }
  }

  static float[] draw(Init.Context context) {
    float[] noise = new float[context.shape().total()];
    context.noise().fill(noise);
    return noise;
  }

  /** Clean latents, noised to the first step's level. */
  static float[] noised(Init.Context context, float[] clean, float[] noise) {
    float[] x = new float[clean.length];
    context.run().addNoise(clean, noise, x);
    return x;
  }
}
