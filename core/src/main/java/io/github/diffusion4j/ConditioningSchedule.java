package io.github.diffusion4j;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * What steers a denoiser at each of its evaluations, where prompts change over the steps.
 *
 * @param conditionings different ones, all for the same images
 * @param evaluations for each evaluation the index of its conditioning, or {@link #SKIPPED}; the
 *     last one holds on
 */
public record ConditioningSchedule(List<Conditioning> conditionings, List<Integer> evaluations) {

  /** In place of an index: the denoiser is not asked, and its output is left as it was. */
  public static final int SKIPPED = -1;

  /** Checks that the conditionings can take each other's place. */
  public ConditioningSchedule {
    conditionings = List.copyOf(conditionings);
    evaluations = List.copyOf(evaluations);
    if (conditionings.isEmpty() || evaluations.isEmpty()) {
      throw new IllegalArgumentException("a schedule must have a conditioning and an evaluation");
    }
    Conditioning first = conditionings.get(0);
    for (Conditioning other : conditionings) {
      if (other.batch() != first.batch()) {
        throw new IllegalArgumentException(
            "all conditionings must be for %d images, got one for %d"
                .formatted(first.batch(), other.batch()));
      }
    }
    for (int index : evaluations) {
      if (index < SKIPPED || index >= conditionings.size()) {
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
   * The same with fewer branches at some evaluations.
   *
   * @param branches for each evaluation how many of the last branches are asked for; may be 0
   * @return a schedule of as many evaluations
   */
  public ConditioningSchedule withBranches(List<Integer> branches) {
    Map<List<Integer>, Integer> places = new HashMap<>(); // of an index and a number of branches
    List<Conditioning> different = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    for (int evaluation = 0; evaluation < branches.size(); evaluation++) {
      int index = evaluations.get(Math.min(evaluation, evaluations.size() - 1));
      int count = branches.get(evaluation);
      if (count == 0 || index == SKIPPED) {
        order.add(SKIPPED);
        continue;
      }
      List<Integer> key = List.of(index, count);
      if (!places.containsKey(key)) {
        places.put(key, different.size());
        different.add(lastBranches(conditionings.get(index), count));
      }
      order.add(places.get(key));
    }
    return different.isEmpty()
        ? new ConditioningSchedule(conditionings, List.of(SKIPPED))
        : new ConditioningSchedule(different, order);
  }

  private static Conditioning lastBranches(Conditioning all, int count) {
    int first = all.branches() - count;
    return first == 0 ? all : all.withBranches(IntStream.range(first, all.branches()).toArray());
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
    if (evaluations.stream().allMatch(index -> index == 0)) {
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
    Denoiser[] byEvaluation =
        evaluations.stream()
            .map(index -> index == SKIPPED ? new Idle() : bound.get(index))
            .toArray(Denoiser[]::new);
    return new Switching(bound, byEvaluation);
  }

  /** Is asked and does nothing. */
  private record Idle() implements Denoiser {
    @Override
    public void predict(float[] latents, double timestep, float[] dst) {}

    @Override
    public void close() {}
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
