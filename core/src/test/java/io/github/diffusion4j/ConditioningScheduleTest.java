package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditioningScheduleTest {

  private static final LatentShape SHAPE = new LatentShape(1, 4, 8, 8);

  private final List<Float> asked = new ArrayList<>();
  private final List<Float> bound = new ArrayList<>();
  private final List<Float> closed = new ArrayList<>();

  private static Conditioning of(float value) {
    return new Conditioning(
        1, 1, List.of(new Conditioning.Input("prompt", new float[] {value}, List.of(1))));
  }

  private Denoiser bind(Conditioning conditioning) {
    float value = conditioning.input("prompt").values()[0];
    if (value < 0) {
      throw new IllegalStateException("cannot be bound");
    }
    bound.add(value);
    return new Denoiser() {
      @Override
      public void predict(float[] latents, double timestep, float[] dst) {
        asked.add(value);
      }

      @Override
      public void close() {
        closed.add(value);
      }
    };
  }

  private Denoiser bind(ConditioningSchedule schedule) {
    return schedule.bind(
        (conditioning, shape, batching, cancel) -> bind(conditioning),
        SHAPE,
        BranchBatching.TOGETHER,
        new CancelToken());
  }

  @Test
  void everyConditioningIsBoundOnceAndAskedInItsTurn() {
    try (Denoiser denoiser =
        bind(new ConditioningSchedule(List.of(of(1), of(2)), List.of(0, 1, 0, 1)))) {
      for (int i = 0; i < 6; i++) {
        denoiser.predict(new float[0], 0, new float[0]);
      }
    }
    assertEquals(List.of(1f, 2f), bound);
    assertEquals(List.of(1f, 2f, 1f, 2f, 2f, 2f), asked);
    assertEquals(List.of(1f, 2f), closed);
  }

  @Test
  void whatIsBoundIsClosedWhenAnotherCannotBe() {
    ConditioningSchedule schedule = new ConditioningSchedule(List.of(of(1), of(-1)), List.of(0, 1));
    assertThrows(IllegalStateException.class, () -> bind(schedule));
    assertEquals(List.of(1f), closed);
  }

  @Test
  void aChangeIsAppliedOnceToEach() {
    ConditioningSchedule schedule =
        new ConditioningSchedule(List.of(of(1), of(2)), List.of(0, 1, 0));
    bind(schedule.map(each -> of(each.input("prompt").values()[0] * 10))).close();
    assertEquals(List.of(10f, 20f), bound);
  }

  private static Conditioning branches(float... values) {
    return new Conditioning(
        values.length, 1, List.of(new Conditioning.Input("prompt", values, List.of(1))));
  }

  @Test
  void fewerBranchesAreBoundOnceAndSkippedOnesNotAtAll() {
    ConditioningSchedule all =
        new ConditioningSchedule(
            List.of(branches(10, 20, 30), branches(40, 50, 60)), List.of(0, 0, 1));
    ConditioningSchedule fewer = all.withBranches(List.of(0, 1, 3, 1, 2, 0));
    try (Denoiser denoiser = bind(fewer)) {
      for (int i = 0; i < 6; i++) {
        denoiser.predict(new float[0], 0, new float[0]);
      }
    }
    assertEquals(List.of(30f, 40f, 60f, 50f), bound);
    assertEquals(List.of(30f, 40f, 60f, 50f), asked);
    assertEquals(List.of(30f, 40f, 60f, 50f), closed);
  }

  @Test
  void aGenerationOfSkippedEvaluationsAsksNothing() {
    try (Denoiser denoiser = bind(ConditioningSchedule.always(of(1)).withBranches(List.of(0, 0)))) {
      denoiser.predict(new float[0], 0, new float[0]);
    }
    assertEquals(List.of(), asked);
    assertEquals(bound, closed);
  }

  @Test
  void conditioningsMustBeAlikeAndNamed() {
    Conditioning two =
        new Conditioning(1, 2, List.of(new Conditioning.Input("prompt", new float[2], List.of(1))));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ConditioningSchedule(List.of(of(1), two), List.of(0, 1)));
    assertThrows(
        IllegalArgumentException.class, () -> new ConditioningSchedule(List.of(of(1)), List.of(1)));
    assertThrows(
        IllegalArgumentException.class, () -> new ConditioningSchedule(List.of(), List.of()));
  }
}
