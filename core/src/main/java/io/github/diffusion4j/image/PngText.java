package io.github.diffusion4j.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * One text of a PNG file and its three chunk forms: tEXt (Latin-1), zTXt (the same, compressed),
 * iTXt (UTF-8, compressed or not). Written as tEXt where Latin-1 can hold it, else as iTXt.
 *
 * @param keyword 1 to 79 Latin-1 characters
 * @param text the text
 */
record PngText(String keyword, String text) {

  PngText {
    boolean printable = keyword.chars().allMatch(c -> c >= 32 && c <= 126 || c >= 161 && c <= 255);
    if (!printable
        || keyword.isBlank()
        || keyword.length() > 79
        || !keyword.equals(keyword.strip())) {
      throw new IllegalArgumentException(
          "keyword must be 1 to 79 printable Latin-1 characters without blanks around, got \""
              + keyword
              + "\"");
    }
    if (text.indexOf(0) >= 0) {
      throw new IllegalArgumentException("text of \"" + keyword + "\" must not hold NUL");
    }
  }

  void write(PngEncoder png) throws IOException {
    byte[] key = keyword.getBytes(StandardCharsets.ISO_8859_1);
    boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
    byte[] bytes = text.getBytes(latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
    // iTXt: not compressed, method 0, empty language tag, empty translated keyword.
    int zeros = latin ? 1 : 5;
    byte[] data = Arrays.copyOf(key, key.length + zeros + bytes.length);
    System.arraycopy(bytes, 0, data, key.length + zeros, bytes.length);
    png.chunk(latin ? "tEXt" : "iTXt", data, data.length);
  }

  /** Whether a chunk of this type holds text. */
  static boolean isText(String type) {
    return type.equals("tEXt") || type.equals("zTXt") || type.equals("iTXt");
  }

  /**
   * Keyword and text of a text chunk; inflates to {@code limit} bytes at most. Other programs'
   * keywords need not be what the standard asks for.
   */
  static Map.Entry<String, String> parse(String type, byte[] data, int limit) throws IOException {
    Fields fields = new Fields(type, ByteBuffer.wrap(data), limit);
    String keyword = fields.terminated(StandardCharsets.ISO_8859_1);
    String text =
        switch (type) {
          case "tEXt" -> fields.rest(StandardCharsets.ISO_8859_1, false);
          case "zTXt" -> {
            fields.method();
            yield fields.rest(StandardCharsets.ISO_8859_1, true);
          }
          case "iTXt" -> {
            boolean compressed = fields.octet() != 0;
            if (compressed) {
              fields.method();
            } else {
              fields.octet();
            }
            fields.terminated(StandardCharsets.ISO_8859_1);
            fields.terminated(StandardCharsets.UTF_8);
            yield fields.rest(StandardCharsets.UTF_8, compressed);
          }
          default -> throw new IllegalArgumentException("type must be a text chunk, got " + type);
        };
    return Map.entry(keyword, text);
  }

  /** Reads the parts of a chunk in order. */
  private record Fields(String type, ByteBuffer data, int limit) {

    int octet() throws IOException {
      if (!data.hasRemaining()) {
        throw corrupt("it is too short");
      }
      return data.get();
    }

    void method() throws IOException {
      int method = octet();
      if (method != 0) {
        throw corrupt("it has the unknown compression method " + method);
      }
    }

    String terminated(Charset charset) throws IOException {
      int start = data.position();
      while (octet() != 0) {
        // octet() moves on
      }
      return decode(data.array(), start, data.position() - 1 - start, charset);
    }

    String rest(Charset charset, boolean compressed) throws IOException {
      if (!compressed) {
        return decode(data.array(), data.position(), data.remaining(), charset);
      }
      byte[] inflated = inflate();
      return decode(inflated, 0, inflated.length, charset);
    }

    private String decode(byte[] bytes, int from, int length, Charset charset) throws IOException {
      try {
        return charset.newDecoder().decode(ByteBuffer.wrap(bytes, from, length)).toString();
      } catch (CharacterCodingException e) {
        throw new IOException("the PNG chunk " + type + " is corrupt: its text is not UTF-8", e);
      }
    }

    private byte[] inflate() throws IOException {
      Inflater inflater = new Inflater();
      try {
        inflater.setInput(data.array(), data.position(), data.remaining());
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 13];
        while (!inflater.finished()) {
          int count = inflater.inflate(part);
          if (count == 0 && !inflater.finished()) {
            throw corrupt("its compressed text ends early");
          }
          if (all.size() + count > limit) {
            throw corrupt("its text inflates to more than " + limit + " bytes");
          }
          all.write(part, 0, count);
        }
        return all.toByteArray();
      } catch (DataFormatException e) {
        throw new IOException("the PNG chunk " + type + " is corrupt: " + e.getMessage(), e);
      } finally {
        inflater.end();
      }
    }

    private IOException corrupt(String why) {
      return new IOException("the PNG chunk " + type + " is corrupt: " + why);
    }
  }
}
