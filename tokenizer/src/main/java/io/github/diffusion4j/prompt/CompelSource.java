package io.github.diffusion4j.prompt;

/** The characters of a Compel prompt: tokens of its grammar, each after any blanks. */
final class CompelSource {
  private static final String SYNTAX = "()\",.+-=";

  private final String text;
  private final int[] origin;

  /** Compel starts by putting a blank behind each comma that has none. */
  CompelSource(String prompt) {
    StringBuilder spaced = new StringBuilder(prompt.length());
    int[] positions = new int[2 * prompt.length() + 1];
    boolean pair = false;
    for (int i = 0; i < prompt.length(); i++) {
      positions[spaced.length()] = i;
      spaced.append(prompt.charAt(i));
      // The character after a comma is taken with it, so of two commas only the first counts.
      pair =
          !pair
              && prompt.charAt(i) == ','
              && i + 1 < prompt.length()
              && !Characters.isBlank(prompt.charAt(i + 1));
      if (pair) {
        positions[spaced.length()] = i + 1;
        spaced.append(' ');
      }
    }
    positions[spaced.length()] = prompt.length();
    text = spaced.toString();
    origin = positions;
  }

  int length() {
    return text.length();
  }

  char at(int index) {
    return text.charAt(index);
  }

  String substring(int start, int end) {
    return text.substring(start, end);
  }

  /** The error at a place of the text, with its position in the user's prompt. */
  PromptSyntaxException error(int at, String problem) {
    return new PromptSyntaxException(origin[Math.min(at, text.length())], problem);
  }

  static boolean isBlank(char c) {
    return c == ' ' || c >= '\t' && c <= '\r';
  }

  int skipBlanks(int from, int limit) {
    int at = from;
    while (at < limit && isBlank(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** End of a literal after blanks, or -1. */
  int literal(String literal, int from, int limit) {
    int at = skipBlanks(from, limit);
    boolean found = at + literal.length() <= limit && text.startsWith(literal, at);
    return found ? at + literal.length() : -1;
  }

  /** End of a word without syntax that starts here, or -1; a backslash makes signs plain. */
  int word(int from, int limit) {
    int at = from;
    while (at < limit) {
      char c = text.charAt(at);
      if (c == '\\' && isSyntax(at + 1, limit)) {
        at += 2;
      } else if (c == '+' || c == '-') {
        boolean ends = at + 1 == limit || isBlank(text.charAt(at + 1)) || isSyntax(at + 1, limit);
        if (ends) {
          break;
        }
        at++;
      } else if (isBlank(c) || isSyntax(at, limit)) {
        break;
      } else {
        at++;
      }
    }
    return at == from ? -1 : at;
  }

  private boolean isSyntax(int at, int limit) {
    return at < limit && SYNTAX.indexOf(text.charAt(at)) >= 0;
  }

  /** End of everything up to the next blank, or -1. */
  int anything(int from, int limit) {
    int at = from;
    while (at < limit && !isBlank(text.charAt(at))) {
      at++;
    }
    return at == from ? -1 : at;
  }

  /**
   * Index of the quote that closes the one before {@code from}, or -1. A backslash hides a quote,
   * unless no other closes the text on its line.
   */
  int closingQuote(int from, int limit) {
    int hidden = -1;
    for (int at = from; at < limit; at++) {
      char c = text.charAt(at);
      if (c == '\n' || c == '\r') {
        break;
      }
      if (c == '"') {
        return at;
      }
      if (c == '\\' && at + 1 < limit && text.charAt(at + 1) == '"') {
        hidden = ++at;
      }
    }
    return hidden;
  }

  /** End of a run of one sign that starts here, or -1. */
  int run(char sign, int from, int limit) {
    int at = from;
    while (at < limit && text.charAt(at) == sign) {
      at++;
    }
    return at == from ? -1 : at;
  }

  /** End of a number that starts here, or -1: with a point, or whole without a plus. */
  int number(int from, int limit) {
    boolean signed = from < limit && (text.charAt(from) == '-' || text.charAt(from) == '+');
    int start = signed ? from + 1 : from;
    int whole = digits(start, limit);
    if (whole < limit && text.charAt(whole) == '.') {
      int end = digits(whole + 1, limit);
      if (whole > start || end > whole + 1) {
        return end;
      }
    }
    boolean plus = signed && text.charAt(from) == '+';
    return whole == start || plus ? -1 : whole;
  }

  private int digits(int from, int limit) {
    int at = from;
    while (at < limit && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    return at;
  }

  /** End of a name of letters, digits, _ and - that starts here, or -1. */
  int name(int from, int limit) {
    int at = from;
    while (at < limit && isName(text.charAt(at))) {
      at++;
    }
    return at == from ? -1 : at;
  }

  private static boolean isName(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '_'
        || c == '-';
  }
}
