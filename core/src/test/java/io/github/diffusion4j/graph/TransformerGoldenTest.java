package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.GoldenNetworks.RUNTIME;
import static io.github.diffusion4j.graph.GoldenNetworks.assertClose;
import static io.github.diffusion4j.graph.GoldenNetworks.elements;
import static io.github.diffusion4j.graph.GoldenNetworks.gaussians;
import static io.github.diffusion4j.graph.GoldenNetworks.source;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Transformers built from safetensors against the reference's outputs, and from the weights of
 * every exported one against what the export computes.
 */
class TransformerGoldenTest {

  private static final String COMPONENT = "transformer";
  private static final String OUTPUT = "out_hidden_states";
  private static final float TOLERANCE = 1e-4f;

  /** The reference's names of inputs that it calls otherwise. */
  private static final Map<String, String> GOLDEN_NAMES =
      Map.of("encoder_hidden_states", "prompt_embeds", "pooled_projections", "pooled");

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @TestFactory
  List<DynamicTest> reference() throws IOException {
    Path weights = Goldens.folder("pipelines").resolve("weights");
    Path file = weights.resolve("forward_golden.safetensors");
    List<DynamicTest> tests = new ArrayList<>();
    try (SafetensorsFile golden = SafetensorsFile.open(file)) {
      for (String tensor : golden.names()) {
        if (tensor.endsWith(".transformer_out")) {
          String model = tensor.substring(0, tensor.indexOf('.'));
          tests.add(
              DynamicTest.dynamicTest(
                  model, () -> againstReference(weights.resolve(model), file, model + ".")));
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static void againstReference(Path model, Path file, String prefix) throws IOException {
    ConfigFile config = ConfigFile.read(model, "transformer/config.json");
    Path stored = model.resolve("transformer/diffusion_pytorch_model.safetensors");
    BuiltNetwork network =
        new BuiltNetwork(COMPONENT, Architectures.of(COMPONENT, config), WeightSource.of(stored));
    try (SafetensorsFile golden = SafetensorsFile.open(file);
        OrtModel opened = RUNTIME.open(COMPONENT, network, List.of());
        OrtBinding binding = opened.bind(new CancelToken())) {
      for (TensorSpec spec : opened.inputs().values()) {
        String name = prefix + GOLDEN_NAMES.getOrDefault(spec.name(), spec.name());
        long[] shape = golden.info(name).shape().stream().mapToLong(Long::longValue).toArray();
        binding.input(spec.name(), shape).put(floats(golden, name));
      }
      float[] found = binding.fetch(Set.of(OUTPUT)).get(OUTPUT).values();
      assertClose(golden.floats(prefix + "transformer_out"), found, TOLERANCE, OUTPUT);
    }
  }

  private static float[] floats(SafetensorsFile golden, String name) {
    if (golden.info(name).type().kind() == io.github.diffusion4j.tensor.TensorType.Kind.FLOATING) {
      return golden.floats(name);
    }
    long[] integers = golden.longs(name);
    float[] values = new float[integers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = integers[i];
    }
    return values;
  }

  @TestFactory
  List<DynamicTest> exports() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> variants = Files.list(Goldens.folder("pipelines"))) {
      for (Path variant : variants.sorted().toList()) {
        Path folder = variant.resolve("model").resolve(COMPONENT);
        if (Files.exists(folder.resolve("model.onnx"))) {
          String name = variant.getFileName().toString();
          tests.add(DynamicTest.dynamicTest(name, () -> againstExport(folder)));
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static void againstExport(Path folder) throws IOException {
    Path onnx = folder.resolve("model.onnx");
    Architecture architecture = Architectures.of(COMPONENT, ConfigFile.read(folder, "config.json"));
    Path stored = stored(folder.getParent().getParent());
    WeightSource weights =
        Files.exists(stored)
            ? WeightSource.of(stored) // an export may hold the middle of its table of places only
            : source(onnx, new ExportedWeights(onnx));
    BuiltNetwork network = new BuiltNetwork(COMPONENT, architecture, weights);
    try (OrtModel expected = RUNTIME.open(COMPONENT, onnx);
        OrtModel found = RUNTIME.open(COMPONENT, network, List.of())) {
      assertEquals(describe(expected.inputs()), describe(found.inputs()));
      assertEquals(describe(expected.outputs()), describe(found.outputs()));
      long seed = Long.getLong("tests.seed", 83);
      System.out.println(folder.getParent().getParent().getFileName() + " seed " + seed);
      assertClose(run(expected, seed), run(found, seed), TOLERANCE, OUTPUT);
    }
  }

  /** Where the weights of a variant are, if there are any beside its export. */
  private static Path stored(Path variant) {
    return variant
        .resolveSibling("weights")
        .resolve(variant.getFileName())
        .resolve("transformer/diffusion_pytorch_model.safetensors");
  }

  private static Map<String, String> describe(Map<String, TensorSpec> specs) {
    Map<String, String> described = new TreeMap<>();
    specs.forEach((name, spec) -> described.put(name, spec.describe()));
    return described;
  }

  private static float[] run(OrtModel model, long seed) {
    Random random = new Random(seed);
    try (OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : new TreeMap<>(model.inputs()).values()) {
        long[] shape = shape(spec);
        int elements = elements(shape);
        OrtTensor input = binding.input(spec.name(), shape);
        if (spec.type() == ElementType.INT64) {
          input.put(random.longs(elements, 0, 24).toArray());
        } else {
          input.put(gaussians(random, elements));
        }
      }
      return binding.fetch(Set.of(OUTPUT)).get(OUTPUT).values();
    }
  }

  /** A batch of two pictures of 4 by 6 patches with 7 tokens. */
  private static long[] shape(TensorSpec spec) {
    long[] shape = new long[spec.rank()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] =
          spec.dim(i) > 0
              ? spec.dim(i)
              : switch (spec.dimensionNames().get(i)) {
                case "sequence_length" -> 7;
                case "packed_height_width" -> 24;
                case "height" -> 8;
                case "width" -> 12;
                default -> 2;
              };
    }
    return shape;
  }
}
