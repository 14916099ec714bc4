package io.github.diffusion4j.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ConditioningSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.GuidanceInterval;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceSchedule;
import io.github.diffusion4j.GuidanceTiming;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** No step of the loop allocates anything outside the network, whatever solver and guidance. */
class DenoiseLoopAllocationTest {

  private static final LatentShape SHAPE = new LatentShape(2, 4, 8, 6);
  private static final int STEPS = 20;
  private static final int ATTEMPTS = 4; // what is loaded or compiled may count in the first ones

  private static final GuidanceTiming PART =
      new GuidanceTiming(new GuidanceInterval(0.2, 0.8), GuidanceSchedule.of("cosine"));

  private static Map<String, Guidance> guidances() {
    Map<String, Guidance> all = new LinkedHashMap<>();
    all.put("none", new Guidance.None());
    all.put("text and image", new Guidance.TextAndImage(7, 1.5, PART));
    all.put(
        "composed",
        new Guidance.Composed(
            7, List.of(List.of(1.0, 0.5), List.of(0.5, 1.0)), GuidanceSchedule.of("linear")));
    for (String method :
        List.of(
            "standard",
            "apg:momentum=-0.5",
            "cfg-zero:zero_init_steps=4",
            "tangential",
            "dynamic-threshold:percentile=0.95")) {
      GuidanceMethod value = GuidanceMethod.of(method);
      all.put(method, new Guidance.ClassifierFree(7, 0, value, GuidanceTiming.CONSTANT));
      all.put(method + " in part", new Guidance.ClassifierFree(7, 0.5, value, PART));
    }
    return all;
  }

  @TestFactory
  Stream<DynamicTest> everySolver() {
    Map<String, Scheduler> all = new LinkedHashMap<>(Schedulers.all());
    Schedulers.names().forEach(name -> all.put(name, Schedulers.named(name)));
    Guidance guidance = guidances().get("apg:momentum=-0.5 in part");
    return all.entrySet().stream().map(each -> test(each.getKey(), each.getValue(), guidance));
  }

  @TestFactory
  Stream<DynamicTest> everyGuidance() {
    return guidances().entrySet().stream()
        .map(each -> test(each.getKey(), Schedulers.named("euler-a"), each.getValue()));
  }

  private static DynamicTest test(String name, Scheduler scheduler, Guidance guidance) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          long least = Long.MAX_VALUE;
          for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
            least = Math.min(least, allocated(scheduler, guidance));
          }
          assertEquals(0, least, "bytes");
        });
  }

  /** Bytes from the end of the first step to that of the last one. */
  private static long allocated(Scheduler scheduler, Guidance guidance) {
    SchedulerRun run =
        scheduler
            .with(Collections.singletonMap("intermediate_timesteps", null)) // any number of steps
            .start(StepPlan.steps(STEPS), SHAPE.sample(), dst -> dst[0] = 1);
    Meter meter = new Meter();
    try (Denoiser denoiser = bind(guidance, run.evaluations())) {
      new DenoiseLoop(denoiser, guidance, DenoiseLoop.Blend.NONE, new CancelToken(), meter)
          .run(run, new float[SHAPE.total()], SHAPE);
    }
    return meter.last - meter.first;
  }

  /** A denoiser that is no network, switched like one. */
  private static Denoiser bind(Guidance guidance, int evaluations) {
    Conditioning all = new Conditioning(guidance.branches(), SHAPE.batch(), List.of());
    return ConditioningSchedule.always(all)
        .withBranches(guidance.branches(evaluations))
        .bind(
            (conditioning, shape, batching, cancel) ->
                new Repeating(conditioning.branches() * shape.total()),
            SHAPE,
            BranchBatching.TOGETHER,
            new CancelToken());
  }

  /** Answers with the latents, a little smaller in each row. */
  private record Repeating(int length) implements Denoiser {
    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      for (int i = 0; i < length; i++) {
        dst[i] = latents[i % latents.length] * 0.9f + i * 1e-5f;
      }
    }

    @Override
    public void close() {}
  }

  private static final class Meter implements StepListener {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long first;
    private long last;

    @Override
    public void onStep(StepEvent event) {
      last = threads.getCurrentThreadAllocatedBytes();
      if (event.evaluation() == 1) {
        first = last;
      }
    }
  }
}
