package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * A safetensors file, memory-mapped; files and tensors over 2 GiB are fine. The header is checked
 * in full when the file is opened: its length, its JSON, duplicate names, types, shapes, offsets,
 * overlaps and holes.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class SafetensorsFile implements TensorStore {

  private final Path file;
  private final SafetensorsHeader header;
  private final NavigableMap<Long, ByteBuffer> segments;
  private volatile boolean closed;

  private SafetensorsFile(
      Path file, SafetensorsHeader header, NavigableMap<Long, ByteBuffer> segments) {
    this.file = file;
    this.header = header;
    this.segments = segments;
  }

  /**
   * Opens a file and checks its header.
   *
   * @param file the file
   * @return its tensors; the caller closes it
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it is not a valid safetensors file; the message says why
   */
  public static SafetensorsFile open(Path file) throws IOException {
    requireNonNull(file, "file");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      SafetensorsHeader header = SafetensorsHeader.read(file, channel);
      return new SafetensorsFile(file, header, map(header, channel));
    }
  }

  @Override
  public Set<String> names() {
    return opened().tensors().keySet();
  }

  @Override
  public Map<String, String> metadata() {
    return opened().metadata();
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = opened().tensors().get(requireNonNull(name, "name"));
    if (info == null) {
      throw SafetensorsHeader.bad(
          file,
          ("has no tensor \"" + name + "\" among its " + header.tensors().size() + ", such as ")
              + header.tensors().keySet().stream().limit(3).toList());
    }
    return info;
  }

  @Override
  public ByteBuffer buffer(String name) {
    TensorInfo info = info(name);
    if (info.length() > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          ElementReader.describe(info)
              + (": " + info.length() + " bytes do not fit into one buffer; ")
              + "read it in parts at its file, offset and length");
    }
    return bytes(info, 0, (int) info.length());
  }

  @Override
  public float[] floats(String name) {
    TensorInfo info = info(name);
    return ElementReader.floats(info, (from, length) -> bytes(info, from, length));
  }

  @Override
  public long[] longs(String name) {
    TensorInfo info = info(name);
    return ElementReader.longs(info, (from, length) -> bytes(info, from, length));
  }

  @Override
  public void close() {
    closed = true;
  }

  /** Maps whole tensors together up to 2 GiB; a longer tensor gets a map for each window. */
  private static NavigableMap<Long, ByteBuffer> map(SafetensorsHeader header, FileChannel channel)
      throws IOException {
    NavigableMap<Long, ByteBuffer> segments = new TreeMap<>();
    long begin = -1;
    long end = -1;
    for (TensorInfo info : header.tensors().values()) {
      long tensorEnd = info.offset() + info.length();
      if (begin >= 0 && tensorEnd - begin > Integer.MAX_VALUE) {
        segments.put(begin, map(channel, begin, end));
        begin = -1;
      }
      if (info.length() > Integer.MAX_VALUE) {
        for (long at = info.offset(); at < tensorEnd; at += ElementReader.WINDOW) {
          segments.put(at, map(channel, at, Math.min(tensorEnd, at + ElementReader.WINDOW)));
        }
      } else if (info.length() > 0) {
        begin = begin < 0 ? info.offset() : begin;
        end = tensorEnd;
      }
    }
    if (begin >= 0) {
      segments.put(begin, map(channel, begin, end));
    }
    return segments;
  }

  private static ByteBuffer map(FileChannel channel, long begin, long end) throws IOException {
    return channel.map(FileChannel.MapMode.READ_ONLY, begin, end - begin);
  }

  private ByteBuffer bytes(TensorInfo info, long from, int length) {
    if (length == 0) {
      return ByteBuffer.allocate(0).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
    long at = info.offset() + from;
    Map.Entry<Long, ByteBuffer> segment = segments.floorEntry(at);
    int start = (int) (at - segment.getKey());
    return segment.getValue().slice(start, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private SafetensorsHeader opened() {
    if (closed) {
      throw new IllegalStateException(file + " is closed");
    }
    return header;
  }

  @Override
  public String toString() {
    return file + " (" + header.tensors().size() + " tensors)";
  }
}
