package io.github.diffusion4j.cli;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.CancelToken;
import java.io.PrintWriter;

/**
 * What a command works with beside its options.
 *
 * @param out results: what a user may pipe
 * @param err progress, notes and errors
 * @param screen where progress is shown
 * @param cancel stops a generation
 */
record Session(PrintWriter out, PrintWriter err, Screen screen, CancelToken cancel) {

  /** Checks that nothing is missing. */
  Session {
    requireNonNull(out, "out");
    requireNonNull(err, "err");
    requireNonNull(screen, "screen");
    requireNonNull(cancel, "cancel");
  }

  /** Writes a line for people to stderr. */
  void note(String line) {
    err.println("diffusion4j: " + line);
    err.flush();
  }
}
