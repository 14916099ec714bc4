package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ConcurrencyLimit;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ImagePromptEncoder;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.onnx.NativeCount;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Threads, cancelling, interrupting and closing: no crash, no leak, usable afterwards. */
class PipelineLifecycleTest {

  private static final GenerationRequest REQUEST =
      GenerationRequest.prompt("a small cat").steps(4).size(64, 64).seed(3).build();

  private StableDiffusionPipeline pipeline;
  private int openBefore;

  @BeforeEach
  void load() throws IOException {
    openBefore = NativeCount.open();
    pipeline =
        StableDiffusionPipeline.load(
            ModelCopy.original(), RuntimeOptions.builder().intraOpThreads(1).build());
  }

  @AfterEach
  void nothingStaysOpen() {
    pipeline.close();
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  @Test
  void generationLeavesOnlyTheModelOpen() {
    int loaded = NativeCount.open();
    pipeline.generate(REQUEST);
    assertEquals(loaded, NativeCount.open());
    assertTrue(loaded > openBefore);
  }

  @Test
  void fourThreadsPaintTheSameBits() throws Exception {
    Recording alone = record();
    List<Callable<Recording>> tasks = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      tasks.add(this::record);
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      for (Future<Recording> painted : threads.invokeAll(tasks)) {
        assertSameBits(alone, painted.get());
      }
    } finally {
      threads.shutdown();
      assertTrue(threads.awaitTermination(1, TimeUnit.MINUTES));
    }
  }

  private Recording record() {
    Recording recording = new Recording();
    pipeline.generate(REQUEST, recording);
    return recording;
  }

  private static void assertSameBits(Recording expected, Recording actual) {
    assertArrayEquals(expected.initial, actual.initial, 0f);
    assertEquals(expected.steps.size(), actual.steps.size());
    for (int i = 0; i < expected.steps.size(); i++) {
      assertArrayEquals(expected.steps.get(i), actual.steps.get(i), 0f);
    }
    assertArrayEquals(expected.image, actual.image, 0f);
  }

  @Test
  void cancellingAtFiveHundredRandomMoments() throws Exception {
    Recording whole = record();
    long seed = 20261122;
    Random random = new Random(seed);
    int loaded = NativeCount.open();
    long start = System.nanoTime();
    record();
    long nanos = System.nanoTime() - start;
    int cancelled = 0;
    ExecutorService canceller = Executors.newSingleThreadExecutor();
    try {
      for (int i = 0; i < 500; i++) {
        CancelToken token = new CancelToken();
        long delay = (long) (random.nextDouble() * 1.2 * nanos);
        Future<?> cancelling =
            canceller.submit(
                () -> {
                  LockSupport.parkNanos(delay);
                  token.cancel();
                });
        try {
          pipeline.generate(REQUEST, StepListener.NONE, token);
        } catch (GenerationCancelledException e) {
          cancelled++;
        }
        cancelling.get();
        assertEquals(loaded, NativeCount.open(), "leak in round " + i + " of seed " + seed);
      }
    } finally {
      canceller.shutdown();
    }
    assertTrue(cancelled > 50, "only " + cancelled + " of 500 were cancelled before their end");
    assertSameBits(whole, record());
  }

  @Test
  void tokenCancelledBeforehandPaintsNothing() {
    CancelToken token = new CancelToken();
    token.cancel();
    assertThrows(
        GenerationCancelledException.class,
        () -> pipeline.generate(REQUEST, StepListener.NONE, token));
  }

  @Test
  void interruptingTheThreadCancelsAndKeepsTheFlag() {
    assertThrows(
        GenerationCancelledException.class,
        () -> pipeline.generate(REQUEST, event -> Thread.currentThread().interrupt()));
    assertTrue(Thread.interrupted(), "the interrupt flag is kept");
    pipeline.generate(REQUEST);
  }

  @Test
  void whatAListenerThrowsReachesTheCallerUnchanged() {
    IllegalStateException own = new IllegalStateException("stop here");
    assertSame(
        own,
        assertThrows(
            IllegalStateException.class,
            () ->
                pipeline.generate(
                    REQUEST,
                    event -> {
                      throw own;
                    })));
    pipeline.generate(REQUEST);
  }

  @Test
  void closingDuringAGenerationWaitsForItsEnd() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    AtomicBoolean ended = new AtomicBoolean();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<GenerationResult> painting =
          thread.submit(
              () -> {
                GenerationResult result = pipeline.generate(REQUEST, event -> started.countDown());
                ended.set(true);
                return result;
              });
      started.await();
      pipeline.close();
      assertEquals(1, painting.get().images().size());
      assertTrue(ended.get());
    } finally {
      thread.shutdown();
    }
    assertThrows(IllegalStateException.class, () -> pipeline.generate(REQUEST));
    pipeline.close();
  }

  @Test
  void closingFromItsOwnListenerIsRefused() {
    assertThrows(
        IllegalStateException.class, () -> pipeline.generate(REQUEST, event -> pipeline.close()));
    assertFalse(pipeline.generate(REQUEST).images().isEmpty());
  }

  @Test
  void branchesOneByOneGiveTheSamePicture() {
    Recording together = record();
    Recording apart = new Recording();
    pipeline.generate(REQUEST.toBuilder().batching(BranchBatching.ONE_BY_ONE).build(), apart);
    float[] a = together.steps.get(together.steps.size() - 1);
    float[] b = apart.steps.get(apart.steps.size() - 1);
    assertArrayEquals(a, b, 1e-4f);
  }

  @Test
  void pictureOfAListOfSeedsEqualsThePictureOfItsSeed() {
    GenerationResult several =
        pipeline.generate(REQUEST.toBuilder().imagesPerPrompt(3).seed(7, 8, 9).build());
    for (int i = 0; i < 3; i++) {
      GenerationResult single = pipeline.generate(REQUEST.toBuilder().seed(7 + i).build());
      PictureDifference difference = PictureDifference.of(single.image(), several.images().get(i));
      assertTrue(difference.largest() <= 1, difference.toString());
    }
  }

  @Test
  void aFailureAfterAGenerationLeavesThePipelineClosable() {
    Stages stages = pipeline.stages();
    Runnable failing =
        () -> {
          throw new IllegalStateException("afterwards");
        };
    Equipment equipment = new Equipment("a test", SafetyCheck.NONE, Equipment.Budget.NONE, failing);
    var other = StableDiffusionPipeline.of(stages, equipment, ConcurrencyLimit.NONE);
    IllegalStateException thrown =
        assertThrows(IllegalStateException.class, () -> other.generate(REQUEST));
    assertEquals("afterwards", thrown.getMessage());
    other.close();
  }

  @Test
  void encodingAnImagePromptIsNoTimeOfTheLoop() {
    Duration slow = Duration.ofMillis(200);
    Stages stages = pipeline.stages();
    var other =
        StableDiffusionPipeline.of(
            new Stages(
                stages.encoder(),
                new SlowImagePrompts(stages.denoiser(), slow),
                stages.codec(),
                stages.rules(),
                stages.facts(),
                () -> {}));
    Provenance.Timings timings = other.generate(REQUEST).provenance().timings();
    assertTrue(timings.encode().compareTo(slow) >= 0, timings.toString());
  }

  /** A denoiser that takes its time to read pictures. */
  private record SlowImagePrompts(DenoiserModel model, Duration time) implements DenoiserModel {

    @Override
    public Denoiser bind(
        Conditioning conditioning, LatentShape shape, BranchBatching batching, CancelToken cancel) {
      return model.bind(conditioning, shape, batching, cancel);
    }

    @Override
    public ImagePromptEncoder imagePrompts() {
      return new ImagePromptEncoder() {
        @Override
        public void check(GenerationRequest request) {}

        @Override
        public UnaryOperator<Conditioning> encode(GenerationRequest request, CancelToken cancel) {
          long end = System.nanoTime() + time.toNanos();
          for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
          }
          return UnaryOperator.identity();
        }
      };
    }
  }
}
