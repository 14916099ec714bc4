package io.github.diffusion4j.cli;

/**
 * A line of a batch file.
 *
 * @param number of the line in the file, from 1
 * @param prompt what to paint
 * @param options what it says beside
 */
record BatchLine(int number, String prompt, LineOptions options) {

  /** A key or its value does not fit. */
  static final class WrongKeyException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    WrongKeyException(String key, String problem) {
      super("key \"" + key + "\": " + problem);
    }

    WrongKeyException(String key, String expected, String found) {
      this(key, "expected " + expected + ", found " + found);
    }
  }
}
