package io.github.diffusion4j.cli;

import java.io.PrintWriter;

/**
 * Entry of the command line. Exit codes: 0 done, 1 the model or the generation failed, 2 wrong
 * usage, 130 cancelled by Ctrl-C.
 */
public final class Main {

  private Main() {}

  /**
   * Runs one command and ends the Java virtual machine with its exit code.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    int code;
    try (Shutdown shutdown = Shutdown.install()) {
      PrintWriter out = new PrintWriter(System.out, true);
      PrintWriter err = new PrintWriter(System.err, true);
      code = CommandTree.run(new Session(out, err, Screen.current(), shutdown.cancel()), args);
    }
    System.exit(code);
  }
}
