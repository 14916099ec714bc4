package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.NoiseSource;

/**
 * What all runs share: the place in the schedule, checks, scratch arrays. A solver adds how its
 * samples are scaled and noised and how it takes one step.
 */
abstract class GridRun implements SchedulerRun {

  /** The loop's length and place for a plan. */
  private record Window(int first, int place, int count) {}

  private final Grid grid;
  private final SampleShape shape;
  private final NoiseSource noise;
  private final SampleClamp clamp;
  private final Combination combination;
  private final int first;
  private final int shift;
  private final int evaluations;
  private final float[] thresholdScratch;
  private float[] drawn = new float[0];
  private float[] variance = new float[0];
  private boolean varianceGiven;
  private float[] denoised;
  private int index;

  GridRun(Grid grid, int trainSteps, SampleClamp clamp, RunInput input) {
    this.grid = grid;
    this.shape = input.shape();
    this.noise = input.noise();
    this.clamp = clamp;
    combination = new Combination(shape.total());
    denoised = new float[shape.total()];
    thresholdScratch = new float[clamp.thresholds() ? shape.elements() : 0];
    Window window = window(grid, trainSteps, input.plan().options());
    first = window.first;
    shift = window.place - window.first;
    evaluations = window.count;
  }

  @Override
  public final int evaluations() {
    return evaluations;
  }

  @Override
  public final int index() {
    return index;
  }

  @Override
  public final double timestep() {
    requireOpen();
    return grid.timesteps()[first + index];
  }

  @Override
  public final double[] timesteps() {
    return grid.timesteps().clone();
  }

  @Override
  public final double[] sigmas() {
    return grid.sigmas().clone();
  }

  @Override
  public double initNoiseSigma() {
    return 1;
  }

  @Override
  public final void scaleInput(float[] x, float[] dst) {
    requireOpen();
    Check.length("x", x, shape.total());
    Check.length("dst", dst, shape.total());
    float scale = (float) inputScale();
    if (scale == 1f) {
      if (x != dst) {
        System.arraycopy(x, 0, dst, 0, dst.length);
      }
      return;
    }
    for (int i = 0; i < dst.length; i++) {
      dst[i] = scale * x[i];
    }
  }

  @Override
  public final void step(float[] modelOutput, float[] x) {
    requireOpen();
    Check.length("x", x, shape.total());
    varianceGiven = modelOutput.length == 2 * shape.total() && takesVariance();
    if (varianceGiven) {
      splitVariance(modelOutput);
    } else {
      Check.length("modelOutput", modelOutput, shape.total());
    }
    advance(modelOutput, x);
    index++;
  }

  @Override
  public final void addNoise(float[] clean, float[] noise, float[] dst) {
    Check.length("clean", clean, shape.total());
    Check.length("noise", noise, shape.total());
    Check.length("dst", dst, shape.total());
    if (index == evaluations) {
      System.arraycopy(clean, 0, dst, 0, dst.length);
      return;
    }
    float signal = (float) signal();
    float level = (float) noiseLevel();
    for (int i = 0; i < dst.length; i++) {
      dst[i] = signal * clean[i] + level * noise[i];
    }
  }

  @Override
  public final void denoised(float[] dst) {
    Check.length("dst", dst, shape.total());
    if (index == 0) {
      throw new IllegalStateException("no step has been taken, so nothing is denoised yet");
    }
    System.arraycopy(denoised, 0, dst, 0, dst.length);
  }

  /** Takes the step at {@link #place()}. */
  abstract void advance(float[] m, float[] x);

  /** Share of the clean sample in a sample at the next evaluation. */
  abstract double signal();

  /** Standard deviation of the noise in a sample at the next evaluation. */
  abstract double noiseLevel();

  /** What the sample is multiplied with for the model. */
  double inputScale() {
    return 1;
  }

  /** Whether the model may answer with a variance beside the prediction. */
  boolean takesVariance() {
    return false;
  }

  /** Evaluations of the whole schedule. */
  public final int steps() {
    return grid.timesteps().length;
  }

  /** Whether the last step ends at a clean sample. */
  public final boolean endsClean() {
    return grid.endsClean();
  }

  final Grid grid() {
    return grid;
  }

  final SampleShape shape() {
    return shape;
  }

  final SampleClamp clamp() {
    return clamp;
  }

  /** The solver's place in the lists of the grid. */
  final int place() {
    return first + index + shift;
  }

  final double sigma(int place) {
    return grid.sigmas()[place];
  }

  final double timestepAt(int place) {
    return grid.timesteps()[place];
  }

  /** A cleared sum over this run's samples. */
  final Combination sum() {
    return combination.reset();
  }

  /** A new array of a sample's size, to be made once for each run. */
  final float[] newSample() {
    return new float[shape.total()];
  }

  /** The array that holds the last estimate of the clean sample. */
  final float[] denoised() {
    return denoised;
  }

  /** Makes another array the one that holds the estimate. */
  final void denoisedIs(float[] array) {
    denoised = array;
  }

  /** Whether a variance came with the model's output. */
  final boolean varianceGiven() {
    return varianceGiven;
  }

  /** The variance that came with the model's output, in a run that said it reads it. */
  final float[] variance() {
    return variance;
  }

  /** To be said by the constructor of a run that draws, which makes room so that no step need. */
  final void drawsNoise() {
    drawn = newSample();
  }

  /** To be said by the constructor of a run that reads the model's variance. */
  final void readsVariance() {
    variance = newSample();
  }

  /** Draws one sample of noise into a reused array, in a run that said it draws. */
  final float[] draw() {
    noise.fill(drawn);
    return drawn;
  }

  final NoiseSource noise() {
    return noise;
  }

  /** Estimates the clean sample into {@link #denoised()} and clamps it. */
  final void estimate(LinearForm data, float[] m, float[] x) {
    combination.apply(data, x, m, denoised);
    clamp.apply(denoised, shape, thresholdScratch);
  }

  /** Estimates the clean sample, then x ← a·x + b·estimate + c·m + the terms of {@code others}. */
  final void step(Update update, Combination others, float[] m, float[] x) {
    if (clamp.isActive()) {
      estimate(update.data(), m, x);
      others
          .plus(update.ofSample(), x)
          .plus(update.ofEstimate(), denoised)
          .plus(update.ofOutput(), m)
          .into(x);
    } else {
      others.step(x, m, denoised, update);
    }
  }

  private void splitVariance(float[] output) {
    int size = shape.elements();
    for (int image = 0; image < shape.batch(); image++) {
      if (variance.length != 0) {
        System.arraycopy(output, (2 * image + 1) * size, variance, image * size, size);
      }
      System.arraycopy(output, 2 * image * size, output, image * size, size);
    }
  }

  private void requireOpen() {
    if (index >= evaluations) {
      throw new IllegalStateException(
          "all %d evaluations of this generation are done".formatted(evaluations));
    }
  }

  private static Window window(Grid grid, int trainSteps, StepPlan.Options options) {
    int end = grid.evaluations();
    if (options.denoisingEnd().isPresent()) {
      double cutoff = Math.rint(trainSteps - options.denoisingEnd().getAsDouble() * trainSteps);
      int kept = 0;
      for (int i = 0; i < end; i++) {
        kept += grid.timesteps()[i] >= cutoff ? 1 : 0;
      }
      end = kept;
    }
    if (options.start() instanceof StepPlan.Start.Noise start) {
      return new Window(0, start.placed() ? 0 : place(grid, 0, end), end);
    }
    if (options.start() instanceof StepPlan.Start.At start) {
      Check.atMost("first", start.first(), end, "the number of timesteps");
      return new Window(start.first(), place(grid, start.first(), end), end - start.first());
    }
    int first =
        options.start() instanceof StepPlan.Start.Strength start
            ? grid.firstOf(start.strength())
            : firstOfShare(grid, trainSteps, ((StepPlan.Start.Share) options.start()).share());
    first = Math.min(first, end);
    return new Window(first, first, end - first);
  }

  /**
   * Where the scheduler finds itself by the timestep, if the schedule is long enough from there.
   */
  private static int place(Grid grid, int first, int end) {
    if (first >= end) {
      return first;
    }
    int place = grid.placeOf(grid.timesteps()[first]);
    return place + (end - first) <= grid.evaluations() ? place : first;
  }

  private static int firstOfShare(Grid grid, int trainSteps, double share) {
    double cutoff = Math.rint(trainSteps - share * trainSteps);
    int count = 0;
    for (int i = 0; i < grid.evaluations(); i++) {
      count += grid.timesteps()[i] < cutoff ? 1 : 0;
    }
    if (grid.order() == 2 && count % 2 == 0) {
      count++;
    }
    return Math.max(grid.evaluations() - count, 0);
  }
}
