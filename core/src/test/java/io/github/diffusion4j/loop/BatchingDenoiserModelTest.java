package io.github.diffusion4j.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.GenerationBatching;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RunSharing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows of several generations in one run: the right ones, to the right place, whatever fails. */
@Timeout(60)
class BatchingDenoiserModelTest {

  private static final Duration LONG = Duration.ofSeconds(20);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Network network = new Network();

  /**
   * Gives each row latents + 100 · timestep + 10000 · condition, and fails for rows of a condition.
   */
  private static final class Network implements DenoiserModel {
    private RunSharing sharing = RunSharing.ANY_TIMESTEPS;
    private final ConcurrentLinkedQueue<Integer> images = new ConcurrentLinkedQueue<>();
    private final AtomicInteger open = new AtomicInteger();
    private volatile float failing = Float.NaN;
    private volatile CountDownLatch entered = new CountDownLatch(0);
    private volatile CountDownLatch gate = new CountDownLatch(0);

    @Override
    public RunSharing sharing() {
      return sharing;
    }

    @Override
    public Denoiser bind(
        Conditioning conditioning, LatentShape shape, BranchBatching batching, CancelToken token) {
      open.incrementAndGet();
      float[] conditions = conditioning.input("condition").values();
      return new Denoiser() {
        @Override
        public void predict(float[] latents, double timestep, float[] dst) {
          double[] all = new double[shape.batch()];
          java.util.Arrays.fill(all, timestep);
          predict(latents, all, dst);
        }

        @Override
        public void predict(float[] latents, double[] timesteps, float[] dst) {
          images.add(shape.batch());
          entered.countDown();
          hold(token);
          for (int row = 0; row < conditions.length; row++) {
            if (conditions[row] == failing) {
              throw new IllegalStateException("row of " + failing);
            }
            int image = row % shape.batch();
            for (int i = 0; i < shape.elements(); i++) {
              dst[row * shape.elements() + i] =
                  (float)
                      (latents[image * shape.elements() + i]
                          + 100 * timesteps[image]
                          + 10000 * conditions[row]);
            }
          }
        }

        @Override
        public void close() {
          open.decrementAndGet();
        }
      };
    }

    private void hold(CancelToken token) {
      try {
        while (!gate.await(1, TimeUnit.MILLISECONDS)) {
          token.throwIfCancelled();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        token.throwIfCancelled();
      }
    }
  }

  @AfterEach
  void everythingIsClosed() throws InterruptedException {
    threads.shutdown();
    assertTrue(threads.awaitTermination(30, TimeUnit.SECONDS), "a generation never ended");
    assertEquals(0, network.open.get(), "bound denoisers left open");
  }

  private DenoiserModel batching(int rows, Duration wait) {
    return new BatchingDenoiserModel(network, new GenerationBatching(rows, wait));
  }

  private static Denoiser bind(DenoiserModel model, int number, int images, CancelToken token) {
    float[] conditions = new float[2 * images];
    java.util.Arrays.fill(conditions, images, conditions.length, number);
    java.util.Arrays.fill(conditions, 0, images, -number);
    Conditioning conditioning =
        new Conditioning(
            2, images, List.of(new Conditioning.Input("condition", conditions, List.of())));
    return model.bind(
        conditioning, new LatentShape(images, 1, 1, 2), BranchBatching.TOGETHER, token);
  }

  /** What the network gives one generation of the number. */
  private static float[] expected(int number, int images, double timestep) {
    float[] out = new float[4 * images];
    for (int i = 0; i < out.length; i++) {
      double sign = i < 2 * images ? -1 : 1;
      out[i] = (float) (i % (2 * images) + number + 100 * timestep + sign * 10000 * number);
    }
    return out;
  }

  private static float[] latents(int number, int images) {
    float[] latents = new float[2 * images];
    for (int i = 0; i < latents.length; i++) {
      latents[i] = i + number;
    }
    return latents;
  }

  private static void check(Denoiser denoiser, int number, int images, double timestep) {
    float[] out = new float[4 * images];
    denoiser.predict(latents(number, images), timestep, out);
    assertArrayEquals(expected(number, images, timestep), out, 0f);
  }

  /** A generation of some steps that binds before all and asks with all others. */
  private Future<?> generation(DenoiserModel model, int number, int images, CyclicBarrier start) {
    return threads.submit(
        () -> {
          try (Denoiser denoiser = bind(model, number, images, new CancelToken())) {
            start.await();
            for (int step = 0; step < 5; step++) {
              check(
                  denoiser,
                  number,
                  images,
                  step + (network.sharing == RunSharing.ANY_TIMESTEPS ? number : 0));
            }
          }
          return null;
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"ANY_TIMESTEPS", "EQUAL_TIMESTEPS"})
  void generationsShareRunsAndGetTheirOwnRows(RunSharing sharing) throws Exception {
    network.sharing = sharing;
    DenoiserModel model = batching(8, LONG);
    CyclicBarrier start = new CyclicBarrier(3);
    List<Future<?>> all =
        List.of(
            generation(model, 1, 1, start),
            generation(model, 2, 2, start),
            generation(model, 3, 1, start));
    for (Future<?> one : all) {
      one.get();
    }
    assertEquals(List.of(4, 4, 4, 4, 4), new ArrayList<>(network.images));
  }

  @Test
  void moreThanFitGoInTurn() throws Exception {
    DenoiserModel model = batching(4, Duration.ofMillis(5));
    CyclicBarrier start = new CyclicBarrier(5);
    List<Future<?>> all = new ArrayList<>();
    for (int number = 1; number <= 5; number++) {
      all.add(generation(model, number, 1, start));
    }
    for (Future<?> one : all) {
      one.get();
    }
    assertTrue(network.images.stream().allMatch(images -> images <= 2), network.images.toString());
    assertEquals(25, network.images.stream().mapToInt(Integer::intValue).sum());
  }

  @Test
  void timestepsThatDifferShareNoRunWhereTheNetworkTakesOne() throws Exception {
    network.sharing = RunSharing.EQUAL_TIMESTEPS;
    DenoiserModel model = batching(8, Duration.ofMillis(1));
    CyclicBarrier start = new CyclicBarrier(2);
    List<Future<?>> all = new ArrayList<>();
    for (int number = 1; number <= 2; number++) {
      int own = number;
      all.add(
          threads.submit(
              () -> {
                try (Denoiser denoiser = bind(model, own, 1, new CancelToken())) {
                  start.await();
                  for (int step = 0; step < 5; step++) {
                    check(denoiser, own, 1, 10 * own + step);
                  }
                }
                return null;
              }));
    }
    for (Future<?> one : all) {
      one.get();
    }
    assertEquals(10, network.images.size());
  }

  @Test
  void anErrorMeetsOnlyTheGenerationThatCausesIt() throws Exception {
    network.failing = 2;
    DenoiserModel model = batching(8, LONG);
    CyclicBarrier start = new CyclicBarrier(3);
    Future<?> first = generation(model, 1, 1, start);
    Future<?> second = generation(model, 2, 1, start);
    Future<?> third = generation(model, 3, 1, start);
    first.get();
    third.get();
    ExecutionException thrown = assertThrows(ExecutionException.class, second::get);
    assertEquals("row of 2.0", thrown.getCause().getMessage());
  }

  @Test
  void cancellingOneLeavesTheOthersAlone() throws Exception {
    network.gate = new CountDownLatch(1);
    network.entered = new CountDownLatch(1);
    DenoiserModel model = batching(4, LONG);
    CyclicBarrier start = new CyclicBarrier(2);
    List<CancelToken> tokens = List.of(new CancelToken(), new CancelToken());
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int number = i + 1;
      all.add(
          threads.submit(
              () -> {
                try (Denoiser denoiser = bind(model, number, 1, tokens.get(number - 1))) {
                  start.await();
                  check(denoiser, number, 1, 7);
                }
                return null;
              }));
    }
    network.entered.await();
    tokens.get(0).cancel();
    network.gate.countDown();
    ExecutionException thrown = assertThrows(ExecutionException.class, () -> all.get(0).get());
    assertInstanceOf(GenerationCancelledException.class, thrown.getCause());
    all.get(1).get();
    assertEquals(List.of(2), new ArrayList<>(network.images));
  }

  @Test
  void cancellingAllStopsTheRun() throws Exception {
    network.gate = new CountDownLatch(1); // never opened
    network.entered = new CountDownLatch(1);
    DenoiserModel model = batching(4, LONG);
    CyclicBarrier start = new CyclicBarrier(2);
    CancelToken token = new CancelToken();
    List<Future<?>> all = new ArrayList<>();
    for (int number = 1; number <= 2; number++) {
      int own = number;
      all.add(
          threads.submit(
              () -> {
                try (Denoiser denoiser = bind(model, own, 1, token)) {
                  start.await();
                  check(denoiser, own, 1, 7);
                }
                return null;
              }));
    }
    network.entered.await();
    token.cancel();
    for (Future<?> one : all) {
      ExecutionException thrown = assertThrows(ExecutionException.class, one::get);
      assertInstanceOf(GenerationCancelledException.class, thrown.getCause());
    }
  }

  @Test
  void aThreadThatIsInterruptedWhileItGathersLeaves() throws Exception {
    DenoiserModel model = batching(8, LONG);
    try (Denoiser idle = bind(model, 9, 1, new CancelToken())) {
      Thread waiting =
          new Thread(
              () -> {
                try (Denoiser denoiser = bind(model, 1, 1, new CancelToken())) {
                  assertThrows(GenerationCancelledException.class, () -> check(denoiser, 1, 1, 3));
                  assertTrue(Thread.interrupted());
                }
              });
      waiting.start();
      while (waiting.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      waiting.interrupt();
      waiting.join();
      check(idle, 9, 1, 5);
    }
  }

  @Test
  void oneThatWaitsForNobodyRunsAtOnce() {
    DenoiserModel model = batching(8, LONG);
    try (Denoiser denoiser = bind(model, 1, 2, new CancelToken())) {
      for (int step = 0; step < 100; step++) {
        check(denoiser, 1, 2, step);
      }
    }
    assertEquals(100, network.images.size());
  }

  @Test
  void networksOfFixedRowsAreNotShared() {
    network.sharing = RunSharing.NONE;
    DenoiserModel model = batching(8, LONG);
    try (Denoiser denoiser = bind(model, 1, 1, new CancelToken())) {
      assertFalse(denoiser instanceof SharingDenoiser);
      check(denoiser, 1, 1, 2);
    }
  }
}
