package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Opens several things at the same time, each in a thread of its own. */
public final class ParallelOpening {

  private ParallelOpening() {}

  /**
   * Opens all, and waits for all also when one fails or the caller is interrupted: nothing is left
   * half open.
   *
   * @param <T> what is opened
   * @param tasks what opens each, by name
   * @param owner closes what was opened
   * @return what was opened, by name
   * @throws IOException if a task throws one; other errors reach the caller as they are
   */
  public static <T extends AutoCloseable> Map<String, T> open(
      Map<String, Callable<T>> tasks, Closer owner) throws IOException {
    Map<String, FutureTask<T>> running = new LinkedHashMap<>();
    tasks.forEach(
        (name, task) -> {
          FutureTask<T> future = new FutureTask<>(task);
          running.put(name, future);
          Thread thread = new Thread(future, "diffusion4j-load-" + name);
          thread.setDaemon(true);
          thread.start();
        });
    Map<String, T> opened = new LinkedHashMap<>();
    Throwable first = null;
    for (Map.Entry<String, FutureTask<T>> task : running.entrySet()) {
      try {
        opened.put(task.getKey(), owner.own(join(task.getValue())));
      } catch (ExecutionException e) {
        first = first == null ? e.getCause() : first;
      }
    }
    if (first != null) {
      throw rethrown(first);
    }
    return opened;
  }

  private static <T> T join(FutureTask<T> task) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
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

  private static IOException rethrown(Throwable thrown) {
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
    return thrown instanceof IOException e ? e : new IOException(thrown);
  }
}
