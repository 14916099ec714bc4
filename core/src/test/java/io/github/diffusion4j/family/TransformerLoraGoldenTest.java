package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.lora.LoraFiles;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OnnxExport;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Transformers with LoRAs on all layers against the reference: for a run, merged, exported. */
class TransformerLoraGoldenTest {

  private static final double TOLERANCE = 1e-4;
  private static final double AMONG_OURSELVES = 1e-5;
  private static final String OUT = "out_hidden_states";
  private static final String LORA = "lora_";
  private static final String END = ".safetensors";

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(
          RuntimeOptions.builder().intraOpThreads(1).precision(Precision.FLOAT32).build());

  @TempDir Path folder;

  private final long openBefore = NativeCount.open();

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  @TestFactory
  List<DynamicTest> everyFile() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> models = Files.list(Goldens.folder("lora-transformers"))) {
      for (Path model : models.filter(Files::isDirectory).sorted().toList()) {
        try (Stream<Path> files = Files.list(model)) {
          for (Path file : files.sorted().toList()) {
            String name = file.getFileName().toString();
            if (name.startsWith(LORA) && name.endsWith(END)) {
              String title = model.getFileName() + " " + name;
              tests.add(DynamicTest.dynamicTest(title, () -> check(model, file)));
            }
          }
        }
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private void check(Path model, Path file) throws IOException {
    ComponentNetwork network = ModelLayout.of(model).network("transformer");
    LoraSet loras = new LoraFiles().read(List.of(Lora.of(file, 0.7)));
    String name = file.getFileName().toString();
    try (SafetensorsFile golden = SafetensorsFile.open(model.resolve("golden.safetensors"))) {
      float[] plain = golden.floats("out");
      float[] expected = golden.floats("out." + name.substring(0, name.length() - END.length()));
      float[] changed;
      try (OrtModel open = network.open(RUNTIME, List.of())) {
        near(plain, run(ChangedNetwork.none(open), golden), TOLERANCE);
        changed = run(ChangedNetwork.of(open, loras), golden);
        near(expected, changed, TOLERANCE);
        near(plain, run(ChangedNetwork.none(open), golden), TOLERANCE);
      }
      float[] merged;
      try (OrtModel open = network.open(RUNTIME, network.merged(loras))) {
        merged = run(ChangedNetwork.none(open), golden);
        near(changed, merged, AMONG_OURSELVES);
      }
      Path onnx = folder.resolve("model.onnx");
      OnnxExport.write(
          network.built().orElseThrow().build(Precision.FLOAT32, network.merged(loras)), onnx);
      try (OrtModel open = RUNTIME.open("transformer", onnx)) {
        assertArrayEquals(merged, run(ChangedNetwork.none(open), golden));
      }
    }
  }

  private static void near(float[] expected, float[] found, double tolerance) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertTrue(largest > 0);
    assertArrayEquals(expected, found, (float) (tolerance * largest));
  }

  private static float[] run(ChangedNetwork network, SafetensorsFile golden) {
    try (OrtBinding binding = network.bind(new CancelToken())) {
      for (String name : golden.names()) {
        if (!name.startsWith("out")) {
          long[] shape = golden.info(name).shape().stream().mapToLong(Long::longValue).toArray();
          OrtTensor input = binding.input(name, shape);
          if (golden.info(name).type() == TensorType.I64) {
            input.put(golden.longs(name));
          } else {
            input.put(golden.floats(name));
          }
        }
      }
      return binding.fetch(Set.of(OUT)).get(OUT).values();
    }
  }
}
