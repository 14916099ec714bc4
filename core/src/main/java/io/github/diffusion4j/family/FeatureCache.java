package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Results of a text encoder, bounded by their memory: those longest unused go first. Shared by
 * threads; threads that want the same at the same time compute it once. No lock is held meanwhile.
 *
 * @param <K> what a result depends on
 */
final class FeatureCache<K> {

  private static final long WAIT_MILLIS = 20;

  private final long capacity;
  private final Map<K, TextFeatures> kept = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<K, CompletableFuture<TextFeatures>> running = new LinkedHashMap<>();
  private final AtomicLong computed = new AtomicLong();
  private long bytes;

  /**
   * An empty cache.
   *
   * @param capacity most bytes of kept results; 0 computes every time
   */
  FeatureCache(long capacity) {
    this.capacity = capacity;
  }

  /** The result of a key: the kept one, that of another thread, or a new one. */
  TextFeatures get(K key, CancelToken cancel, Supplier<TextFeatures> compute) {
    if (capacity == 0) {
      computed.incrementAndGet();
      return compute.get();
    }
    while (true) {
      CompletableFuture<TextFeatures> others;
      CompletableFuture<TextFeatures> own = new CompletableFuture<>();
      synchronized (kept) {
        TextFeatures result = kept.get(key);
        if (result != null) {
          return result;
        }
        others = running.putIfAbsent(key, own);
      }
      if (others == null) {
        return compute(key, own, compute);
      }
      TextFeatures result = await(others, cancel);
      if (result != null) {
        return result;
      }
    }
  }

  /** How often a result was computed, kept or not. */
  long computed() {
    return computed.get();
  }

  private TextFeatures compute(
      K key, CompletableFuture<TextFeatures> own, Supplier<TextFeatures> compute) {
    TextFeatures result = null;
    try {
      computed.incrementAndGet();
      result = compute.get();
      return result;
    } finally {
      synchronized (kept) {
        running.remove(key);
        if (result != null) {
          keep(key, result);
        }
      }
      own.complete(result); // null tells those who wait to try themselves
    }
  }

  private void keep(K key, TextFeatures result) {
    if (result.bytes() > capacity) {
      return;
    }
    kept.put(key, result);
    bytes += result.bytes();
    Iterator<TextFeatures> oldest = kept.values().iterator();
    while (bytes > capacity) {
      bytes -= oldest.next().bytes();
      oldest.remove();
    }
  }

  /** Another thread's result, null if it failed. This thread's own cancel ends the wait. */
  private static TextFeatures await(CompletableFuture<TextFeatures> others, CancelToken cancel) {
    while (true) {
      cancel.throwIfCancelled();
      try {
        return others.get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        continue;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // counts as cancel
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
