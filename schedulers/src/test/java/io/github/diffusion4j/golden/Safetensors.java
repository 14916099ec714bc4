package io.github.diffusion4j.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tensors of a .safetensors file: a JSON header, then little-endian values. */
public final class Safetensors {

  private final JsonNode header;
  private final ByteBuffer data;

  private Safetensors(JsonNode header, ByteBuffer data) {
    this.header = header;
    this.data = data;
  }

  public static Safetensors read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) bytes.getLong()];
    bytes.get(header);
    return new Safetensors(
        new ObjectMapper().readTree(header), bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  public boolean has(String name) {
    return header.has(name);
  }

  public float[] floats(String name) {
    float[] values = new float[bytes(name, "F32").remaining() / Float.BYTES];
    bytes(name, "F32").asFloatBuffer().get(values);
    return values;
  }

  public double[] doubles(String name) {
    double[] values = new double[bytes(name, "F64").remaining() / Double.BYTES];
    bytes(name, "F64").asDoubleBuffer().get(values);
    return values;
  }

  public long[] longs(String name) {
    long[] values = new long[bytes(name, "I64").remaining() / Long.BYTES];
    bytes(name, "I64").asLongBuffer().get(values);
    return values;
  }

  private ByteBuffer bytes(String name, String type) {
    JsonNode entry = header.path(name);
    if (!entry.path("dtype").asText().equals(type)) {
      throw new IllegalArgumentException(name + " must be " + type + ", got " + entry);
    }
    int from = entry.path("data_offsets").path(0).asInt();
    int to = entry.path("data_offsets").path(1).asInt();
    return data.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN);
  }
}
