package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A picture like that of the request's seed, but not the same: the first noise is turned on the
 * sphere towards that of another seed. The noise of later steps stays the request's.
 *
 * @param init what the generation begins with
 * @param seeds the other seed: one for all images together, or one for each image
 * @param strength 0 gives the request's own picture, 1 the other seed's
 */
public record Variation(Init init, List<Long> seeds, double strength) implements Init {

  /** Checks the range of the strength. */
  public Variation {
    requireNonNull(init, "init");
    seeds = List.copyOf(seeds);
    if (seeds.isEmpty()) {
      throw new IllegalArgumentException("a variation needs at least one seed, got none");
    }
    if (!(strength >= 0 && strength <= 1)) {
      throw new IllegalArgumentException("variation strength must be in [0, 1], got " + strength);
    }
  }

  /**
   * A variation of text to image.
   *
   * @param seed the other seed
   * @param strength 0 to 1
   */
  public Variation(long seed, double strength) {
    this(new FromNoise(), List.of(seed), strength);
  }

  @Override
  public GenerationRequest prepare(GenerationRequest request, Stages stages) {
    if (seeds.size() != 1 && seeds.size() != request.images()) {
      throw new IllegalArgumentException(
          "expected one variation seed, or one for each of the %d images, got %d"
              .formatted(request.images(), seeds.size()));
    }
    return init.prepare(request, stages);
  }

  @Override
  public Guidance guidance(Guidance guidance) {
    return init.guidance(guidance);
  }

  @Override
  public StepPlan plan(StepPlan plan, FamilyRules rules) {
    return init.plan(plan, rules);
  }

  @Override
  public boolean beginsWithNoise() {
    return init.beginsWithNoise();
  }

  @Override
  public Start begin(Context context) {
    long[] others = seeds.stream().mapToLong(Long::longValue).toArray();
    NoiseSource other = context.request().toBuilder().seed(others).build().noise();
    return init.begin(context.withNoise(NoiseSource.slerp(context.noise(), other, strength)));
  }

  @Override
  public Map<String, Object> description() {
    Map<String, Object> all = new LinkedHashMap<>(init.description());
    all.put("variation_seeds", seeds);
    all.put("variation_strength", strength);
    return all;
  }
}
