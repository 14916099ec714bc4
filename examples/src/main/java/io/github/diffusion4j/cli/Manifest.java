package io.github.diffusion4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What has become of each picture of a batch file: JSON Lines, one object a picture, appended when
 * it is done, so that a run that was stopped can go on. A last line that was cut short does not
 * count. Not thread-safe.
 */
final class Manifest {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path file;
  private final String batch;
  private final Map<String, JsonNode> entries = new HashMap<>();

  /** Bytes of the file that are whole lines; what is behind them is cut before more is written. */
  private long whole;

  private boolean newline = true;

  private Manifest(Path file, String batch) {
    this.file = file;
    this.batch = batch;
  }

  /**
   * Opens a manifest, which need not be there.
   *
   * @param file the manifest
   * @param batch name of the batch file; entries of others are left alone
   */
  static Manifest open(Path file, String batch) throws IOException {
    Manifest manifest = new Manifest(file.toAbsolutePath(), batch);
    if (Files.exists(file)) {
      manifest.read(Files.readAllBytes(file));
    } else if (!Files.isDirectory(manifest.file.getParent())) {
      throw new IllegalArgumentException(
          "--manifest: there is no folder " + manifest.file.getParent());
    }
    return manifest;
  }

  private void read(byte[] bytes) {
    int number = 1;
    int start = 0;
    while (start < bytes.length) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      boolean last = end == bytes.length;
      String line = new String(Arrays.copyOfRange(bytes, start, end), StandardCharsets.UTF_8);
      if (!line.isBlank() && !take(line)) {
        if (last) {
          return;
        }
        throw new IllegalArgumentException(
            BatchReader.at(file, number, "not a line of a manifest; choose another --manifest"));
      }
      newline = !last;
      start = end + 1;
      whole = Math.min(start, bytes.length);
      number++;
    }
  }

  private boolean take(String line) {
    try {
      JsonNode entry = JSON.readTree(line);
      if (!entry.path("line").isInt() || !entry.path("picture").isInt()) {
        return false;
      }
      if (entry.path("batch").asText().equals(batch)) {
        entries.put(key(entry.path("line").asInt(), entry.path("picture").asInt()), entry);
      }
      return true;
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static String key(int line, int picture) {
    return line + "." + picture;
  }

  /** Where it is. */
  Path file() {
    return file;
  }

  /** The seed of a line's first picture. */
  OptionalLong seed(int line) {
    JsonNode seed = entries.getOrDefault(key(line, 1), JsonNodeFactory.instance.objectNode());
    return seed.path("seed").isIntegralNumber()
        ? OptionalLong.of(seed.path("seed").asLong())
        : OptionalLong.empty();
  }

  /** Whether a picture is painted already, as it is asked for and where it is asked for. */
  boolean has(BatchPicture picture, Path folder) {
    JsonNode entry = entries.get(key(picture.line(), picture.picture()));
    if (entry == null || !entry.path("file").isTextual()) {
      return false;
    }
    ObjectNode asked = describe(picture);
    for (String name : new String[] {"prompt", "seed", "options"}) {
      if (!asked.get(name).toString().equals(entry.path(name).toString())) {
        return false;
      }
    }
    Path painted = file.resolveSibling(entry.path("file").asText()).normalize();
    boolean here =
        picture
            .target()
            .map(target -> target.toAbsolutePath().normalize().equals(painted))
            .orElseGet(() -> folder.toAbsolutePath().normalize().equals(painted.getParent()));
    return here && Files.isRegularFile(painted);
  }

  /** Notes a finished picture. */
  void painted(BatchPicture picture, Path painted, double seconds) throws IOException {
    ObjectNode entry = describe(picture);
    entry.put("file", relative(painted)).put("seconds", seconds);
    append(entry);
  }

  /** Notes a picture that could not be painted. */
  void failed(BatchPicture picture, String error) throws IOException {
    append(describe(picture).put("error", error));
  }

  private ObjectNode describe(BatchPicture picture) {
    ObjectNode entry = JsonNodeFactory.instance.objectNode();
    entry.put("batch", batch).put("line", picture.line()).put("picture", picture.picture());
    entry.put("prompt", picture.job().prompt()).put("seed", picture.job().seed());
    ObjectNode options = entry.putObject("options");
    picture.options().forEach(options::put);
    return entry;
  }

  private String relative(Path painted) {
    Path absolute = painted.toAbsolutePath().normalize();
    Path folder = file.getParent().normalize();
    return absolute.startsWith(folder)
        ? folder.relativize(absolute).toString().replace(File.separatorChar, '/')
        : absolute.toString();
  }

  private void append(ObjectNode entry) throws IOException {
    byte[] line = ((newline ? "" : "\n") + entry + "\n").getBytes(StandardCharsets.UTF_8);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.truncate(whole).position(whole);
      ByteBuffer buffer = ByteBuffer.wrap(line);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(false);
    }
    whole += line.length;
    newline = true;
  }
}
