package io.github.diffusion4j;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What steers a denoiser at each of its evaluations, where prompts change over the steps.
 *
 * @param conditionings different ones, all for the same branches and images
 * @param evaluations for each evaluation the index of its conditioning; the last one holds on
 */
public record ConditioningSchedule(List<Conditioning> conditionings, List<Integer> evaluations) {

  /** Checks that the conditionings can take each other's place. */
  public ConditioningSchedule {
    conditionings = List.copyOf(conditionings);
    evaluations = List.copyOf(evaluations);
    if (conditionings.isEmpty() || evaluations.isEmpty()) {
      throw new IllegalArgumentException("a schedule must have a conditioning and an evaluation");
    }
    Conditioning first = conditionings.get(0);
    for (Conditioning other : conditionings) {
      if (other.branches() != first.branches() || other.batch() != first.batch()) {
        throw new IllegalArgumentException(
            "all conditionings must be for %d branches and %d images, got %d and %d"
                .formatted(first.branches(), first.batch(), other.branches(), other.batch()));
      }
    }
    for (int index : evaluations) {
      if (index < 0 || index >= conditionings.size()) {
        throw new IllegalArgumentException(
            "evaluations must name conditionings 0 to %d, got %d"
                .formatted(conditionings.size() - 1, index));
      }
    }
  }

  /**
   * The same conditioning all the time.
   *
   * @param conditioning the only one
   * @return a schedule
   */
  public static ConditioningSchedule always(Conditioning conditioning) {
    return new ConditioningSchedule(List.of(conditioning), List.of(0));
  }

  /**
   * A schedule with every conditioning changed.
   *
   * @param change applied once to each different conditioning
   * @return a copy
   */
  public ConditioningSchedule map(UnaryOperator<Conditioning> change) {
    return new ConditioningSchedule(conditionings.stream().map(change).toList(), evaluations);
  }

  /**
   * Prepares one generation: everything is wrapped once, and switching allocates nothing.
   *
   * @param model the network
   * @param shape the latents of one branch
   * @param batching whether all branches go through the network at once
   * @param cancel stops a running network
   * @return owned by the caller, for one thread; counts the evaluations itself
   */
  public Denoiser bind(
      DenoiserModel model, LatentShape shape, BranchBatching batching, CancelToken cancel) {
    if (conditionings.size() == 1) {
      return model.bind(conditionings.get(0), shape, batching, cancel);
    }
    List<Denoiser> bound = new ArrayList<>();
    try {
      for (Conditioning conditioning : conditionings) {
        bound.add(model.bind(conditioning, shape, batching, cancel));
      }
    } catch (RuntimeException | Error e) {
      bound.forEach(Denoiser::close);
      throw e;
    }
    Denoiser[] byEvaluation = evaluations.stream().map(bound::get).toArray(Denoiser[]::new);
    return new Switching(bound, byEvaluation);
  }

  /** Asks one denoiser after the other. */
  private static final class Switching implements Denoiser {
    private final List<Denoiser> all;
    private final Denoiser[] byEvaluation;
    private int evaluation;

    Switching(List<Denoiser> all, Denoiser... byEvaluation) {
      this.all = all;
      this.byEvaluation = byEvaluation;
    }

    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      byEvaluation[Math.min(evaluation++, byEvaluation.length - 1)].predict(latents, timestep, dst);
    }

    @Override
    public void close() {
      all.forEach(Denoiser::close);
    }
  }
}
