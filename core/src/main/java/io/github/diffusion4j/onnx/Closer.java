package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Owns things that must be closed and closes them last first. The first error is thrown, later ones
 * are suppressed in it; closing again does nothing. Not thread-safe.
 */
public final class Closer implements AutoCloseable {

  private Deque<AutoCloseable> owned = new ArrayDeque<>();

  /** Owns nothing yet. */
  public Closer() {}

  /**
   * Takes ownership.
   *
   * @param <T> type of the thing
   * @param closeable closed when this closer is
   * @return the argument
   */
  public <T extends AutoCloseable> T own(T closeable) {
    owned.push(requireNonNull(closeable, "closeable"));
    return closeable;
  }

  /**
   * Gives everything owned to a new closer, so that closing this one closes nothing: the last line
   * of a constructor or factory that succeeded.
   *
   * @return the new owner
   */
  public Closer release() {
    Closer next = new Closer();
    next.owned = owned;
    owned = new ArrayDeque<>();
    return next;
  }

  @Override
  public void close() {
    RuntimeException first = null;
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        if (first == null) {
          first = e instanceof RuntimeException r ? r : new IllegalStateException(e);
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
