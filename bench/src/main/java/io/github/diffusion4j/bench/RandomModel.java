package io.github.diffusion4j.bench;

import ai.onnxruntime.platform.Fp16Conversions;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.Parameters;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Writes a model of the real size with random weights as diffusers keeps it, in safetensors files:
 * for timing, and for memory. What it paints is noise. Matrices are N(0, 1/inputs), embeddings N(0,
 * 0.02²), scales of normalizations 1, shifts 0; the values depend on names and seed alone.
 */
public final class RandomModel {

  private static final JsonMapper JSON = new JsonMapper();
  private static final int QUANTILES = 1 << 16;
  private static final float EMBEDDING_DEVIATION = 0.02f;

  private final Path from;
  private final Path to;
  private final TensorType type;
  private final long seed;
  private final float[] normal = quantiles();

  private RandomModel(Path from, Path to, TensorType type, long seed) {
    this.from = from;
    this.to = to;
    this.type = type;
    this.seed = seed;
  }

  /**
   * Writes a model.
   *
   * @param args a model's folder, whose configurations are taken; a folder that does not exist yet
   *     or is empty; then perhaps {@code F16} or {@code F32}, and a seed
   * @throws IOException if a file cannot be read or written
   */
  public static void main(String... args) throws IOException {
    if (args.length < 2 || args.length > 4) {
      System.err.println("arguments: MODEL OUT [F32|F16] [SEED]");
      System.exit(2);
    }
    TensorType type = args.length > 2 ? TensorType.valueOf(args[2]) : TensorType.F32;
    long seed = args.length > 3 ? Long.parseLong(args[3]) : 0;
    new RandomModel(Path.of(args[0]), Path.of(args[1]), type, seed).write();
  }

  void write() throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> there = Files.list(to)) {
      if (there.findAny().isPresent()) {
        throw new IOException(to + " must be empty");
      }
    }
    ObjectNode index = (ObjectNode) JSON.readTree(from.resolve("model_index.json").toFile());
    copyOthers();
    for (Map.Entry<String, com.fasterxml.jackson.databind.JsonNode> part : index.properties()) {
      String name = part.getKey();
      String kind = part.getValue().path(1).asText("");
      if (name.startsWith("text_encoder") || name.equals("unet") || name.equals("controlnet")) {
        component(name, kind, List.of(name), name.startsWith("text"));
      } else if (name.equals("vae")) {
        component(name, kind, List.of("vae_encoder", "vae_decoder"), false);
      }
    }
  }

  /** Everything small that is no network. */
  private void copyOthers() throws IOException {
    try (Stream<Path> files = Files.walk(from, 2)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path name = from.relativize(file);
        String folder = name.getName(0).toString();
        if (name.getNameCount() == 1 || folder.matches("scheduler|tokenizer(_\\d)?")) {
          Files.createDirectories(to.resolve(name).getParent());
          Files.copy(file, to.resolve(name));
        }
      }
    }
  }

  /** One folder of weights: a network, or the halves of an autoencoder. */
  private void component(String name, String kind, List<String> networks, boolean transformers)
      throws IOException {
    Path given = from.resolve(name).resolve("config.json");
    if (!Files.exists(given)) {
      given = from.resolve(networks.get(networks.size() - 1)).resolve("config.json");
    }
    ObjectNode config = (ObjectNode) JSON.readTree(given.toFile());
    if (transformers) {
      config.putArray("architectures").add(kind);
    } else {
      config.put("_class_name", kind);
    }
    Path folder = Files.createDirectories(to.resolve(name));
    Map<String, List<Long>> shapes = new TreeMap<>();
    for (String network : networks) {
      shapes.putAll(
          Parameters.of(Architectures.of(network, new ConfigFile(name + "/config.json", config))));
    }
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    shapes.forEach((key, shape) -> writer.add(key, type, shape, source(name + "/" + key, shape)));
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(folder.resolve("config.json").toFile(), config);
    writer.write(
        folder.resolve(transformers ? "model.safetensors" : "diffusion_pytorch_model.safetensors"));
    long count =
        shapes.values().stream()
            .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
            .sum();
    System.out.printf("%s: %d parameters%n", name, count);
  }

  private SafetensorsWriter.Source source(String name, List<Long> shape) {
    if (shape.size() == 1) {
      float value = name.endsWith("weight") ? 1 : 0;
      return (bytes, count) -> {
        for (int i = 0; i < count; i++) {
          put(bytes, i, value);
        }
      };
    }
    long inputs = shape.stream().skip(1).reduce(1L, Math::multiplyExact);
    float deviation =
        name.contains("embedding.weight") ? EMBEDDING_DEVIATION : (float) Math.sqrt(1.0 / inputs);
    SplittableRandom random = new SplittableRandom(hash(seed + "/" + name));
    return (bytes, count) -> {
      long bits = 0;
      for (int i = 0; i < count; i++) {
        bits = i % 4 == 0 ? random.nextLong() : bits >>> 16;
        put(bytes, i, normal[(int) (bits & 0xffff)] * deviation);
      }
    };
  }

  private void put(ByteBuffer bytes, int place, float value) {
    if (type == TensorType.F16) {
      bytes.putShort(2 * place, Fp16Conversions.floatToFp16(value));
    } else {
      bytes.putFloat(4 * place, value);
    }
  }

  /** FNV-1a. */
  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    return hash;
  }

  /** Equally likely values of the normal distribution (Acklam's approximation). */
  private static float[] quantiles() {
    float[] values = new float[QUANTILES];
    for (int i = 0; i < QUANTILES; i++) {
      values[i] = (float) quantile((i + 0.5) / QUANTILES);
    }
    return values;
  }

  private static double quantile(double p) {
    if (p > 0.5) {
      return -quantile(1 - p);
    }
    if (p < 0.02425) {
      double q = Math.sqrt(-2 * Math.log(p));
      return polynomial(
              q,
              -7.784894002430293e-03,
              -3.223964580411365e-01,
              -2.400758277161838,
              -2.549732539343734,
              4.374664141464968,
              2.938163982698783)
          / polynomial(
              q,
              7.784695709041462e-03,
              3.224671290700398e-01,
              2.445134137142996,
              3.754408661907416,
              1);
    }
    double q = p - 0.5;
    double r = q * q;
    return q
        * polynomial(
            r,
            -3.969683028665376e+01,
            2.209460984245205e+02,
            -2.759285104469687e+02,
            1.383577518672690e+02,
            -3.066479806614716e+01,
            2.506628277459239)
        / polynomial(
            r,
            -5.447609879822406e+01,
            1.615858368580409e+02,
            -1.556989798598866e+02,
            6.680131188771972e+01,
            -1.328068155288572e+01,
            1);
  }

  private static double polynomial(double x, double... coefficients) {
    double sum = 0;
    for (double coefficient : coefficients) {
      sum = sum * x + coefficient;
    }
    return sum;
  }
}
