package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tensors spread over several safetensors files, which an index names: {@code {"metadata": {…},
 * "weight_map": {"tensor": "file"}}}. Files must lie in the index's folder or below it; tensors
 * that the index does not name are not seen.
 */
public final class ShardedSafetensors implements TensorStore {

  private final Path index;
  private final Map<String, SafetensorsFile> byTensor;
  private final Map<String, String> metadata;
  private volatile boolean closed;

  private ShardedSafetensors(
      Path index, Map<String, SafetensorsFile> byTensor, Map<String, String> metadata) {
    this.index = index;
    this.byTensor = Collections.unmodifiableMap(byTensor);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /**
   * Opens all files that an index names and checks that they hold what it says.
   *
   * @param index a file such as {@code diffusion_pytorch_model.safetensors.index.json}
   * @return the tensors; the caller closes it
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if the index or a file is not valid, or a tensor is missing
   */
  public static ShardedSafetensors open(Path index) throws IOException {
    requireNonNull(index, "index");
    if (Files.size(index) > SafetensorsHeader.MAX_LENGTH) {
      throw SafetensorsHeader.bad(index, "is too long for an index: " + Files.size(index));
    }
    Map<String, String> fileOf = new LinkedHashMap<>();
    Map<String, String> metadata = new TreeMap<>();
    parse(index, fileOf, metadata);
    Map<String, SafetensorsFile> opened = new TreeMap<>();
    Map<String, SafetensorsFile> byTensor = new LinkedHashMap<>();
    for (Map.Entry<String, String> entry : fileOf.entrySet()) {
      SafetensorsFile file = opened.get(entry.getValue());
      if (file == null) {
        file = shard(index, entry.getValue());
        opened.put(entry.getValue(), file);
      }
      file.info(entry.getKey());
      byTensor.put(entry.getKey(), file);
    }
    return new ShardedSafetensors(index, byTensor, metadata);
  }

  @Override
  public Set<String> names() {
    return opened().keySet();
  }

  /** Scalars of the index's {@code metadata} object, such as {@code total_size}, as text. */
  @Override
  public Map<String, String> metadata() {
    opened();
    return metadata;
  }

  @Override
  public TensorInfo info(String name) {
    return file(name).info(name);
  }

  @Override
  public ByteBuffer buffer(String name) {
    return file(name).buffer(name);
  }

  @Override
  public float[] floats(String name) {
    return file(name).floats(name);
  }

  @Override
  public long[] longs(String name) {
    return file(name).longs(name);
  }

  @Override
  public void close() {
    closed = true;
    byTensor.values().forEach(SafetensorsFile::close);
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = opened().get(requireNonNull(name, "name"));
    if (file == null) {
      throw SafetensorsHeader.bad(index, "has no tensor \"" + name + "\"");
    }
    return file;
  }

  private Map<String, SafetensorsFile> opened() {
    if (closed) {
      throw new IllegalStateException(index + " is closed");
    }
    return byTensor;
  }

  private static SafetensorsFile shard(Path index, String name) throws IOException {
    Path folder = index.toAbsolutePath().normalize().getParent();
    Path file;
    try {
      Path relative = Path.of(name);
      file = folder.resolve(relative).normalize();
      boolean steps = name.contains("\\") || !relative.equals(relative.normalize());
      if (relative.isAbsolute() || steps || !file.startsWith(folder) || file.equals(folder)) {
        throw SafetensorsHeader.bad(
            index, "names the file \"" + name + "\", which is not a plain path in its folder");
      }
    } catch (InvalidPathException e) {
      throw new ModelFormatException(index + " names the file \"" + name + "\", not a path", e);
    }
    try {
      return SafetensorsFile.open(file);
    } catch (NoSuchFileException e) {
      throw new ModelFormatException(
          index + " names the file \"" + name + "\", which is missing: the download is incomplete",
          e);
    }
  }

  private static void parse(Path index, Map<String, String> fileOf, Map<String, String> metadata)
      throws IOException {
    try (InputStream in = Files.newInputStream(index);
        JsonParser json = SafetensorsHeader.JSON.createParser(in)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw SafetensorsHeader.bad(index, "must be a JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        boolean object = json.nextToken() == JsonToken.START_OBJECT;
        if (key.equals("weight_map") && object) {
          strings(index, json, fileOf);
        } else if (key.equals("metadata") && object) {
          scalars(json, metadata);
        } else {
          json.skipChildren();
        }
      }
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(index + " is not valid JSON", e);
    }
    if (fileOf.isEmpty()) {
      throw SafetensorsHeader.bad(index, "has no weight_map");
    }
  }

  private static void strings(Path index, JsonParser json, Map<String, String> to)
      throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw SafetensorsHeader.bad(index, "must map \"" + key + "\" to a file name");
      }
      to.put(key, json.getText());
    }
  }

  private static void scalars(JsonParser json, Map<String, String> to) throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String key = json.currentName();
      if (json.nextToken().isScalarValue()) {
        to.put(key, json.getText());
      } else {
        json.skipChildren();
      }
    }
  }
}
