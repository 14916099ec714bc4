package io.github.diffusion4j.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A tokenizer's file is missing, damaged or of a kind that this library does not know. The message
 * names the file, what was expected and found, and a remedy.
 */
public final class TokenizerFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The file or folder at fault. */
  private final String file;

  TokenizerFormatException(Path file, String problem) {
    this(file, problem, null);
  }

  TokenizerFormatException(Path file, String problem, Throwable cause) {
    super(file + ": " + problem, cause);
    this.file = file.toString();
  }

  /**
   * The file or folder at fault.
   *
   * @return its path as text
   */
  public String file() {
    return file;
  }
}
