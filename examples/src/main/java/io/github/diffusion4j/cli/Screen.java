package io.github.diffusion4j.cli;

/**
 * What stderr is connected to. The launcher tells by system properties, as Java cannot ask.
 *
 * @param terminal whether a person is watching
 * @param columns width in characters
 */
record Screen(boolean terminal, int columns) {

  /** Set by the launcher to true or false. */
  static final String TERMINAL = "diffusion4j.terminal";

  /** Set by the launcher to the terminal's width. */
  static final String COLUMNS = "diffusion4j.columns";

  private static final int USUAL_COLUMNS = 80;

  /** Nobody is watching. */
  static final Screen NONE = new Screen(false, USUAL_COLUMNS);

  static Screen current() {
    String told = System.getProperty(TERMINAL);
    boolean terminal =
        told == null
            ? System.console() != null && Runtime.version().feature() < 22 // later: never null
            : Boolean.parseBoolean(told);
    int columns = Integer.getInteger(COLUMNS, USUAL_COLUMNS);
    return new Screen(terminal, columns > 0 ? columns : USUAL_COLUMNS);
  }
}
