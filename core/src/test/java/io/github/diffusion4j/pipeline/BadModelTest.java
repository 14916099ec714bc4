package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models that are not what they should be: an error that says what, where and what to do. */
class BadModelTest {

  @TempDir Path temporary;

  /** What is done to a good model, and what the message must say. */
  record Spoiled(String name, Change change, String... said) {
    @Override
    public String toString() {
      return name;
    }
  }

  @FunctionalInterface
  interface Change {
    void to(ModelCopy model) throws IOException;
  }

  static List<Spoiled> models() {
    return List.of(
        new Spoiled("no unet", m -> m.delete("unet/model.onnx"), "unet/model.onnx", "missing"),
        new Spoiled("empty unet", m -> m.write("unet/model.onnx", new byte[0]), "unet", "empty"),
        new Spoiled("truncated unet", m -> m.truncate("unet/model.onnx", 0.5), "unet", "open"),
        new Spoiled("random bytes", m -> m.write("unet/model.onnx", noise(4096)), "unet", "open"),
        new Spoiled(
            "truncated decoder", m -> m.truncate("vae_decoder/model.onnx", 0.9), "vae_decoder"),
        new Spoiled(
            "another network as unet",
            m ->
                Files.copy(
                    m.file("vae_decoder/model.onnx"),
                    m.file("unet/model.onnx"),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING),
            "unet",
            "no input \"sample\"",
            "latent_sample"),
        new Spoiled(
            "wrong input name",
            m -> m.write("unet/model.onnx", unet("noisy", 4, 4)),
            "unet",
            "no input \"sample\"",
            "noisy"),
        new Spoiled(
            "wrong rank",
            m -> m.write("unet/model.onnx", unet("sample", 3, 4)),
            "unet",
            "sample",
            "3 dimensions",
            "expected 4"),
        new Spoiled(
            "nine channels",
            m -> m.write("unet/model.onnx", unet("sample", 4, 9)),
            "9 channels",
            "4",
            "inpainting"),
        new Spoiled(
            "another text width",
            m -> m.write("unet/model.onnx", unet("sample", 4, 4, 48)),
            "48 wide",
            "32 wide"),
        new Spoiled(
            "an input too many",
            m -> m.write("unet/model.onnx", extraInput()),
            "unet",
            "text_embeds"),
        new Spoiled(
            "latent channels",
            m ->
                m.edit(
                    "vae_decoder/config.json", "\"latent_channels\": 4", "\"latent_channels\": 16"),
            "latent_channels 16",
            "4"),
        new Spoiled(
            "text in place of a number",
            m -> m.edit("vae_decoder/config.json", "0.18215", "\"0.18215\""),
            "vae_decoder/config.json",
            "scaling_factor",
            "number"),
        new Spoiled(
            "broken json", m -> m.truncate("model_index.json", 0.5), "model_index.json", "JSON"),
        new Spoiled(
            "another family",
            m -> m.edit("model_index.json", "\"StableDiffusionPipeline\"", "\"KandinskyPipeline\""),
            "KandinskyPipeline",
            "known"),
        new Spoiled(
            "neither index nor components that tell the kind",
            m -> {
              m.delete("model_index.json");
              m.delete("unet/config.json");
            },
            "model_index.json"),
        new Spoiled(
            "no scheduler",
            m -> m.delete("scheduler/scheduler_config.json"),
            "scheduler_config.json"),
        new Spoiled(
            "unknown scheduler",
            m -> m.edit("scheduler/scheduler_config.json", "PNDMScheduler", "MagicScheduler"),
            "MagicScheduler"),
        new Spoiled(
            "unknown prediction type",
            m -> m.edit("scheduler/scheduler_config.json", "\"epsilon\"", "\"guess\""),
            "prediction_type",
            "guess",
            "v_prediction"),
        new Spoiled(
            "broken tokenizer",
            m -> {
              m.truncate("tokenizer/tokenizer.json", 0.3);
            },
            "tokenizer.json"));
  }

  @ParameterizedTest
  @MethodSource("models")
  void spoiledModelIsRefusedWithItsReason(Spoiled spoiled) throws IOException {
    int before = NativeCount.open();
    ModelCopy model = ModelCopy.in(temporary);
    spoiled.change.to(model);
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class, () -> StableDiffusionPipeline.load(model.folder()).close());
    for (String word : spoiled.said) {
      assertTrue(
          thrown.getMessage().contains(word),
          "expected \"" + word + "\" in: " + thrown.getMessage());
    }
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  @Test
  void folderThatIsNotThere() {
    NoSuchFileException thrown =
        assertThrows(
            NoSuchFileException.class,
            () -> StableDiffusionPipeline.load(temporary.resolve("nowhere")));
    assertTrue(thrown.getMessage().contains("nowhere"), thrown.getMessage());
  }

  @Test
  void externalWeightsOutsideTheModelAreRefused() throws IOException {
    ModelCopy model = ModelCopy.in(temporary);
    Files.write(temporary.resolve("secret"), new byte[64]);
    model.write("unet/model.onnx", escaping("../../secret"));
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class, () -> StableDiffusionPipeline.load(model.folder()));
    assertTrue(thrown.getMessage().contains("unet"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("secret"), thrown.getMessage());
  }

  private static byte[] noise(int count) {
    byte[] bytes = new byte[count];
    new Random(7).nextBytes(bytes);
    return bytes;
  }

  private static byte[] unet(String sample, int rank, int channels) {
    return unet(sample, rank, channels, 32);
  }

  private static byte[] unet(String sample, int rank, int channels, int width) {
    return base(sample, rank, channels, width).node("Identity", "out_sample", sample).bytes();
  }

  private static TinyOnnx base(String sample, int rank, int channels, int width) {
    long[] shape = {-1, channels, -1, -1};
    long[] cut = java.util.Arrays.copyOf(shape, rank);
    return new TinyOnnx()
        .input(sample, TinyOnnx.FLOAT, cut)
        .input("timestep", TinyOnnx.FLOAT)
        .input("encoder_hidden_states", TinyOnnx.FLOAT, -1, -1, width)
        .output("out_sample", TinyOnnx.FLOAT, cut);
  }

  private static byte[] extraInput() {
    return base("sample", 4, 4, 32)
        .input("text_embeds", TinyOnnx.FLOAT, -1, 24)
        .node("Identity", "out_sample", "sample")
        .bytes();
  }

  private static byte[] escaping(String location) {
    return base("sample", 4, 4, 32)
        .external("weight", location, 16)
        .node("Add", "out_sample", "sample", "weight")
        .bytes();
  }
}
