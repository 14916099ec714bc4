package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LowResolution;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.image.Resampling;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Enlarges a picture by as much as the model's autoencoder does, with details of the prompt's
 * (Stable Diffusion's x4 upscaler). Needs a model made for it, whose denoiser sees the small
 * picture, a little noised, beside its latents.
 *
 * @param pictures one for all, one for each prompt, or one for each image
 * @param noiseLevel how much the small picture is noised: 0 to what the model knows, often 350
 */
public record Upscale(Pictures pictures, int noiseLevel) implements Init {

  /** Noise level of the reference. */
  public static final int DEFAULT_NOISE_LEVEL = 20;

  private static final int COLOURS = 3;

  /** Checks that the level is not negative. */
  public Upscale {
    requireNonNull(pictures, "pictures");
    if (noiseLevel < 0) {
      throw new IllegalArgumentException("noise level must be at least 0, got " + noiseLevel);
    }
  }

  @Override
  public GenerationRequest prepare(GenerationRequest request, Stages stages) {
    Init.requireExtraChannels(stages, COLOURS);
    int most = lowResolution(stages).maxNoiseLevel();
    if (noiseLevel > most) {
      throw new IllegalArgumentException(
          "noise level must be in [0, %d], got %d".formatted(most, noiseLevel));
    }
    int factor = stages.codec().factor();
    int multiple = Math.max(factor, stages.denoiser().sideMultiple());
    Encoding.checkCount(request, pictures);
    GenerationRequestBuilder builder = request.toBuilder();
    if (request.width().isEmpty()) {
      builder.width(factor * Math.max(multiple, pictures.width() / multiple * multiple));
    }
    if (request.height().isEmpty()) {
      builder.height(factor * Math.max(multiple, pictures.height() / multiple * multiple));
    }
    return builder.build();
  }

  private static LowResolution lowResolution(Stages stages) {
    return stages
        .rules()
        .lowResolution()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the model "
                        + stages.facts().name()
                        + " has no low_res_scheduler, so it does not upscale"));
  }

  @Override
  public Start begin(Context context) {
    int images = context.shape().batch();
    float[] small = noised(context);
    float[] x = Encoding.draw(context);
    float sigma = (float) context.run().initNoiseSigma();
    for (int i = 0; i < x.length; i++) {
      x[i] *= sigma;
    }
    List<Integer> row = List.of(COLOURS, context.shape().height(), context.shape().width());
    return new Start() {
      @Override
      public float[] latents() {
        return x;
      }

      @Override
      public Conditioning condition(Conditioning prompts) {
        int branches = prompts.branches();
        float[] channels = new float[branches * small.length];
        for (int branch = 0; branch < branches; branch++) {
          System.arraycopy(small, 0, channels, branch * small.length, small.length);
        }
        float[] levels = new float[branches * images];
        Arrays.fill(levels, noiseLevel);
        return prompts
            .with(new Conditioning.Input(Conditioning.EXTRA_CHANNELS, channels, row))
            .with(new Conditioning.Input("class_labels", levels, List.of()));
      }
    };
  }

  /**
   * The small picture for each image, noised once for each picture, or for each of several seeds.
   */
  private float[] noised(Context context) {
    ImageTensor tensor =
        pictures.tensor(context.shape().width(), context.shape().height(), Resampling.BICUBIC);
    int images = context.shape().batch();
    boolean shared = context.request().seeds().size() == 1;
    int rows = shared ? tensor.batch() : images;
    float[] small = LatentDistribution.repeat(tensor.values(), tensor.batch(), rows);
    float[] noise = new float[small.length];
    context.noise().fill(noise);
    lowResolution(context.stages()).schedule().addNoise(small, noise, noiseLevel, small);
    return LatentDistribution.repeat(small, rows, images);
  }

  @Override
  public Map<String, Object> description() {
    return Map.of("task", "upscale", "noise_level", noiseLevel);
  }
}
