package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationCancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FeatureCacheTest {

  private static final CancelToken CANCEL = new CancelToken();

  private final ExecutorService threads = Executors.newFixedThreadPool(8);

  @AfterEach
  void shutdown() {
    threads.shutdownNow();
  }

  private static TextFeatures features(int floats) {
    return new TextFeatures(new float[floats], 1, floats, new float[0]);
  }

  @Test
  void theSameIsComputedOnce() {
    FeatureCache<String> cache = new FeatureCache<>(100);
    TextFeatures first = cache.get("a", CANCEL, () -> features(5));
    assertSame(first, cache.get("a", CANCEL, () -> features(5)));
    assertEquals(1, cache.computed());
  }

  @Test
  void noCapacityComputesEveryTime() {
    FeatureCache<String> cache = new FeatureCache<>(0);
    TextFeatures first = cache.get("a", CANCEL, () -> features(5));
    assertNotSame(first, cache.get("a", CANCEL, () -> features(5)));
    assertEquals(2, cache.computed());
  }

  @Test
  void whatIsLongestUnusedGoesFirst() {
    FeatureCache<String> cache = new FeatureCache<>(2 * 20);
    cache.get("a", CANCEL, () -> features(5));
    cache.get("b", CANCEL, () -> features(5));
    cache.get("a", CANCEL, () -> features(5));
    cache.get("c", CANCEL, () -> features(5)); // b goes
    cache.get("a", CANCEL, () -> features(5));
    assertEquals(3, cache.computed());
    cache.get("b", CANCEL, () -> features(5));
    assertEquals(4, cache.computed());
  }

  @Test
  void whatIsLargerThanTheCacheIsNotKept() {
    FeatureCache<String> cache = new FeatureCache<>(20);
    cache.get("a", CANCEL, () -> features(5));
    cache.get("large", CANCEL, () -> features(6));
    cache.get("a", CANCEL, () -> features(5));
    assertEquals(2, cache.computed());
    cache.get("large", CANCEL, () -> features(6));
    assertEquals(3, cache.computed());
  }

  @Test
  void threadsThatWantTheSameComputeItOnceAndOthersAreNotHeldUp() throws Exception {
    FeatureCache<String> cache = new FeatureCache<>(1000);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    List<Future<TextFeatures>> results = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      results.add(
          threads.submit(
              () ->
                  cache.get(
                      "slow",
                      CANCEL,
                      () -> {
                        started.countDown();
                        await(goOn);
                        return features(5);
                      })));
    }
    started.await();
    cache.get("quick", CANCEL, () -> features(5)); // no lock is held while "slow" is computed
    goOn.countDown();
    for (Future<TextFeatures> result : results) {
      assertSame(results.get(0).get(), result.get());
    }
    assertEquals(2, cache.computed());
  }

  @Test
  void whoWaitsForAFailureTriesItself() throws Exception {
    FeatureCache<String> cache = new FeatureCache<>(1000);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<TextFeatures> failing =
        threads.submit(
            () ->
                cache.get(
                    "a",
                    CANCEL,
                    () -> {
                      started.countDown();
                      await(goOn);
                      throw new GenerationCancelledException("mine");
                    }));
    started.await();
    Future<TextFeatures> waiting = threads.submit(() -> cache.get("a", CANCEL, () -> features(5)));
    goOn.countDown();
    assertEquals(5, waiting.get().hidden().length);
    assertSame(
        GenerationCancelledException.class,
        assertThrows(ExecutionException.class, failing::get).getCause().getClass());
  }

  @Test
  void whoWaitsCanBeCancelled() throws Exception {
    FeatureCache<String> cache = new FeatureCache<>(1000);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<TextFeatures> slow =
        threads.submit(
            () ->
                cache.get(
                    "a",
                    CANCEL,
                    () -> {
                      started.countDown();
                      await(goOn);
                      return features(5);
                    }));
    started.await();
    CancelToken own = new CancelToken();
    Future<TextFeatures> waiting = threads.submit(() -> cache.get("a", own, () -> features(5)));
    own.cancel();
    assertSame(
        GenerationCancelledException.class,
        assertThrows(ExecutionException.class, waiting::get).getCause().getClass());
    goOn.countDown();
    assertEquals(5, slow.get().hidden().length);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
