package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.noise.TorchNoise;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Laws that hold for every solver. */
class SchedulerContractTest {

  private static final long SEED = 7;
  private static final int BATCH = 2;
  private static final int ELEMENTS = 36;
  private static final SampleShape SHAPE = new SampleShape(BATCH, ELEMENTS);

  private interface Law {
    void check(Scheduler scheduler) throws Exception;
  }

  /** Every class by its own defaults, and every short name for Stable Diffusion. */
  private static Stream<DynamicTest> forAll(Law law) {
    Map<String, Scheduler> all = new LinkedHashMap<>(Schedulers.all());
    Schedulers.names().forEach(name -> all.put(name, Schedulers.named(name)));
    return all.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      try {
                        law.check(entry.getValue());
                      } catch (AssertionError | RuntimeException e) {
                        throw new AssertionError(entry.getKey() + ": " + e, e);
                      }
                    }));
  }

  private static boolean isInverse(Scheduler scheduler) {
    return scheduler instanceof DdimInverseScheduler
        || scheduler instanceof DpmSolverMultistepInverseScheduler;
  }

  private static boolean startsByRungeKutta(Scheduler scheduler) {
    return scheduler instanceof PndmScheduler pndm && !pndm.skipPrkSteps();
  }

  /** The solver free to take any number of steps. */
  private static Scheduler free(Scheduler scheduler) {
    return scheduler.with(Collections.singletonMap("intermediate_timesteps", null));
  }

  private static float[] cleanSample() {
    Random random = new Random(SEED);
    float[] clean = new float[SHAPE.total()];
    for (int i = 0; i < clean.length; i++) {
      clean[i] = random.nextFloat() * 1.8f - 0.9f;
    }
    return clean;
  }

  private static float[] firstSample(SchedulerRun run, NoiseSource noise) {
    float[] x = new float[SHAPE.total()];
    noise.fill(x);
    for (int i = 0; i < x.length; i++) {
      x[i] *= (float) run.initNoiseSigma();
    }
    return x;
  }

  private static void step(GridRun run, ExactModel model, float[] x) {
    float[] input = new float[x.length];
    float[] output = new float[x.length];
    run.scaleInput(x, input);
    model.answer(run, input, output);
    run.step(output, x);
  }

  private static float[] loop(Scheduler scheduler, int steps) {
    NoiseSource noise = new TorchNoise(SEED);
    GridRun run = (GridRun) scheduler.start(StepPlan.steps(steps), SHAPE, noise);
    float[] x = firstSample(run, noise);
    ExactModel model = new ExactModel(scheduler, cleanSample());
    while (run.index() < run.evaluations()) {
      step(run, model, x);
    }
    return x;
  }

  @Test
  void everyClassHasGoldens() throws IOException {
    Set<String> missing = new HashSet<>(Schedulers.all().keySet());
    Goldens.of("schedulers")
        .json("cases.json")
        .forEach(entry -> missing.remove(entry.path("class").asText()));
    if (System.getProperty("goldens", "").isEmpty()) {
      assertEquals(Set.of(), missing);
    }
  }

  @TestFactory
  Stream<DynamicTest> perfectDenoiserGivesTheData() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          NoiseSource noise = new TorchNoise(SEED);
          GridRun run = (GridRun) scheduler.start(StepPlan.steps(40), SHAPE, noise);
          float[] clean = cleanSample();
          float[] x = firstSample(run, noise);
          if (isInverse(scheduler)) {
            x = clean.clone();
          }
          ExactModel model = new ExactModel(scheduler, clean);
          while (run.index() < run.evaluations()) {
            step(run, model, x);
          }
          if (isInverse(scheduler)) {
            return; // the way to noise; its goldens say how far
          }
          float[] denoised = new float[x.length];
          run.denoised(denoised);
          assertArrayEquals(clean, denoised, 2e-3f, "estimate");
          // Some schedules end at the least noise of training rather than clean.
          assertArrayEquals(clean, x, 0.2f, "sample");
        });
  }

  @TestFactory
  Stream<DynamicTest> sameSeedGivesTheSameBits() {
    return forAll(
        scheduler -> assertArrayEquals(loop(free(scheduler), 6), loop(free(scheduler), 6)));
  }

  @TestFactory
  Stream<DynamicTest> interleavedRunsEqualTheRunsApart() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          float[] six = loop(scheduler, 6);
          float[] nine = loop(scheduler, 9);
          NoiseSource noise = new TorchNoise(SEED);
          NoiseSource otherNoise = new TorchNoise(SEED);
          GridRun run = (GridRun) scheduler.start(StepPlan.steps(6), SHAPE, noise);
          GridRun other = (GridRun) scheduler.start(StepPlan.steps(9), SHAPE, otherNoise);
          float[] x = firstSample(run, noise);
          float[] y = firstSample(other, otherNoise);
          ExactModel model = new ExactModel(scheduler, cleanSample());
          while (other.index() < other.evaluations()) {
            if (run.index() < run.evaluations()) {
              step(run, model, x);
            }
            step(other, model, y);
          }
          assertArrayEquals(six, x, "six steps");
          assertArrayEquals(nine, y, "nine steps");
        });
  }

  @TestFactory
  Stream<DynamicTest> evaluationsAreCounted() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          NoiseSource noise = new TorchNoise(SEED);
          GridRun run = (GridRun) scheduler.start(StepPlan.steps(5), SHAPE, noise);
          ExactModel model = new ExactModel(scheduler, cleanSample());
          float[] x = firstSample(run, noise);
          assertThrows(IllegalStateException.class, () -> run.denoised(new float[x.length]));
          for (int i = 0; i < run.evaluations(); i++) {
            assertEquals(i, run.index());
            assertTrue(Double.isFinite(run.timestep()));
            step(run, model, x);
          }
          assertEquals(run.evaluations(), run.index());
          assertThrows(IllegalStateException.class, run::timestep);
          assertThrows(IllegalStateException.class, () -> run.step(new float[x.length], x));
          float[] clean = cleanSample();
          run.addNoise(clean, x, x);
          assertArrayEquals(clean, x, "after the last step nothing is noised");
        });
  }

  @TestFactory
  Stream<DynamicTest> fewStepsWork() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          boolean needsTwo = scheduler instanceof UnClipScheduler || startsByRungeKutta(scheduler);
          for (int steps = needsTwo ? 2 : 1; steps <= 20; steps++) {
            for (float value : loop(scheduler, steps)) {
              assertTrue(Float.isFinite(value), steps + " steps end at " + value);
            }
          }
          assertThrows(IllegalArgumentException.class, () -> StepPlan.steps(0));
        });
  }

  @TestFactory
  Stream<DynamicTest> startsAnywhereFromAnImage() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          if (isInverse(scheduler) || startsByRungeKutta(scheduler)) {
            return; // neither has a place for it, in the reference as here
          }
          for (double strength : new double[] {0, 0.3, 0.5, 0.75, 1}) {
            NoiseSource noise = new TorchNoise(SEED);
            StepPlan plan = StepPlan.steps(40).withStrength(strength);
            GridRun run = (GridRun) scheduler.start(plan, SHAPE, noise);
            float[] clean = cleanSample();
            float[] x = new float[clean.length];
            noise.fill(x);
            run.addNoise(clean, x, x);
            ExactModel model = new ExactModel(scheduler, clean);
            while (run.index() < run.evaluations()) {
              step(run, model, x);
            }
            assertArrayEquals(clean, x, 0.2f, "strength " + strength);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> wrongLengthsAreErrors() {
    return forAll(
        recipe -> {
          SchedulerRun run = free(recipe).start(StepPlan.steps(4), SHAPE, new TorchNoise(SEED));
          float[] right = new float[SHAPE.total()];
          float[] wrong = new float[SHAPE.total() - 1];
          assertThrows(IllegalArgumentException.class, () -> run.step(wrong, right));
          assertThrows(IllegalArgumentException.class, () -> run.step(right, wrong));
          assertThrows(IllegalArgumentException.class, () -> run.scaleInput(wrong, right));
          assertThrows(IllegalArgumentException.class, () -> run.scaleInput(right, wrong));
          assertThrows(IllegalArgumentException.class, () -> run.addNoise(right, wrong, right));
          assertThrows(IllegalArgumentException.class, () -> run.denoised(wrong));
          assertEquals(0, run.index(), "a refused step does not count");
        });
  }

  @TestFactory
  Stream<DynamicTest> stepsAllocateNothing() {
    return forAll(
        recipe -> {
          Scheduler scheduler = free(recipe);
          assertEquals(0, leastAllocated(scheduler, SHAPE.total()), "bytes");
          Scheduler noisy = scheduler.with(Map.of("eta", 1.0, "s_churn", 10.0));
          assertEquals(0, leastAllocated(noisy, SHAPE.total()), "bytes with noise");
        });
  }

  private static Scheduler ofLearnedVariance() {
    DdpmScheduler given = (DdpmScheduler) Schedulers.all().get("DDPMScheduler");
    return new DdpmScheduler(
        given.betas(),
        given.spacing(),
        given.prediction(),
        given.clamp(),
        VarianceType.LEARNED_RANGE);
  }

  @Test
  void stepsOfLearnedVarianceAllocateNothing() {
    assertEquals(0, leastAllocated(ofLearnedVariance(), 2 * SHAPE.total()), "bytes");
  }

  @Test
  void missingVarianceIsAnErrorAtEveryStep() {
    SchedulerRun run = ofLearnedVariance().start(StepPlan.steps(4), SHAPE, new TorchNoise(SEED));
    float[] x = new float[SHAPE.total()];
    float[] bare = new float[SHAPE.total()];
    assertThrows(IllegalArgumentException.class, () -> run.step(bare, x));
    run.step(new float[2 * SHAPE.total()], x);
    assertThrows(IllegalArgumentException.class, () -> run.step(bare, x));
  }

  /** Bytes of all steps of a run; of several runs, as what is loaded or compiled may count once. */
  private static long leastAllocated(Scheduler scheduler, int outputs) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    float[] x = new float[SHAPE.total()];
    float[] input = new float[x.length];
    float[] output = new float[outputs];
    // This one makes its Brownian path of the first noise that is drawn after the start.
    int first = scheduler instanceof DpmSolverSdeScheduler ? 1 : 0;
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 4 && least > 0; attempt++) {
      SchedulerRun run = scheduler.start(StepPlan.steps(30), SHAPE, dst -> dst[0] = 1);
      long before = threads.getCurrentThreadAllocatedBytes();
      while (run.index() < run.evaluations()) {
        if (run.index() == first) {
          before = threads.getCurrentThreadAllocatedBytes();
        }
        run.timestep();
        run.scaleInput(x, input);
        run.step(output, x);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
