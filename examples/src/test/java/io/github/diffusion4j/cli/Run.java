package io.github.diffusion4j.cli;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.examples.ShippedModel;
import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * What one command did, in this process.
 *
 * @param code exit code
 * @param out what it wrote to stdout
 * @param err what it wrote to stderr
 */
record Run(int code, String out, String err) {

  /** Runs with nobody watching. */
  static Run of(String... args) {
    return of(Screen.NONE, new CancelToken(), args);
  }

  static Run of(Screen screen, CancelToken cancel, String... args) {
    if (System.getProperty(ShippedModel.PROPERTY) == null) {
      System.setProperty(ShippedModel.PROPERTY, "models/emoji-ldm");
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Session session = new Session(new PrintWriter(out), new PrintWriter(err), screen, cancel);
    int code = CommandTree.run(session, args);
    session.out().flush();
    session.err().flush();
    return new Run(code, out.toString(), err.toString());
  }
}
