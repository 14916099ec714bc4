package io.github.diffusion4j.tokenizer;

import static java.util.Objects.requireNonNull;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/**
 * A tokenizer.json run by the Rust library of Hugging Face. Calls hold a read lock, close the write
 * lock: freeing the native tokenizer during a call would crash the process.
 */
final class NativeTokenizer implements Tokenizer {
  static {
    // Before the first class of DJL: no telemetry, no download of native libraries.
    setUnlessGiven("ai.djl.offline");
    setUnlessGiven("OPT_OUT_TRACKING");
  }

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final HuggingFaceTokenizer tokenizer;
  private final String wordEnd;
  private final int maxLength;
  private final TokenFrame frame;
  private boolean closed;

  private NativeTokenizer(HuggingFaceTokenizer tokenizer, String wordEnd, int maxLength, int pad) {
    this.tokenizer = tokenizer;
    this.wordEnd = wordEnd;
    this.maxLength = maxLength;
    this.frame = probeFrame(tokenizer, pad);
  }

  /**
   * Builds the native tokenizer.
   *
   * @param json text of a tokenizer.json; its padding and truncation are not used
   * @param wordEnd what the model appends to the last piece of a word
   * @param maxLength the model's length
   * @param pad id of padding
   * @throws IOException if the native library is not to be had on this machine
   * @throws IllegalArgumentException if the library does not take the text
   */
  static NativeTokenizer open(String json, String wordEnd, int maxLength, int pad)
      throws IOException {
    HuggingFaceTokenizer tokenizer = null;
    try {
      tokenizer =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
              Map.of("padding", "false", "truncation", "false"));
      return new NativeTokenizer(tokenizer, wordEnd, maxLength, pad);
    } catch (LinkageError | ai.djl.engine.EngineException e) {
      throw new IOException(
          "the native tokenizer library cannot be loaded on %s %s: %s"
              .formatted(System.getProperty("os.name"), System.getProperty("os.arch"), e),
          e);
    } catch (RuntimeException e) {
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static void setUnlessGiven(String name) {
    if (System.getProperty(name) == null && System.getenv(name) == null) {
      System.setProperty(name, "true");
    }
  }

  /** The special tokens are what a text's ids have more with them than without. */
  private static TokenFrame probeFrame(HuggingFaceTokenizer tokenizer, int pad) {
    List<Integer> bare = ids(tokenizer.encode("a", false, false));
    List<Integer> framed = ids(tokenizer.encode("a", true, false));
    int at = Collections.indexOfSubList(framed, bare);
    if (bare.isEmpty() || at < 0) {
      throw new IllegalArgumentException(
          "the letter a gives the ids %s, with special tokens %s".formatted(bare, framed));
    }
    return new TokenFrame(
        framed.subList(0, at), framed.subList(at + bare.size(), framed.size()), pad);
  }

  private static List<Integer> ids(Encoding encoding) {
    return Arrays.stream(encoding.getIds()).mapToObj(Math::toIntExact).toList();
  }

  @Override
  public int maxLength() {
    return maxLength;
  }

  @Override
  public TokenFrame frame() {
    return frame;
  }

  @Override
  public List<Token> tokenize(String text) {
    String clean = withoutLoneSurrogates(requireNonNull(text, "text"));
    Encoding encoding = whileOpen(open -> open.encode(clean, false, false));
    long[] ids = encoding.getIds();
    String[] pieces = encoding.getTokens();
    CharSpan[] spans = encoding.getCharTokenSpans();
    CodePointIndex index = new CodePointIndex(clean);
    List<Token> tokens = new ArrayList<>(ids.length);
    for (int i = 0; i < ids.length; i++) {
      int start = index.utf16(spans[i].getStart());
      int end = Math.max(start, index.utf16(spans[i].getEnd()));
      tokens.add(new Token(Math.toIntExact(ids[i]), pieces[i], start, end));
    }
    return Collections.unmodifiableList(tokens);
  }

  @Override
  public String decode(int... ids) {
    for (int id : ids) {
      if (id < 0) {
        throw new IllegalArgumentException("ids must be 0 or more, got " + id);
      }
    }
    long[] wide = Arrays.stream(ids).asLongStream().toArray();
    String text = whileOpen(open -> open.decode(wide, true));
    return (wordEnd.isEmpty() ? text : text.replace(wordEnd, " ")).strip();
  }

  private <T> T whileOpen(Function<HuggingFaceTokenizer, T> call) {
    Lock shared = lock.readLock();
    shared.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      return call.apply(tokenizer);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public void close() {
    Lock exclusive = lock.writeLock();
    exclusive.lock();
    try {
      if (!closed) {
        closed = true;
        tokenizer.close();
      }
    } finally {
      exclusive.unlock();
    }
  }

  /** Half a surrogate pair has no UTF-8 form; U+FFFD takes its place, one for one. */
  private static String withoutLoneSurrogates(String text) {
    StringBuilder clean = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        continue;
      }
      clean = clean == null ? new StringBuilder(text) : clean;
      clean.setCharAt(i, '\uFFFD');
    }
    return clean == null ? text : clean.toString();
  }

  /** Translates the library's offsets, which count code points. */
  private static final class CodePointIndex {
    private final int[] utf16;
    private final int length;

    CodePointIndex(String text) {
      length = text.length();
      int points = text.codePointCount(0, length);
      utf16 = points == length ? null : new int[points + 1];
      for (int i = 0, at = 0; utf16 != null && i <= points; i++) {
        utf16[i] = at;
        at += at < length ? Character.charCount(text.codePointAt(at)) : 0;
      }
    }

    int utf16(int codePoint) {
      return utf16 == null
          ? Math.min(codePoint, length)
          : utf16[Math.min(codePoint, utf16.length - 1)];
    }
  }
}
