package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ConcurrencyLimit;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.PipelineBusyException;
import io.github.diffusion4j.RunSharing;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Generations that share runs of real networks, and limits on how many there are. */
@Timeout(120)
class SharedRunsTest {

  /** Rounding that depends on the number of rows, after a few steps; latents are up to 30. */
  private static final float ROUNDING = 1e-3f;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private int openBefore;

  @BeforeEach
  void count() {
    openBefore = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    threads.shutdown();
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  private static RuntimeOptions.Builder options() {
    return RuntimeOptions.builder().intraOpThreads(1);
  }

  /** Different prompts, seeds, numbers of steps and solvers, of one size. */
  private static List<GenerationRequest> requests() {
    return List.of(
        GenerationRequest.prompt("a small cat").size(64, 64).steps(6).seed(1).build(),
        GenerationRequest.prompt("a dog").size(64, 64).steps(4).scheduler("euler").seed(2).build(),
        GenerationRequest.prompt("").size(64, 64).steps(5).scheduler("euler-a").seed(3).build());
  }

  @Test
  void picturesAreThoseOfEachAlone() throws Exception {
    Path model = ModelCopy.original();
    List<Recording> alone = new ArrayList<>();
    try (var pipeline = StableDiffusionPipeline.load(model, options().build())) {
      assertEquals(RunSharing.EQUAL_TIMESTEPS, pipeline.stages().denoiser().sharing());
      for (GenerationRequest request : requests()) {
        alone.add(record(pipeline, request));
      }
    }
    RuntimeOptions sharing = options().batching(8, Duration.ofSeconds(5)).build();
    try (var pipeline = StableDiffusionPipeline.load(model, sharing)) {
      assertEquals(RunSharing.ANY_TIMESTEPS, pipeline.stages().denoiser().sharing());
      assertSame(alone.get(0), record(pipeline, requests().get(0)), 0);
      CyclicBarrier start = new CyclicBarrier(3);
      List<Future<Recording>> together = new ArrayList<>();
      for (GenerationRequest request : requests()) {
        together.add(
            threads.submit(
                () -> {
                  start.await();
                  return record(pipeline, request);
                }));
      }
      for (int i = 0; i < alone.size(); i++) {
        assertSame(alone.get(i), together.get(i).get(), ROUNDING);
      }
    }
  }

  private static Recording record(StableDiffusionPipeline pipeline, GenerationRequest request) {
    Recording recording = new Recording();
    pipeline.generate(request, recording);
    return recording;
  }

  private static void assertSame(Recording expected, Recording actual, float tolerance) {
    assertEquals(expected.steps.size(), actual.steps.size());
    for (int i = 0; i < expected.steps.size(); i++) {
      assertArrayEquals(expected.steps.get(i), actual.steps.get(i), tolerance);
    }
  }

  @Test
  void oneMoreThanTheLimitIsRefusedWithItsNumbers() throws IOException {
    RuntimeOptions limited = options().maxConcurrent(1, 0).build();
    try (var pipeline = StableDiffusionPipeline.load(ModelCopy.original(), limited)) {
      List<PipelineBusyException> refused = new ArrayList<>();
      pipeline.generate(
          requests().get(1),
          event -> {
            try {
              Future<?> other = threads.submit(() -> pipeline.generate(requests().get(0)));
              Exception thrown = assertThrows(Exception.class, other::get);
              refused.add((PipelineBusyException) thrown.getCause());
            } catch (ClassCastException e) {
              throw new AssertionError(e);
            }
          });
      assertEquals(4, refused.size());
      assertTrue(refused.get(0).getMessage().contains("1 generations run and 0 wait"));
      pipeline.generate(requests().get(1));
    }
  }

  @Test
  void aListenerMayGenerateInItsOwnTurn() throws IOException {
    RuntimeOptions limited = options().maxConcurrent(1, 0).build();
    try (var pipeline = StableDiffusionPipeline.load(ModelCopy.original(), limited)) {
      pipeline.generate(requests().get(1), event -> pipeline.generate(requests().get(1)));
    }
  }

  @Test
  void turnsComeInOrderAndWaitingCanBeCancelled() throws Exception {
    Admission admission = new Admission(new ConcurrencyLimit(1, 3));
    admission.enter(new CancelToken());
    List<Integer> order = new ArrayList<>();
    List<Future<?>> all = new ArrayList<>();
    CancelToken second = new CancelToken();
    for (int i = 0; i < 3; i++) {
      int number = i;
      CountDownLatch entering = new CountDownLatch(1);
      List<Thread> own = new ArrayList<>();
      all.add(
          threads.submit(
              () -> {
                own.add(Thread.currentThread());
                entering.countDown();
                admission.enter(number == 1 ? second : new CancelToken());
                order.add(number);
                admission.leave();
              }));
      entering.await();
      while (own.get(0).getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
    }
    assertThrows(PipelineBusyException.class, () -> admission.enter(new CancelToken()));
    second.cancel();
    Exception thrown = assertThrows(Exception.class, () -> all.get(1).get());
    assertEquals(GenerationCancelledException.class, thrown.getCause().getClass());
    admission.leave();
    all.get(0).get();
    all.get(2).get();
    assertEquals(List.of(0, 2), order);
  }
}
