package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.PromptOptions;
import java.util.List;

/**
 * Tells a distilled UNet the guidance scale as an embedding, in place of a negative branch (Meng et
 * al. 2022, arXiv 2210.03142).
 *
 * @param prompts gives everything else
 * @param width of the embedding
 */
record GuidanceEmbedding(PromptEncoder prompts, int width) implements PromptEncoder {

  /** The UNet's name for it. */
  static final String INPUT = "timestep_cond";

  /** No negative branch, whatever the scale. */
  static final FamilyRules RULES =
      new FamilyRules() {
        @Override
        public Guidance guidance(GenerationRequest request) {
          return new Guidance.None();
        }
      };

  private static final float LONGEST_PERIOD = 10_000;
  private static final float SCALE = 1000;

  @Override
  public PromptEncoder with(LoraSet loras) {
    return new GuidanceEmbedding(prompts.with(loras), width);
  }

  @Override
  public boolean reads(PromptOptions options) {
    return prompts.reads(options);
  }

  @Override
  public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
    Conditioning conditioning = prompts.encode(request, guidance, cancel);
    float[] row = embedding(request.guidance().scale().orElseThrow() - 1);
    float[] values = new float[request.images() * width];
    for (int image = 0; image < request.images(); image++) {
      System.arraycopy(row, 0, values, image * width, width);
    }
    return conditioning.with(new Conditioning.Input(INPUT, values, List.of(width)));
  }

  /**
   * Sines, then cosines of geometrically falling frequencies; in float32 as the networks learnt.
   */
  private float[] embedding(double scale) {
    int half = width / 2;
    float time = (float) scale * SCALE;
    float decay = (float) Math.log(LONGEST_PERIOD) / (half - 1);
    float[] row = new float[width];
    for (int i = 0; i < half; i++) {
      float angle = time * (float) Math.exp(i * -decay);
      row[i] = (float) Math.sin(angle);
      row[half + i] = (float) Math.cos(angle);
    }
    return row;
  }
}
