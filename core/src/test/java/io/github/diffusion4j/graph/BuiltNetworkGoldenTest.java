package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.GoldenNetworks.RUNTIME;
import static io.github.diffusion4j.graph.GoldenNetworks.assertClose;
import static io.github.diffusion4j.graph.GoldenNetworks.elements;
import static io.github.diffusion4j.graph.GoldenNetworks.gaussians;
import static io.github.diffusion4j.graph.GoldenNetworks.outputs;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * Networks built from safetensors against the reference's outputs, and against exports of the same
 * models to ONNX: their interface, and their outputs for random inputs.
 */
class BuiltNetworkGoldenTest {

  private static final float EMBEDDINGS = 1e-4f;
  private static final float PICTURES = 1e-3f;

  /** Models whose export is not of their own name. */
  private static final Map<String, String> EXPORTS = Map.of("sd15", "sd15-clip-skip");

  private static final Map<String, String> FREE_SIZES =
      Map.of(
          "latent_height",
          "3",
          "latent_width",
          "5",
          "sample_height",
          "32",
          "sample_width",
          "40",
          "height",
          "32",
          "width",
          "40");

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @TestFactory
  List<DynamicTest> reference() throws IOException {
    Path weights = Goldens.folder("pipelines").resolve("weights");
    List<DynamicTest> tests = new ArrayList<>();
    Path forward = weights.resolve("forward_golden.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(forward)) {
      for (String name : file.names()) {
        int dot = name.indexOf('.');
        String prefix = name.substring(0, dot + 1);
        if (name.endsWith(".vae.decoded")) {
          Check check =
              new Check(forward, prefix + "vae.", "latent_sample", "decoded", "sample", PICTURES);
          tests.add(test(weights.resolve(name.substring(0, dot)), "vae_decoder", check));
        } else if (name.endsWith(".vae.latent_parameters")) {
          Check check =
              new Check(
                  forward,
                  prefix + "vae.",
                  "sample",
                  "latent_parameters",
                  "latent_parameters",
                  PICTURES);
          tests.add(test(weights.resolve(name.substring(0, dot)), "vae_encoder", check));
        }
      }
    }
    Path encoded = weights.resolve("unet_and_lora_golden.safetensors");
    Check check =
        new Check(encoded, "", "input_ids", "last_hidden_state", "last_hidden_state", EMBEDDINGS);
    tests.add(test(weights.resolve("sd15"), "text_encoder", check));
    return tests;
  }

  /** One input and one output of a network, and where their golden values are. */
  private record Check(
      Path file, String prefix, String in, String golden, String out, float tolerance) {

    /** The input's values; models whose latents are alike share them. */
    String input(SafetensorsFile tensors, OrtModel network) {
      String own = prefix + in;
      return tensors.names().contains(own)
          ? own
          : tensors.names().stream()
              .filter(name -> name.endsWith(".vae." + in))
              .filter(name -> tensors.info(name).shape().get(1) == network.input(in).dim(1))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no input for " + prefix + golden));
    }
  }

  private static DynamicTest test(Path model, String component, Check check) {
    return DynamicTest.dynamicTest(
        model.getFileName() + "/" + component,
        () -> {
          try (SafetensorsFile golden = SafetensorsFile.open(check.file);
              OrtModel network = RUNTIME.open(component, network(model, component), List.of());
              OrtBinding binding = network.bind(new CancelToken())) {
            String name = check.input(golden, network);
            long[] shape = golden.info(name).shape().stream().mapToLong(Long::longValue).toArray();
            OrtTensor input = binding.input(check.in, shape);
            if (network.input(check.in).type().floating()) {
              input.put(golden.floats(name));
            } else {
              input.put(golden.longs(name));
            }
            float[] found = binding.fetch(Set.of(check.out)).get(check.out).values();
            float[] expected = golden.floats(check.prefix + check.golden);
            assertArrayEquals(expected, found, check.tolerance);
          }
        });
  }

  private static BuiltNetwork network(Path model, String component) {
    boolean autoencoder = component.startsWith("vae");
    String folder = autoencoder ? "vae" : component;
    String file = autoencoder ? "diffusion_pytorch_model.safetensors" : "model.safetensors";
    ConfigFile config = ConfigFile.read(model, folder + "/config.json");
    return new BuiltNetwork(
        component,
        Architectures.of(component, config),
        WeightSource.of(model.resolve(folder).resolve(file)));
  }

  @TestFactory
  List<DynamicTest> exports() throws IOException {
    Path goldens = Goldens.folder("pipelines");
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> models = Files.list(goldens.resolve("weights"))) {
      for (Path model : models.filter(Files::isDirectory).sorted().toList()) {
        String name = model.getFileName().toString();
        Path export = goldens.resolve(EXPORTS.getOrDefault(name, name)).resolve("model");
        for (String component :
            List.of(
                "text_encoder", "text_encoder_2", "text_encoder_3", "vae_decoder", "vae_encoder")) {
          if (component.startsWith("vae") || Files.isDirectory(model.resolve(component))) {
            Path onnx = export.resolve(component).resolve("model.onnx");
            BuiltNetwork network = network(model, component);
            Executable check = () -> compare(network, onnx, List.of());
            tests.add(DynamicTest.dynamicTest(name + "/" + component, check));
            if (network.architecture() instanceof ClipTextModel clip) {
              Executable edited = () -> compare(network, onnx, edits(clip));
              tests.add(DynamicTest.dynamicTest(name + "/" + component + " edited", edited));
            }
          }
        }
      }
    }
    Path tiny = goldens.resolve("taesd");
    for (String component : List.of("vae_decoder", "vae_encoder")) {
      if (Files.isDirectory(tiny)) {
        Path onnx = tiny.resolve("model").resolve(component).resolve("model.onnx");
        Executable check =
            () -> compare(network(tiny.resolve("torch"), component), onnx, List.of());
        tests.add(DynamicTest.dynamicTest("taesd/" + component, check));
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  /** More words, and an input that hides tokens. */
  private static List<GraphEdit> edits(ClipTextModel clip) {
    float[] rows = new float[3 * clip.width()];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) Math.sin(i);
    }
    return List.of(
        new GraphEdit.MoreEmbeddings("input_ids", clip.vocabulary(), Floats.of(rows), clip.width()),
        new GraphEdit.AttentionBias("hidden_tokens"));
  }

  private static void compare(BuiltNetwork built, Path onnx, List<GraphEdit> edits)
      throws IOException {
    String component = built.component();
    long seed = Long.getLong("tests.seed", 31);
    System.out.println(component + " seed " + seed);
    try (OrtModel expected = RUNTIME.open(component, onnx, edits);
        OrtModel found = RUNTIME.open(component, built, edits)) {
      if (edits.isEmpty()) { // an edit names dimensions its own way
        assertEquals(describe(expected.inputs()), describe(found.inputs()));
      }
      Map<String, String> outputs = describe(found.outputs());
      Map<String, String> exported = describe(expected.outputs());
      assertTrue(
          outputs.entrySet().containsAll(exported.entrySet()),
          outputs + " lacks some of " + exported);
      Map<String, float[]> values = run(expected, exported.keySet(), seed);
      Map<String, float[]> ours = run(found, exported.keySet(), seed);
      for (String output : exported.keySet()) {
        assertClose(values.get(output), ours.get(output), EMBEDDINGS, output);
      }
    }
  }

  /** Types and shapes by name; the exporter wrote the pooled embedding's width as a free one. */
  private static Map<String, String> describe(Map<String, TensorSpec> specs) {
    Map<String, String> described = new LinkedHashMap<>();
    specs.forEach(
        (name, spec) ->
            described.put(
                name, name.equals("text_embeds") ? spec.type() + " pooled" : spec.describe()));
    return described;
  }

  private static Map<String, float[]> run(OrtModel model, Set<String> outputs, long seed) {
    Random random = new Random(seed);
    try (OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : model.inputs().values()) {
        long[] shape = new long[spec.rank()];
        for (int i = 0; i < shape.length; i++) {
          String free = spec.dimensionNames().get(i);
          shape[i] =
              spec.dim(i) > 0
                  ? spec.dim(i)
                  : free.equals("batch_size")
                      ? 2
                      : Integer.parseInt(FREE_SIZES.getOrDefault(free, "77"));
        }
        int elements = elements(shape);
        OrtTensor input = binding.input(spec.name(), shape);
        if (spec.type() == ElementType.INT64) {
          long[] ids = random.longs(elements, 0, 500).toArray();
          ids[2] = model.inputs().size() > 1 ? 1001 : ids[2];
          input.put(ids);
        } else if (spec.name().equals("hidden_tokens")) {
          float[] bias = new float[elements];
          bias[2] = -Float.MAX_VALUE;
          bias[40] = -Float.MAX_VALUE;
          input.put(bias);
        } else {
          input.put(gaussians(random, elements));
        }
      }
      return outputs(binding, outputs);
    }
  }
}
