package io.github.diffusion4j.prompt;

/** Classes of characters as the reference parsers (Python) have them. */
final class Characters {
  private Characters() {}

  /** Any Unicode blank or line break. */
  static boolean isBlank(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  /** A character of a word: letter, digit or underscore. */
  static boolean isWord(int c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  /** Index of a keyword that stands as a word of its own, at or after {@code from}; -1 if none. */
  static int indexOfWord(String text, String word, int from) {
    for (int at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
      int end = at + word.length();
      boolean open = at == 0 || !isWord(text.codePointBefore(at));
      if (open && (end == text.length() || !isWord(text.codePointAt(end)))) {
        return at;
      }
    }
    return -1;
  }

  /** Index after the blanks that start at {@code from}. */
  static int skipBlanks(String text, int from, int end) {
    int at = from;
    while (at < end && isBlank(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** Start of the blanks that end before {@code end}. */
  static int skipBlanksBack(String text, int from, int end) {
    int at = end;
    while (at > from && isBlank(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }
}
