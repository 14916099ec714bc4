package io.github.diffusion4j.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.golden.Safetensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Draws what the reference's generators draw, value for value. */
class NoiseGoldenTest {

  /** One draw: whatever was drawn, as doubles or as integers. */
  private record Drawn(double[] reals, long[] integers) {}

  private interface Source {
    Drawn draw(JsonNode draw);
  }

  private final Goldens goldens = Goldens.of("random");

  @TestFactory
  Stream<DynamicTest> drawsAsTheReference() throws IOException {
    Safetensors tensors = goldens.tensors("random.safetensors");
    return StreamSupport.stream(goldens.json("random.json").spliterator(), false)
        .map(
            entry ->
                DynamicTest.dynamicTest(entry.path("name").asText(), () -> check(entry, tensors)));
  }

  private static void check(JsonNode entry, Safetensors tensors) {
    Source source = source(entry);
    for (JsonNode draw : entry.path("draws")) {
      Drawn drawn = source.draw(draw);
      if (draw.path("dtype").asText().equals("int64")) {
        checkIntegers(draw, drawn.integers, tensors);
      } else {
        checkReals(entry, draw, drawn.reals, tensors);
      }
    }
  }

  private static void checkIntegers(JsonNode draw, long[] actual, Safetensors tensors) {
    String name = draw.path("tensor").asText();
    assertEquals(draw.path("count").asInt(), actual.length, name);
    for (Part part : parts(draw, actual.length)) {
      long[] expected = tensors.longs(name + part.suffix);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[part.from + i], name + " at " + (part.from + i));
      }
    }
  }

  private static void checkReals(
      JsonNode entry, JsonNode draw, double[] actual, Safetensors tensors) {
    String name = draw.path("tensor").asText();
    assertEquals(draw.path("count").asInt(), actual.length, name);
    double limit = limit(entry.path("source").asText(), draw);
    for (Part part : parts(draw, actual.length)) {
      double[] expected = reals(tensors, name + part.suffix, draw.path("dtype").asText());
      for (int i = 0; i < expected.length; i++) {
        assertEquals(
            expected[i],
            actual[part.from + i],
            limit * Math.max(1, Math.abs(expected[i])),
            name + " at " + (part.from + i));
      }
    }
    assertEquals(draw.path("sum").asDouble(), Arrays.stream(actual).sum(), 1e-3, name + " sum");
    double squares = Arrays.stream(actual).map(value -> value * value).sum();
    assertEquals(draw.path("sum_sq").asDouble(), squares, 1e-3, name + " sum of squares");
  }

  private record Part(String suffix, int from) {}

  private static List<Part> parts(JsonNode draw, int count) {
    List<Part> parts = new ArrayList<>();
    if (draw.path("stored").asText().equals("all")) {
      parts.add(new Part("", 0));
      return parts;
    }
    parts.add(new Part(".head", 0));
    parts.add(new Part(".tail", count - 64));
    if (draw.has("edge_at")) {
      parts.add(new Part(".edge", draw.path("edge_at").asInt() - 8));
    }
    return parts;
  }

  private static double[] reals(Safetensors tensors, String name, String type) {
    if (type.equals("float64")) {
      return tensors.doubles(name);
    }
    float[] values = tensors.floats(name);
    double[] reals = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      reals[i] = values[i];
    }
    return reals;
  }

  private static double limit(String source, JsonNode draw) {
    if (draw.path("op").asText().startsWith("rand") && !draw.path("op").asText().equals("randn")) {
      return 0;
    }
    return switch (source) {
      case "numpy_random_state" -> 1e-14;
      case "numpy_default_rng" -> 1e-13;
      case "torch_cuda" -> 1e-6;
      default ->
          switch (draw.path("dtype").asText()) {
            case "float64" -> 1e-14;
            case "float16" -> 1e-3;
            case "bfloat16" -> 8e-3;
            default -> 1e-6;
          };
    };
  }

  private static Source source(JsonNode entry) {
    long seed = entry.path("seed").asLong();
    return switch (entry.path("source").asText()) {
      case "torch_cpu" -> torch(new TorchNoise(seed));
      case "torch_cpu_list" -> {
        List<NoiseSource> sources = new ArrayList<>();
        entry.path("seeds").forEach(item -> sources.add(new TorchNoise(item.asLong())));
        yield floats(NoiseSource.perImage(sources));
      }
      case "mt19937" -> {
        MersenneTwister words = new MersenneTwister(seed);
        yield draw -> integers(draw, i -> words.next() & 0xffffffffL);
      }
      case "numpy_random_state" -> {
        NumpyNoise noise = new NumpyNoise(seed);
        yield draw ->
            doubles(draw, isUniform(draw) ? noise::fillUniform : (double[] dst) -> noise.fill(dst));
      }
      case "numpy_default_rng" -> {
        Pcg64Noise noise = new Pcg64Noise(seed);
        yield draw ->
            doubles(draw, isUniform(draw) ? noise::fillUniform : (double[] dst) -> noise.fill(dst));
      }
      case "pcg64" -> {
        Pcg64Noise noise = new Pcg64Noise(seed);
        yield draw -> integers(draw, i -> noise.next());
      }
      case "seed_sequence" -> {
        int[] words = new SeedSequence(seed).generate(8);
        yield draw -> integers(draw, i -> words[i] & 0xffffffffL);
      }
      case "philox" -> draw -> philox(seed, draw);
      case "torch_cuda" ->
          floats(
              entry.has("threads")
                  ? new PhiloxNoise(seed, entry.path("threads").asInt())
                  : new PhiloxNoise(seed));
      default -> throw new AssertionError("no such source: " + entry.path("source"));
    };
  }

  private static Source torch(TorchNoise noise) {
    return draw -> {
      int count = draw.path("count").asInt();
      String type = draw.path("dtype").asText();
      boolean uniform = draw.path("op").asText().equals("rand");
      if (type.equals("int64")) {
        if (draw.path("op").asText().equals("randperm")) {
          return new Drawn(new double[0], noise.permutation(draw.path("n").asInt()));
        }
        long[] values = new long[count];
        noise.fillIntegers(values, draw.path("low").asLong(), draw.path("high").asLong());
        return new Drawn(new double[0], values);
      }
      if (type.equals("float64")) {
        return doubles(draw, uniform ? noise::fillUniform : (double[] dst) -> noise.fill(dst));
      }
      Precision precision = Precision.valueOf(type.toUpperCase(java.util.Locale.ROOT));
      NoiseSource source =
          uniform ? dst -> noise.fillUniform(dst, precision) : dst -> noise.fill(dst, precision);
      return floats(source).draw(draw);
    };
  }

  private static boolean isUniform(JsonNode draw) {
    return draw.path("op").asText().equals("random");
  }

  private static Source floats(NoiseSource noise) {
    return draw -> {
      float[] values = new float[draw.path("count").asInt()];
      noise.fill(values);
      double[] reals = new double[values.length];
      for (int i = 0; i < values.length; i++) {
        reals[i] = values[i];
      }
      return new Drawn(reals, new long[0]);
    };
  }

  private static Drawn doubles(JsonNode draw, java.util.function.Consumer<double[]> noise) {
    double[] values = new double[draw.path("count").asInt()];
    noise.accept(values);
    return new Drawn(values, new long[0]);
  }

  private static Drawn integers(JsonNode draw, java.util.function.IntToLongFunction words) {
    long[] values = new long[draw.path("count").asInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = words.applyAsLong(i);
    }
    return new Drawn(new double[0], values);
  }

  private static Drawn philox(long seed, JsonNode draw) {
    int threads = draw.path("shape").path(1).asInt();
    long[] values = new long[draw.path("count").asInt()];
    Philox words = new Philox(threads);
    words.generate(seed, draw.path("offset").asLong(), 0, threads);
    for (int row = 0; row < Philox.WORDS; row++) {
      for (int thread = 0; thread < threads; thread++) {
        values[row * threads + thread] = words.word(row, thread);
      }
    }
    return new Drawn(new double[0], values);
  }
}
