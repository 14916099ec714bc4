package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.noise.TorchNoise;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of 16-bit floats that compute in 32-bit ones. */
class Float32ModelTest {

  private static final int COUNT = 3000; // large enough for a buffer

  private final OrtRuntime runtime =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  @TempDir private Path folder;

  private static float[] decode(OrtModel model, float[] latents) {
    try (OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("latent_sample", 1, 4, 8, 8).put(latents);
      return binding.fetch(Set.of("sample")).get("sample").values();
    }
  }

  @Test
  void anAutoencoderOf16BitsGivesTheSamePicture() throws IOException {
    int open = NativeCount.open();
    Path file = Goldens.resource("/goldens/pipelines/sd15-fp16/model/vae_decoder/model.onnx");
    float[] latents = new float[4 * 8 * 8];
    new TorchNoise(1).fill(latents);
    try (OrtModel model = runtime.open("vae_decoder", file)) {
      OrtModel wide = model.widened().orElseThrow();
      assertEquals(ElementType.FLOAT16, model.input("latent_sample").type());
      assertEquals(ElementType.FLOAT32, wide.input("latent_sample").type());
      assertEquals(ElementType.FLOAT32, wide.output("sample").type());
      assertEquals(model.widened(), model.widened());
      assertArrayEquals(decode(model, latents), decode(wide, latents), 5e-3f);
    }
    assertEquals(open, NativeCount.open());
  }

  @Test
  void aWidenedNetworkIsBuiltWide() throws IOException {
    Path file = Goldens.resource("/goldens/pipelines/sd15-fp16/model/vae_decoder/model.onnx");
    try (OrtModel model = runtime.open("vae_decoder", file)) {
      NetworkSource wide = model.widened().orElseThrow().network();
      BuiltModel built = wide.build(runtime, List.of());
      Set<OnnxType> types = OnnxGraph.read(file, built.bytes()).file().elements().keySet();
      assertFalse(types.contains(OnnxType.FLOAT16), types.toString());
    }
  }

  @Test
  void aNetworkOf32BitsIsLeftAlone() throws IOException {
    Path file = Goldens.resource("/goldens/pipelines/sd15/model/vae_decoder/model.onnx");
    try (OrtModel model = runtime.open("vae_decoder", file)) {
      assertTrue(model.widened().isEmpty());
    }
  }

  /** Adds weights in a file of its own to its input. */
  private Path adding(int bytes) throws IOException {
    ByteBuffer weights = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (weights.hasRemaining()) {
      weights.putShort((short) 0x3e00); // 1.5
    }
    Files.write(folder.resolve("weights.bin"), weights.array());
    return Files.write(
        folder.resolve("model.onnx"),
        new TinyOnnx()
            .input("x", TinyOnnx.FLOAT16, COUNT)
            .output("y", TinyOnnx.FLOAT16, COUNT)
            .external("weights", "weights.bin", TinyOnnx.FLOAT16, COUNT)
            .node("Add", "y", "x", "weights")
            .bytes());
  }

  @Test
  void weightsInAnotherFileAreWidened() throws IOException {
    BuiltModel model =
        Float32Model.of(adding(2 * COUNT), model(Files.readAllBytes(adding(2 * COUNT))));
    assertEquals(Set.of("weights"), model.buffers().keySet());
    try (OrtModel wide =
            runtime.open("adder", adding(2 * COUNT), List.of(new GraphEdit.Float32()));
        OrtBinding binding = wide.bind(new CancelToken())) {
      float[] x = new float[COUNT];
      x[1] = 100_000; // more than binary16 holds
      binding.input("x", COUNT).put(x);
      float[] y = binding.fetch(Set.of("y")).get("y").values();
      assertEquals(1.5f, y[0]);
      assertEquals(100_001.5f, y[1]);
    }
  }

  @Test
  void aFileOfWeightsThatIsTooShortIsNamed() throws IOException {
    Path file = adding(COUNT);
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class,
            () -> runtime.open("adder", file, List.of(new GraphEdit.Float32())));
    assertTrue(thrown.getMessage().contains("weights"), thrown.getMessage());
  }

  @Test
  void weightsOutsideTheFolderAreRefused() throws IOException {
    Path file =
        Files.write(
            folder.resolve("model.onnx"),
            new TinyOnnx()
                .input("x", TinyOnnx.FLOAT16, COUNT)
                .output("y", TinyOnnx.FLOAT16, COUNT)
                .external("weights", "../weights.bin", TinyOnnx.FLOAT16, COUNT)
                .node("Add", "y", "x", "weights")
                .bytes());
    byte[] bytes = Files.readAllBytes(file);
    assertFalse(bytes.length > 4096);
    assertThrows(ModelFormatException.class, () -> Float32Model.of(file, model(bytes)));
  }

  private BuiltModel model(byte[] bytes) {
    return new BuiltModel(bytes, Optional.of(folder), Map.of());
  }
}
