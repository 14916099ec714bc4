package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The layers above a cut, on the feature of the same step, give what the whole UNet gives. */
class DeepFeatureTest {

  private static final float TOLERANCE = 1e-5f;
  private static final String OUTPUT = "out_sample";

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(
          RuntimeOptions.builder()
              .intraOpThreads(1)
              .precision(RuntimeOptions.Precision.FLOAT32)
              .build());

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  /** Every UNet among the goldens, of weights and of exports, cut at every place. */
  @TestFactory
  List<DynamicTest> layersAboveEveryCut() throws IOException {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    List<DynamicTest> tests = new ArrayList<>();
    for (String place : List.of("pipelines", "unets", "feature-reuse")) {
      Path root = Goldens.folder(place);
      try (Stream<Path> files = Files.walk(root)) {
        for (Path config : files.filter(file -> file.endsWith("config.json")).sorted().toList()) {
          Path folder = config.getParent();
          if (network(folder).isPresent()) {
            tests.add(
                DynamicTest.dynamicTest(
                    root.getParent().relativize(folder).toString(), () -> check(folder, seed)));
          }
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static Optional<BuiltNetwork> network(Path folder) throws IOException {
    ConfigFile config = ConfigFile.read(folder, "config.json");
    String name = config.text("_class_name").orElse("");
    if (!name.startsWith("UNet2D")) {
      return Optional.empty();
    }
    UNet unet = UNet.of(config);
    UNetConfig.EmbeddingConfig extra = unet.config().extra();
    if (extra.addition() == UNetConfig.Addition.TEXT_TIME) {
      int sizes = 5 * extra.additionSinusoids();
      unet = unet.withPooledWidth(extra.additionWidth() - sizes);
    }
    Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
    Path onnx = folder.resolve("model.onnx");
    if (Files.exists(weights)) {
      return Optional.of(new BuiltNetwork("unet", unet, WeightSource.of(weights)));
    }
    return Files.exists(onnx)
        ? Optional.of(new BuiltNetwork("unet", unet, new Exported(onnx, new ExportedWeights(onnx))))
        : Optional.empty();
  }

  /** An export's weights, some of which are known only by the order in which all are asked for. */
  private record Exported(Path file, Weights weights) implements WeightSource {
    @Override
    public Weights open(Closer open) {
      return weights;
    }
  }

  private static void check(Path folder, long seed) throws IOException {
    BuiltNetwork network = network(folder).orElseThrow();
    UNet unet = (UNet) network.architecture();
    int layers = unet.config().upLayers();
    BuiltNetwork giving = new BuiltNetwork("unet", unet.withDeepFeatures(), network.weights());
    float[] expected;
    try (OrtModel plain = RUNTIME.open("unet", network, List.of())) {
      expected = run(plain, seed, Set.of(OUTPUT), Map.of()).get(OUTPUT).values();
    }
    Map<String, OrtOutput> outputs;
    try (OrtModel whole = RUNTIME.open("unet", giving, List.of())) {
      float[] alone = run(whole, seed, Set.of(OUTPUT), Map.of()).get(OUTPUT).values();
      assertArrayEquals(expected, alone, "features that are not asked for change no bit");
      outputs = run(whole, seed, whole.outputs().keySet(), Map.of());
      assertArrayEquals(expected, outputs.get(OUTPUT).values(), "nor do those that are");
    }
    assertEquals(1 + layers, outputs.size());
    float largest = 1;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int branch = 0; branch < layers; branch++) {
      String where = folder + ", branch " + branch;
      String name = GraphEdit.deepFeature(branch);
      Feature feature = Feature.of(outputs.get(name));
      GraphEdit input = new GraphEdit.DeepFeatureInput(branch);
      try (OrtModel above = RUNTIME.open("unet", giving, List.of(input))) {
        assertEquals(Set.of(OUTPUT), above.outputs().keySet());
        assertEquals(feature.shape[1], above.input(name).dim(1), where);
        float[] found =
            run(above, seed, Set.of(OUTPUT), Map.of(name, feature)).get(OUTPUT).values();
        assertArrayEquals(expected, found, TOLERANCE * largest, where);
        Feature none = new Feature(new float[feature.values.length], feature.shape);
        float[] other = run(above, seed, Set.of(OUTPUT), Map.of(name, none)).get(OUTPUT).values();
        assertFalse(Arrays.equals(found, other), where + ": the feature counts");
      }
    }
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> RUNTIME.open("unet", network, List.of(new GraphEdit.DeepFeatureInput(layers))));
    assertTrue(
        thrown.getMessage().contains("branch of the feature reuse must be in [0, " + (layers - 1)),
        thrown.getMessage());
  }

  private record Feature(float[] values, long[] shape) {
    static Feature of(OrtOutput output) {
      long[] shape = new long[4];
      Arrays.setAll(shape, output::dim);
      return new Feature(output.values(), shape);
    }
  }

  /** Two maps of 9 by 6, and everything else to fit: each input from a seed of its own. */
  private static Map<String, OrtOutput> run(
      OrtModel model, long seed, Set<String> wanted, Map<String, Feature> features) {
    try (OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : model.inputs().values()) {
        Feature feature = features.get(spec.name());
        if (feature != null) {
          binding.input(spec.name(), feature.shape).put(feature.values);
        } else {
          fill(spec, binding, new Random(seed + spec.name().hashCode()));
        }
      }
      return binding.fetch(wanted);
    }
  }

  private static void fill(TensorSpec spec, OrtBinding binding, Random random) {
    long[] shape = new long[spec.rank()];
    for (int axis = 0; axis < shape.length; axis++) {
      long[] free = {2, 7, 9, 6};
      shape[axis] = spec.dim(axis) > 0 ? spec.dim(axis) : free[axis];
    }
    OrtTensor input = binding.input(spec.name(), shape);
    if (spec.type() == ElementType.INT64) {
      input.put(random.longs(input.elements(), 0, 4).toArray());
    } else if (spec.name().equals("timestep")) {
      input.put(new float[] {437.5f});
    } else {
      float[] values = new float[input.elements()];
      for (int i = 0; i < values.length; i++) {
        double value = random.nextGaussian();
        values[i] = (float) (spec.name().equals("class_labels") ? Math.abs(value) : value);
      }
      input.put(values);
    }
  }
}
