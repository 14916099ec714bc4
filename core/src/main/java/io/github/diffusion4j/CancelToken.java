package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Cancels a generation from any thread, between steps and inside a running network. One token may
 * serve several generations; once cancelled it stays so. Interrupting the generating thread counts
 * as cancelling too; the thread's interrupt flag is kept.
 */
public final class CancelToken {

  private final Set<Runnable> actions = new LinkedHashSet<>();
  private volatile boolean cancelled;

  /** A token that is not cancelled. */
  public CancelToken() {}

  /**
   * Cancels. Returns once every running network has been told to stop; calling again is harmless.
   */
  public void cancel() {
    synchronized (actions) {
      cancelled = true;
      List.copyOf(actions).forEach(Runnable::run);
    }
  }

  /**
   * Whether {@link #cancel} was called.
   *
   * @return true once cancelled
   */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Stops the caller if this token is cancelled or the calling thread interrupted.
   *
   * @throws GenerationCancelledException if so
   */
  public void throwIfCancelled() {
    if (cancelled) {
      throw new GenerationCancelledException("the generation was cancelled");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new GenerationCancelledException("the generating thread was interrupted");
    }
  }

  /**
   * Registers an action for {@link #cancel} to call, at once if this token is cancelled already.
   * The action must be quick and must not throw.
   *
   * @param action called at most once for each cancel, under this token's lock
   * @return takes the action back; after its close the action is not running and never will
   */
  public Registration onCancel(Runnable action) {
    requireNonNull(action, "action");
    Runnable own = action::run; // an identity of its own, so that one action may register twice
    synchronized (actions) {
      actions.add(own);
      if (cancelled) {
        own.run();
      }
    }
    return () -> {
      synchronized (actions) {
        actions.remove(own);
      }
    };
  }

  /** An action registered with {@link #onCancel}. */
  @FunctionalInterface
  public interface Registration extends AutoCloseable {

    /** Takes the action back; calling again is harmless. */
    @Override
    void close();
  }
}
