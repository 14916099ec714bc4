package io.github.diffusion4j.cli;

import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Tells how long after the start of the Java virtual machine things happen. */
final class StartTimes implements StepListener {

  private final Session session;
  private final Instant started =
      ProcessHandle.current().info().startInstant().orElseGet(Instant::now);
  private boolean told;

  StartTimes(Session session) {
    this.session = session;
  }

  /** Writes the time since the start. */
  void mark(String what) {
    double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
    session.note(String.format(Locale.ROOT, "%.2f s after start: %s", seconds, what));
  }

  @Override
  public void onStart(StepEvent event) {
    if (!told) {
      mark("first denoising step begins");
    }
  }

  @Override
  public void onStep(StepEvent event) {
    if (!told) {
      told = true;
      mark("first denoising step is done");
    }
  }
}
