package io.github.diffusion4j.cli;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Writes pictures in a thread of its own, one after the other, while the next one is being painted.
 * What follows a write happens in the thread that uses the writer, in the order of the pictures.
 * Not thread-safe.
 */
final class PictureWriter implements AutoCloseable {

  /** Pictures that may wait, the one being written among them: each holds its pixels. */
  private static final int WAITING = 2;

  /** Writes a file. */
  @FunctionalInterface
  interface Write {
    void run() throws IOException;
  }

  /** Follows a write. */
  @FunctionalInterface
  interface Completion {

    /** Passes every failure on. */
    Completion STRICT =
        failure -> {
          if (failure.isPresent()) {
            throw failure.get();
          }
        };

    /**
     * Told once the file is whole, or not there.
     *
     * @param failure why it is not there
     * @throws IOException ends the run
     */
    void written(Optional<IOException> failure) throws IOException;
  }

  private record Pending(Future<?> write, Completion then) {}

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread writer = new Thread(work, "diffusion4j-writer");
            writer.setDaemon(true);
            return writer;
          });
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** Writes soon; waits while too many pictures do. */
  void submit(Write write, Completion then) throws IOException {
    while (pending.size() >= WAITING) {
      complete(pending.poll());
    }
    Future<?> running =
        thread.submit(
            () -> {
              write.run();
              return null;
            });
    pending.add(new Pending(running, then));
  }

  /** Sees to the writes that have ended, without waiting for any. */
  void settle() throws IOException {
    while (!pending.isEmpty() && pending.peek().write().isDone()) {
      complete(pending.poll());
    }
  }

  /** Waits for all writes. */
  void finish() throws IOException {
    while (!pending.isEmpty()) {
      complete(pending.poll());
    }
  }

  private static void complete(Pending written) throws IOException {
    Optional<IOException> failure = Optional.empty();
    try {
      join(written.write());
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof IOException cause)) {
        throw new IllegalStateException("a picture could not be written", e.getCause());
      }
      failure = Optional.of(cause);
    }
    written.then().written(failure);
  }

  /** A finished picture is kept also when the user has interrupted what comes behind it. */
  private static void join(Future<?> write) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          write.get();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Waits for all writes, also when one fails; the first failure is thrown. */
  @Override
  public void close() throws IOException {
    IOException first = null;
    try {
      while (!pending.isEmpty()) {
        try {
          complete(pending.poll());
        } catch (IOException e) {
          if (first == null) {
            first = e;
          } else {
            first.addSuppressed(e);
          }
        }
      }
    } finally {
      thread.shutdown();
    }
    if (first != null) {
      throw first;
    }
  }
}
