package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ConcurrencyLimit;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.PipelineBusyException;
import java.util.ArrayDeque;
import java.util.Deque;

/** Lets in as many generations as a limit allows, in the order in which they came. Thread-safe. */
final class Admission {

  private final ConcurrencyLimit limit;
  private final Deque<Object> waiting = new ArrayDeque<>();
  private int running;

  Admission(ConcurrencyLimit limit) {
    this.limit = limit;
  }

  /**
   * Waits for a turn, to be given back with {@link #leave}.
   *
   * @param cancel ends the waiting
   * @throws PipelineBusyException if too many wait already
   * @throws GenerationCancelledException if cancelled or interrupted meanwhile
   */
  void enter(CancelToken cancel) {
    cancel.throwIfCancelled();
    Object ticket = new Object();
    synchronized (this) {
      if (running < limit.running() && waiting.isEmpty()) {
        running++;
        return;
      }
      if (waiting.size() >= limit.waiting()) {
        throw new PipelineBusyException(limit);
      }
      waiting.addLast(ticket);
    }
    CancelToken.Registration told = cancel.onCancel(this::wake);
    try {
      await(ticket, cancel);
    } finally {
      told.close();
    }
  }

  private synchronized void wake() {
    notifyAll();
  }

  private synchronized void await(Object ticket, CancelToken cancel) {
    try {
      while (running >= limit.running() || waiting.peekFirst() != ticket) {
        cancel.throwIfCancelled();
        wait();
      }
      cancel.throwIfCancelled();
      running++;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GenerationCancelledException("the thread was interrupted before its turn");
    } finally {
      waiting.remove(ticket);
      notifyAll();
    }
  }

  /** Gives a turn back. */
  synchronized void leave() {
    running--;
    notifyAll();
  }
}
