package io.github.diffusion4j.onnx;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the tensors, sessions and options of ONNX Runtime that are open in this process, so that a
 * test can show that nothing leaks.
 */
public final class NativeCount {

  private static final AtomicInteger OPEN = new AtomicInteger();

  private NativeCount() {}

  /**
   * How many native things are open now.
   *
   * @return 0 when every pipeline is closed and no generation runs
   */
  public static int open() {
    return OPEN.get();
  }

  static void opened() {
    OPEN.incrementAndGet();
  }

  static void closed() {
    OPEN.decrementAndGet();
  }
}
