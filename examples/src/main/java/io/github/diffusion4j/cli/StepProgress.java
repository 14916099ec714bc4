package io.github.diffusion4j.cli;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar for each picture, with speed and time left, where a person is watching. */
final class StepProgress implements StepListener, AutoCloseable {

  private static final int UPDATE_MILLIS = 150;

  private final PrintWriter err;
  private final int columns;
  private final int pictures;
  private int picture;
  private ProgressBar bar;

  StepProgress(Session session, int pictures) {
    this.err = session.err();
    this.columns = session.screen().columns();
    this.pictures = pictures;
  }

  @Override
  public void onStart(StepEvent event) {
    close();
    picture++;
    bar =
        new ProgressBarBuilder()
            .setTaskName(pictures == 1 ? "painting" : "painting " + picture + "/" + pictures)
            .setInitialMax(event.evaluations())
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .setUnit("it", 1)
            .showSpeed()
            .setStyle(
                Charset.defaultCharset().newEncoder().canEncode('█')
                    ? ProgressBarStyle.UNICODE_BLOCK
                    : ProgressBarStyle.ASCII)
            .setConsumer(new Line(err, columns))
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

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  /** The terminal's line that the bar is drawn over. */
  private record Line(PrintWriter err, int columns) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return columns - 1;
    }

    @Override
    public void accept(String text) {
      err.print("\r" + text);
      err.flush();
    }

    @Override
    public void close() {
      err.println();
      err.flush();
    }
  }
}
