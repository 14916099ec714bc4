package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects tensors and writes them as a safetensors file. The bytes depend only on names, values
 * and metadata, not on the order of the calls: wider types first, then by name, as the reference
 * implementation orders them. Not for use by several threads.
 *
 * <p>Arrays are kept, not copied: they must not change before {@link #write}.
 */
public final class SafetensorsWriter {

  private static final int CHUNK = 1 << 13;

  private final Map<String, Entry> entries = new TreeMap<>();
  private final Map<String, String> metadata = new TreeMap<>();

  /** Elements of a tensor; fills a buffer with the next ones. */
  private interface Elements {
    void fill(ByteBuffer bytes, int from, int count);
  }

  private record Entry(
      String name, TensorType type, List<Long> shape, int count, Elements elements) {
    Entry {
      requireNonNull(name, "name");
      shape = List.copyOf(shape);
    }

    long length() {
      return type.bytes(count);
    }
  }

  /** A writer without tensors. */
  public SafetensorsWriter() {}

  /**
   * Adds text beside the tensors.
   *
   * @param key its name, not used before
   * @param value the text
   * @return this writer
   */
  public SafetensorsWriter metadata(String key, String value) {
    requireNonNull(key, "key");
    if (metadata.putIfAbsent(key, requireNonNull(value, "value")) != null) {
      throw new IllegalArgumentException("metadata key \"" + key + "\" is there already");
    }
    return this;
  }

  /**
   * Adds a float32 tensor.
   *
   * @param name its name, not used before
   * @param shape dimensions, outermost first; their product is the number of values
   * @param values row-major; kept until written
   * @return this writer
   */
  public SafetensorsWriter add(String name, List<Long> shape, float[] values) {
    Elements elements = (bytes, from, count) -> bytes.asFloatBuffer().put(values, from, count);
    int count = requireNonNull(values, "values").length;
    return add(new Entry(name, TensorType.F32, shape, count, elements));
  }

  /**
   * Adds an int64 tensor.
   *
   * @param name its name, not used before
   * @param shape dimensions, outermost first; their product is the number of values
   * @param values row-major; kept until written
   * @return this writer
   */
  public SafetensorsWriter add(String name, List<Long> shape, long[] values) {
    Elements elements = (bytes, from, count) -> bytes.asLongBuffer().put(values, from, count);
    int count = requireNonNull(values, "values").length;
    return add(new Entry(name, TensorType.I64, shape, count, elements));
  }

  /** Makes the elements of a tensor while it is written. */
  @FunctionalInterface
  public interface Source {
    /**
     * Gives the next elements in row-major order.
     *
     * @param bytes where they go, little endian, from the first byte on
     * @param count how many
     */
    void next(ByteBuffer bytes, int count);
  }

  /**
   * Adds a tensor that is made while it is written, so that it need not fit into memory.
   *
   * @param name its name, not used before
   * @param type what the source gives
   * @param shape dimensions, outermost first
   * @param source asked for all elements each time that the file is written
   * @return this writer
   */
  public SafetensorsWriter add(String name, TensorType type, List<Long> shape, Source source) {
    int count = Math.toIntExact(TensorInfo.elements(shape));
    Elements elements = (bytes, from, length) -> source.next(bytes, length);
    return add(new Entry(name, requireNonNull(type, "type"), shape, count, elements));
  }

  /**
   * Writes the file: whole, or not at all.
   *
   * @param file where; an existing file is replaced
   * @throws IOException if it cannot be written
   */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, this::write);
  }

  /**
   * Writes the bytes of the file.
   *
   * @param out not closed
   * @throws IOException if it cannot be written
   */
  public void write(OutputStream out) throws IOException {
    List<Entry> ordered = new ArrayList<>(entries.values());
    ordered.sort(
        Comparator.comparingInt((Entry entry) -> -entry.type().bits()).thenComparing(Entry::name));
    byte[] header = header(ordered);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    out.write(length.putLong(header.length).array());
    out.write(header);
    for (Entry entry : ordered) {
      write(entry, out);
    }
  }

  private SafetensorsWriter add(Entry entry) {
    if (entry.name().equals("__metadata__")) {
      throw new IllegalArgumentException("name must not be __metadata__");
    }
    if (entry.shape().stream().anyMatch(dimension -> dimension < 0)
        || TensorInfo.elements(entry.shape()) != entry.count()) {
      throw new IllegalArgumentException(
          ("shape of \"" + entry.name() + "\" must have " + entry.count() + " elements, got ")
              + entry.shape());
    }
    if (entries.putIfAbsent(entry.name(), entry) != null) {
      throw new IllegalArgumentException("tensor \"" + entry.name() + "\" is there already");
    }
    return this;
  }

  private static void write(Entry entry, OutputStream out) throws IOException {
    int size = entry.type().bits() / 8;
    ByteBuffer bytes = ByteBuffer.allocate(CHUNK * size).order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < entry.count(); from += CHUNK) {
      int count = Math.min(CHUNK, entry.count() - from);
      entry.elements().fill(bytes, from, count);
      out.write(bytes.array(), 0, count * size);
    }
  }

  /** The JSON, padded with spaces so that the data begins at a multiple of 8. */
  private byte[] header(List<Entry> ordered) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = SafetensorsHeader.JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long at = 0;
      for (Entry entry : ordered) {
        json.writeObjectFieldStart(entry.name());
        json.writeStringField("dtype", entry.type().name());
        numbers(json, "shape", entry.shape());
        numbers(json, "data_offsets", List.of(at, at + entry.length()));
        json.writeEndObject();
        at += entry.length();
      }
      json.writeEndObject();
    }
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  private static void numbers(JsonGenerator json, String name, List<Long> values)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (long value : values) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }
}
