package io.github.diffusion4j.cli;

import java.io.PrintWriter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Sends warnings to stderr as one line each, and with {@code --debug} everything of ours. */
final class Logging extends Handler {

  /** Held here, as the log manager lets loggers that nobody holds be collected. */
  private static final Logger ROOT = Logger.getLogger("");

  private static final Logger OURS = Logger.getLogger("io.github.diffusion4j");

  private final PrintWriter err;
  private final boolean debug;

  private Logging(PrintWriter err, boolean debug) {
    this.err = err;
    this.debug = debug;
    setFormatter(new SimpleFormatter());
  }

  static void configure(boolean debug, PrintWriter err) {
    for (Handler handler : ROOT.getHandlers()) {
      ROOT.removeHandler(handler);
    }
    ROOT.setLevel(debug ? Level.INFO : Level.WARNING);
    OURS.setLevel(debug ? Level.ALL : Level.WARNING);
    ROOT.addHandler(new Logging(err, debug));
  }

  @Override
  public void publish(LogRecord record) {
    String level = record.getLevel() == Level.WARNING ? "warning: " : "";
    err.println("diffusion4j: " + level + getFormatter().formatMessage(record));
    if (debug && record.getThrown() != null) {
      record.getThrown().printStackTrace(err);
    }
    err.flush();
  }

  @Override
  public void flush() {
    err.flush();
  }

  @Override
  public void close() {
    flush();
  }
}
