package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.WeightSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxExportTest {

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  @TempDir Path folder;

  private final Path model = Goldens.resource("/goldens/pipelines/weights/sd15/text_encoder");
  private final BuiltNetwork network =
      new BuiltNetwork(
          "text_encoder",
          Architectures.of("text_encoder", ConfigFile.read(model, "config.json")),
          WeightSource.of(model.resolve("model.safetensors")));

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  private static float[] run(OrtModel opened) {
    long[] ids = LongStream.range(0, 77).map(i -> i * 13 % 1000).toArray();
    try (OrtModel encoder = opened;
        OrtBinding binding = encoder.bind(new CancelToken())) {
      binding.input("input_ids", 1, ids.length).put(ids);
      return binding.fetch(Set.of("last_hidden_state")).get("last_hidden_state").values();
    }
  }

  private float[] exported(Precision precision, long inside) throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxExport.write(network.build(precision, List.of()), file, inside);
    assertEquals(inside == 0, Files.exists(folder.resolve("model.onnx_data")));
    return run(RUNTIME.open("text_encoder", file));
  }

  @Test
  void weightsInside() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.STORED, Long.MAX_VALUE), 1e-6f);
  }

  @Test
  void weightsBeside() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.STORED, 0), 1e-6f);
    assertTrue(Files.size(folder.resolve("model.onnx")) < 100_000);
  }

  @Test
  void halvesAreWrittenAsSuch() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.FLOAT16, 0), 0.03f);
    OnnxFile file = OnnxFile.read(folder.resolve("model.onnx"));
    assertEquals(OnnxType.FLOAT16, file.weightType().orElseThrow());
    assertFalse(file.elements().getOrDefault(OnnxType.FLOAT32, 0L) > 100, file.elements() + "");
    assertEquals(ElementType.FLOAT16, file.outputs().get(0).type());
  }
}
