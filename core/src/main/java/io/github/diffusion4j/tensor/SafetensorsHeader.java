package io.github.diffusion4j.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The header of a safetensors file, parsed and checked against the file's size. Nothing is
 * allocated by a number that the file states: the header itself is bounded by the file and by
 * {@link #MAX_LENGTH}, everything else by the header.
 *
 * @param tensors by name, in order of position
 * @param metadata text beside the tensors, sorted by key
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {

  /** The format's own limit of a header, in bytes. */
  static final int MAX_LENGTH = 100_000_000;

  private static final int MAX_RANK = 64;

  /** What a pointer of Git LFS begins with, "version ", read as a length. */
  private static final long POINTER = 0x206e6f6973726576L;

  /** What an archive of torch.save begins with, "PK" and two bytes, and a bare pickle. */
  private static final int ARCHIVE = 0x04034b50;

  private static final int PICKLE = 0x80;

  private static final String METADATA = "__metadata__";

  static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(64)
                  .maxStringLength(MAX_LENGTH)
                  .build())
          .build();

  /** Reads the header from the start of a file. */
  static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < 10) {
      throw bad(file, "has " + size + " bytes; a safetensors file has at least 10");
    }
    long length = readFully(channel, 0, 8, file).getLong(0);
    if (length == POINTER) {
      throw bad(
          file,
          "is not the file itself but Git LFS's pointer to it, of "
              + size
              + " bytes: run `git lfs pull` in the model's folder, or download the file");
    }
    if (length < 2 || length > MAX_LENGTH || length > size - 8) {
      if ((int) length == ARCHIVE || (length & 0xff) == PICKLE && (length >>> 8 & 0xff) <= 5) {
        throw bad(
            file,
            "is not a safetensors file but seems to hold pickled Python objects, which can run any"
                + " program when they are read: take it as .safetensors, or convert it in Python");
      }
      throw bad(
          file,
          "says that its header has "
              + Long.toUnsignedString(length)
              + " bytes; it must have 2 to "
              + Math.min(MAX_LENGTH, size - 8)
              + ": not a safetensors file, or a truncated one");
    }
    ByteBuffer bytes = readFully(channel, 8, (int) length, file);
    return parse(file, bytes, size - 8 - length);
  }

  /** Parses a header's JSON for a file whose tensor data has the given length. */
  static SafetensorsHeader parse(Path file, ByteBuffer header, long dataLength) {
    return new Parsing(file, 8L + header.remaining(), dataLength).parse(header);
  }

  static ModelFormatException bad(Path file, String what) {
    return new ModelFormatException(file + " " + what);
  }

  private static ByteBuffer readFully(FileChannel channel, long at, int length, Path file)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw bad(file, "ended while its header was read");
      }
    }
    return bytes.flip();
  }

  /** One parse: the file's facts and what was found so far. */
  private static final class Parsing {
    private final Path file;
    private final long dataStart;
    private final long dataLength;
    private final List<TensorInfo> found = new ArrayList<>();
    private final Map<String, String> metadata = new TreeMap<>();

    Parsing(Path file, long dataStart, long dataLength) {
      this.file = file;
      this.dataStart = dataStart;
      this.dataLength = dataLength;
    }

    SafetensorsHeader parse(ByteBuffer header) {
      if (header.get(header.position()) != '{') {
        throw bad(file, "has a header that does not begin with {");
      }
      try (JsonParser json = JSON.createParser(text(header))) {
        json.nextToken();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          entry(json, json.currentName());
        }
        if (json.nextToken() != null) {
          throw bad(file, "has more than one JSON value in its header");
        }
      } catch (IOException e) {
        throw new ModelFormatException(file + " has a header that is not valid JSON", e);
      }
      found.sort(Comparator.comparingLong(TensorInfo::offset).thenComparing(TensorInfo::length));
      return new SafetensorsHeader(gapless(), Collections.unmodifiableMap(metadata));
    }

    private String text(ByteBuffer header) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(header).toString();
      } catch (CharacterCodingException e) {
        throw new ModelFormatException(file + " has a header that is not UTF-8", e);
      }
    }

    private void entry(JsonParser json, String name) throws IOException {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw bad(file, "header entry \"" + name + "\" must be an object");
      }
      if (name.equals(METADATA)) {
        metadata(json);
      } else {
        found.add(tensor(json, name));
      }
    }

    private void metadata(JsonParser json) throws IOException {
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw bad(file, "metadata \"" + key + "\" must be a string");
        }
        metadata.put(key, json.getText());
      }
    }

    private TensorInfo tensor(JsonParser json, String name) throws IOException {
      String dtype = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        JsonToken value = json.nextToken();
        switch (key) {
          case "dtype" -> dtype = value == JsonToken.VALUE_STRING ? json.getText() : null;
          case "shape" -> shape = numbers(json, name, key);
          case "data_offsets" -> offsets = numbers(json, name, key);
          default -> json.skipChildren();
        }
      }
      if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
        throw bad(file, quoted(name) + "needs dtype, shape and two data_offsets");
      }
      return placed(name, dtype, shape, offsets);
    }

    private List<Long> numbers(JsonParser json, String name, String key) throws IOException {
      if (json.currentToken() != JsonToken.START_ARRAY) {
        throw bad(file, quoted(name) + key + " must be an array");
      }
      List<Long> numbers = new ArrayList<>();
      while (json.nextToken() != JsonToken.END_ARRAY) {
        boolean whole =
            json.currentToken() == JsonToken.VALUE_NUMBER_INT
                && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        if (!whole || json.getLongValue() < 0 || numbers.size() == MAX_RANK) {
          throw bad(
              file,
              quoted(name)
                  + key
                  + " must hold up to "
                  + MAX_RANK
                  + " whole numbers from 0 to 2^63");
        }
        numbers.add(json.getLongValue());
      }
      return numbers;
    }

    private TensorInfo placed(String name, String dtype, List<Long> shape, List<Long> offsets) {
      TensorType type =
          TensorType.named(dtype)
              .orElseThrow(
                  () -> bad(file, quoted(name) + "has the unknown dtype \"" + dtype + "\""));
      long begin = offsets.get(0);
      long end = offsets.get(1);
      if (begin > end || end > dataLength) {
        throw bad(
            file,
            quoted(name)
                + ("lies at bytes " + begin + " to " + end)
                + (" of " + dataLength + " bytes of data; the file is truncated or corrupt"));
      }
      long needed;
      try {
        needed = type.bytes(TensorInfo.elements(shape));
      } catch (ArithmeticException e) {
        throw new ModelFormatException(
            file + " " + quoted(name) + "of " + type + shape + " has no valid length", e);
      }
      if (needed != end - begin) {
        throw bad(
            file,
            quoted(name)
                + ("of " + type + shape + " needs " + needed + " bytes, has " + (end - begin)));
      }
      return new TensorInfo(name, file, type, shape, dataStart + begin, needed);
    }

    /** The format asks that tensors cover the data without overlap and without holes. */
    private Map<String, TensorInfo> gapless() {
      long at = dataStart;
      Map<String, TensorInfo> byName = new LinkedHashMap<>();
      for (TensorInfo info : found) {
        if (info.offset() != at) {
          throw bad(
              file,
              quoted(info.name())
                  + ("begins at byte " + info.offset() + ", expected " + at)
                  + (info.offset() < at ? ": it overlaps another tensor" : ": there is a hole"));
        }
        at += info.length();
        byName.put(info.name(), info);
      }
      if (at != dataStart + dataLength) {
        throw bad(file, "has " + (dataStart + dataLength - at) + " bytes after its last tensor");
      }
      return Collections.unmodifiableMap(byName);
    }

    private static String quoted(String name) {
      String shown = name.length() > 200 ? name.substring(0, 200) + "…" : name;
      return "tensor \"" + shown + "\" ";
    }
  }
}
