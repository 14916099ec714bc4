package io.github.diffusion4j.cli;

import io.github.diffusion4j.CancelToken;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns the end of the Java virtual machine by Ctrl-C or a signal into a cancelled generation, and
 * holds the end up until that has unwound: no file stays half written.
 */
final class Shutdown implements AutoCloseable {

  private static final int PATIENCE_SECONDS = 60;

  private final CancelToken cancel = new CancelToken();
  private final CountDownLatch unwound = new CountDownLatch(1);
  private final Thread hook;

  private Shutdown() {
    hook = new Thread(this::cancelAndWait, "diffusion4j-shutdown");
  }

  static Shutdown install() {
    Shutdown shutdown = new Shutdown();
    Runtime.getRuntime().addShutdownHook(shutdown.hook);
    return shutdown;
  }

  /** Cancelled when the virtual machine ends. */
  CancelToken cancel() {
    return cancel;
  }

  private void cancelAndWait() {
    cancel.cancel();
    try {
      unwound.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    unwound.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The virtual machine is ending already, and the hook has been waiting for this.
    }
  }
}
