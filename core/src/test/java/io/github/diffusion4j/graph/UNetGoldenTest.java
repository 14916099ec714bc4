package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.GoldenNetworks.RUNTIME;
import static io.github.diffusion4j.graph.GoldenNetworks.assertClose;
import static io.github.diffusion4j.graph.GoldenNetworks.elements;
import static io.github.diffusion4j.graph.GoldenNetworks.gaussians;
import static io.github.diffusion4j.graph.GoldenNetworks.outputs;
import static io.github.diffusion4j.graph.GoldenNetworks.source;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
 * UNets and ControlNets built from safetensors against the reference's outputs, and from the
 * weights of every exported one against what the export computes.
 */
class UNetGoldenTest {

  private static final float TOLERANCE = 1e-4f;

  /** Exports in half precision round on the way. */
  private static final float HALF_TOLERANCE = 2e-2f;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  /** Tensors of one golden run: outputs by the prefix of their model, which may be "". */
  @TestFactory
  List<DynamicTest> reference() throws IOException {
    Path weights = Goldens.folder("pipelines").resolve("weights");
    List<DynamicTest> tests = new ArrayList<>();
    for (String name : List.of("forward_golden", "unet_and_lora_golden")) {
      Path file = weights.resolve(name + ".safetensors");
      try (SafetensorsFile golden = SafetensorsFile.open(file)) {
        for (String tensor : golden.names()) {
          if (tensor.equals("unet_out") || tensor.matches("[^.]*\\.unet_out") && !lora(tensor)) {
            String prefix = tensor.substring(0, tensor.length() - "unet_out".length());
            String model = prefix.isEmpty() ? "sd15" : prefix.substring(0, prefix.length() - 1);
            tests.add(
                DynamicTest.dynamicTest(
                    model + "/unet", () -> againstReference(weights.resolve(model), file, prefix)));
          }
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static boolean lora(String tensor) {
    return tensor.startsWith("lora.");
  }

  private static void againstReference(Path model, Path file, String prefix) throws IOException {
    Path folder = model.resolve("unet");
    UNet unet = UNet.of(ConfigFile.read(model, "unet/config.json"));
    BuiltNetwork network =
        new BuiltNetwork(
            "unet", unet, WeightSource.of(folder.resolve("diffusion_pytorch_model.safetensors")));
    try (SafetensorsFile golden = SafetensorsFile.open(file);
        OrtModel opened = RUNTIME.open("unet", network, List.of());
        OrtBinding binding = opened.bind(new CancelToken())) {
      for (TensorSpec spec : opened.inputs().values()) {
        String name = prefix + spec.name();
        if (spec.name().equals("encoder_hidden_states") && !golden.names().contains(name)) {
          name = prefix + (prefix.isEmpty() ? "last_hidden_state" : "prompt_embeds");
        }
        long[] shape = golden.info(name).shape().stream().mapToLong(Long::longValue).toArray();
        OrtTensor input = binding.input(spec.name(), shape);
        if (spec.name().equals("timestep")) {
          input.put(new float[] {golden.longs(name)[0]});
        } else {
          input.put(golden.floats(name));
        }
      }
      float[] found = binding.fetch(Set.of("out_sample")).get("out_sample").values();
      assertClose(golden.floats(prefix + "unet_out"), found, TOLERANCE, "out_sample");
    }
  }

  @TestFactory
  List<DynamicTest> exports() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> variants = Files.list(Goldens.folder("pipelines"))) {
      for (Path variant : variants.sorted().toList()) {
        try (Stream<Path> components = children(variant.resolve("model"))) {
          components
              .filter(folder -> folder.getFileName().toString().matches("unet|controlnet(_\\d+)?"))
              .filter(folder -> Files.exists(folder.resolve("model.onnx")))
              .filter(folder -> Files.exists(folder.resolve("config.json")))
              .forEach(
                  folder ->
                      tests.add(
                          DynamicTest.dynamicTest(
                              variant.getFileName() + "/" + folder.getFileName(),
                              () -> againstExport(folder))));
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static Stream<Path> children(Path folder) throws IOException {
    return Files.isDirectory(folder) ? Files.list(folder).sorted() : Stream.empty();
  }

  private static void againstExport(Path folder) throws IOException {
    String component = folder.getFileName().toString();
    Path onnx = folder.resolve("model.onnx");
    ExportedWeights weights = new ExportedWeights(onnx);
    try (OrtModel expected = RUNTIME.open(component, onnx)) {
      ConfigFile config = ConfigFile.read(folder, "config.json");
      Architecture architecture = like(expected, config);
      try (OrtModel found =
          RUNTIME.open(
              component,
              new BuiltNetwork(component, architecture, source(onnx, weights)),
              List.of())) {
        assertTrue(weights.exhausted(), "weights are left in " + onnx);
        boolean half = expected.input("sample").type() == ElementType.FLOAT16;
        assertEquals(describe(expected.inputs()), describe(found.inputs()));
        assertEquals(describe(expected.outputs()), describe(found.outputs()));
        long seed = Long.getLong("tests.seed", 71);
        System.out.println(
            onnx.getParent().getParent().getParent().getFileName() + " seed " + seed);
        Map<String, float[]> values = run(expected, config, seed);
        Map<String, float[]> ours = run(found, config, seed);
        values.forEach(
            (name, value) ->
                assertClose(value, ours.get(name), half ? HALF_TOLERANCE : TOLERANCE, name));
      }
    }
  }

  /** The architecture with the inputs that the export has. */
  private static Architecture like(OrtModel export, ConfigFile config) {
    boolean control = config.text("_class_name").orElse("").equals("ControlNetModel");
    int pooled =
        export.inputs().containsKey("text_embeds") ? (int) export.input("text_embeds").dim(1) : 0;
    if (control) {
      ControlNet net = ControlNet.of(config);
      return pooled > 0 ? net.withPooledWidth(pooled) : net;
    }
    UNet unet = UNet.of(config);
    unet = pooled > 0 ? unet.withPooledWidth(pooled) : unet;
    return export.inputs().containsKey("mid_block_additional_residual")
        ? unet.withResiduals()
        : unet;
  }

  /** Ranks and fixed dimensions by name. */
  private static Map<String, String> describe(Map<String, TensorSpec> specs) {
    Map<String, String> described = new TreeMap<>();
    specs.forEach(
        (name, spec) -> {
          List<Long> shape = new ArrayList<>();
          for (int axis = 0; axis < spec.rank(); axis++) {
            shape.add(spec.dim(axis));
          }
          described.put(name, spec.type().floating() + " " + shape);
        });
    return described;
  }

  private static Map<String, float[]> run(OrtModel model, ConfigFile config, long seed) {
    Random random = new Random(seed);
    try (OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : new TreeMap<>(model.inputs()).values()) {
        long[] shape = shape(spec, config);
        int elements = elements(shape);
        OrtTensor input = binding.input(spec.name(), shape);
        if (spec.type() == ElementType.INT64) {
          input.put(random.longs(elements, 0, 4).toArray());
        } else {
          float[] values = gaussians(random, elements);
          if (spec.name().equals("timestep")) {
            values[0] = 437.5f;
          }
          input.put(values);
        }
      }
      return outputs(binding, model.outputs().keySet());
    }
  }

  /** A batch of two maps of 8 by 12, and everything else to fit. */
  private static long[] shape(TensorSpec spec, ConfigFile config) {
    int level = level(spec.name(), config);
    long[] shape = new long[spec.rank()];
    boolean control = spec.name().equals("controlnet_cond");
    int doublings = control ? ControlNetConfig.of(config).widths().size() - 1 : 0;
    for (int axis = 0; axis < shape.length; axis++) {
      shape[axis] =
          spec.dim(axis) > 0
              ? spec.dim(axis)
              : switch (axis) {
                case 0 -> 2;
                case 1 -> 7;
                default -> (axis == 2 ? 8L : 12L) << doublings >> level;
              };
    }
    return shape;
  }

  /** How often the map of an input is halved. */
  private static int level(String input, ConfigFile config) {
    if (!input.startsWith("down_block_") && !input.startsWith("mid_block_")) {
      return 0;
    }
    List<Integer> levels = new ArrayList<>(List.of(0));
    int level = 0;
    for (UNetBlock block : UNetConfig.of(config).down()) {
      levels.addAll(java.util.Collections.nCopies(block.layers(), level));
      if (block.resampled()) {
        levels.add(++level);
      }
    }
    return input.startsWith("mid")
        ? level
        : levels.get(Integer.parseInt(input.substring("down_block_".length())));
  }
}
