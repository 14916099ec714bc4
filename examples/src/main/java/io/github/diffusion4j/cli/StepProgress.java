package io.github.diffusion4j.cli;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressState;

/** A progress bar for each picture, with speed and time left, where a person is watching. */
final class StepProgress implements StepListener, AutoCloseable {

  private static final int UPDATE_MILLIS = 150;

  private final PrintWriter err;
  private final int columns;
  private final int pictures;
  private int picture;
  private ProgressBar bar;
  private Line line;

  StepProgress(Session session, int pictures) {
    this.err = session.err();
    this.columns = session.screen().columns();
    this.pictures = pictures;
  }

  @Override
  public void onStart(StepEvent event) {
    close();
    picture++;
    line = new Line(err, columns);
    bar =
        new ProgressBarBuilder()
            .setTaskName(pictures == 1 ? "painting" : "painting " + picture + "/" + pictures)
            .setInitialMax(event.evaluations())
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .setRenderer(new Bar(Charset.defaultCharset().newEncoder().canEncode('█') ? "█" : "#"))
            .setConsumer(line)
            .build();
  }

  @Override
  public void onStep(StepEvent event) {
    bar.stepTo(event.evaluation());
  }

  @Override
  public void onDecoded(ImageTensor image) {
    close();
  }

  /** Prints beside the bar: it is wiped away before, and comes back at its next drawing. */
  void aside(Runnable print) {
    if (bar == null) {
      print.run();
    } else {
      line.aside(print);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      line.close(); // a bar closed before its first drawing does not do it
      bar = null;
    }
  }

  /**
   * Draws the bar. The library's own counts speed in whole seconds, which is wrong for short runs.
   *
   * @param block what the bar is made of
   */
  record Bar(String block) implements ProgressBarRenderer {
    @Override
    public String render(ProgressState state, int length) {
      long done = state.getCurrent();
      long all = Math.max(1, state.getMax());
      Duration elapsed = state.getElapsedAfterStart();
      double seconds = elapsed.toNanos() / 1e9;
      String left =
          done == 0 ? "?" : clock(Duration.ofMillis((long) (1e3 * seconds / done * (all - done))));
      String before =
          String.format(Locale.ROOT, "%s %3d%% |", state.getTaskName(), 100 * done / all);
      String behind =
          String.format(
              Locale.ROOT,
              "| %d/%d [%s<%s, %.1f it/s]",
              done,
              all,
              clock(elapsed),
              left,
              done / Math.max(seconds, 1e-3));
      int room = Math.max(0, length - before.length() - behind.length());
      int full = (int) (room * done / all);
      String text = before + block.repeat(full) + " ".repeat(room - full) + behind;
      return text.substring(0, Math.min(length, text.length()));
    }

    private static String clock(Duration time) {
      return time.toHours() > 0
          ? String.format(
              Locale.ROOT,
              "%d:%02d:%02d",
              time.toHours(),
              time.toMinutesPart(),
              time.toSecondsPart())
          : String.format(Locale.ROOT, "%d:%02d", time.toMinutes(), time.toSecondsPart());
    }
  }

  /** The terminal's line that the bar is drawn over; the library may close it twice. */
  private static final class Line implements ProgressBarConsumer {
    private final PrintWriter err;
    private final int columns;
    private boolean closed;

    Line(PrintWriter err, int columns) {
      this.err = err;
      this.columns = columns;
    }

    @Override
    public int getMaxRenderedLength() {
      return columns - 1;
    }

    synchronized void aside(Runnable print) {
      if (!closed) {
        err.print("\r" + " ".repeat(columns - 1) + "\r");
        err.flush();
      }
      print.run();
    }

    @Override
    public synchronized void accept(String text) {
      if (!closed) {
        err.print("\r" + text);
        err.flush();
      }
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        err.println();
        err.flush();
      }
    }
  }
}
