package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of each family that lack something or do not fit together: what, where, and a remedy. */
class BadFamilyModelTest {

  @TempDir Path temporary;

  /** What is done to a good model of a variant, and what the message must say. */
  record Spoiled(String variant, String name, Change change, String... said) {
    @Override
    public String toString() {
      return variant + ": " + name;
    }
  }

  @FunctionalInterface
  interface Change {
    void to(ModelCopy model) throws IOException;
  }

  static List<Spoiled> models() {
    return List.of(
        new Spoiled(
            "sdxl",
            "no second encoder",
            m -> m.delete("text_encoder_2/model.onnx"),
            "text_encoder_2/model.onnx",
            "missing",
            "export"),
        new Spoiled("sdxl", "no second tokenizer", m -> m.dropFolder("tokenizer_2"), "tokenizer_2"),
        new Spoiled(
            "sdxl",
            "no hidden states",
            m -> m.copy(file("sd15", "text_encoder/model.onnx"), "text_encoder/model.onnx"),
            "text_encoder",
            "hidden_states.2",
            "Export"),
        new Spoiled(
            "sdxl",
            "encoders of another model",
            m -> m.copy(m.file("text_encoder_2/model.onnx"), "text_encoder/model.onnx"),
            "encoder_hidden_states",
            "40 wide",
            "48 wide"),
        new Spoiled(
            "sdxl",
            "the refiner's index",
            m -> m.edit("model_index.json", "{\n", "{\n \"requires_aesthetics_score\": true,\n"),
            "time_ids",
            "6 wide",
            "5 wide"),
        new Spoiled(
            "sdxl",
            "an input too many",
            m -> m.write("unet/model.onnx", unet("style")),
            "unet",
            "style"),
        new Spoiled(
            "sdxl",
            "an ordinary unet",
            m -> m.copy(file("sd15", "unet/model.onnx"), "unet/model.onnx"),
            "unet",
            "no input \"t"),
        new Spoiled(
            "lcm",
            "a unet that was not distilled",
            m -> m.copy(file("sd15", "unet/model.onnx"), "unet/model.onnx"),
            "unet",
            "timestep_cond"),
        new Spoiled(
            "lcm",
            "another width of guidance",
            m ->
                m.edit(
                    "unet/config.json", "\"time_cond_proj_dim\": 48", "\"time_cond_proj_dim\": 64"),
            "time_cond_proj_dim",
            "48",
            "64"),
        new Spoiled(
            "sd3",
            "T5 not downloaded",
            m -> m.dropFolder("text_encoder_3"),
            "text_encoder_3",
            "missing",
            "[null, null]"),
        new Spoiled(
            "sd3",
            "another width of T5",
            m ->
                m.edit(
                    "transformer/config.json",
                    "\"joint_attention_dim\": 48",
                    "\"joint_attention_dim\": 64"),
            "joint_attention_dim",
            "48",
            "64"),
        new Spoiled(
            "sd3",
            "no transformer",
            m -> m.dropFolder("transformer"),
            "transformer/model.onnx",
            "missing"),
        new Spoiled(
            "flux",
            "the transformer of another model",
            m -> m.copy(file("sd3", "transformer/model.onnx"), "transformer/model.onnx"),
            "transformer",
            "img_ids"),
        new Spoiled(
            "flux",
            "another autoencoder",
            m -> m.copy(file("sd15", "vae_decoder/model.onnx"), "vae_decoder/model.onnx"),
            "vae_decoder",
            "4 channels",
            "latent_channels 16"),
        new Spoiled(
            "ldm-class",
            "no class embedder",
            m -> m.delete("class_embedder/model.onnx"),
            "class_embedder/model.onnx",
            "missing"),
        new Spoiled(
            "ldm-class",
            "number of classes not said",
            m -> m.edit("class_embedder/config.json", "num_classes", "classes"),
            "class_embedder/config.json",
            "num_classes"),
        new Spoiled(
            "ldm-uncond",
            "a unet that wants a context",
            m -> m.copy(file("ldm-class", "unet/model.onnx"), "unet/model.onnx"),
            "unet",
            "encoder_hidden_states"));
  }

  @ParameterizedTest
  @MethodSource("models")
  void spoiledModelIsRefusedWithItsReason(Spoiled spoiled) throws IOException {
    int before = NativeCount.open();
    ModelCopy model = ModelCopy.of(file(spoiled.variant, ""), temporary.resolve(spoiled.variant));
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

  private static Path file(String variant, String name) {
    return Goldens.resource("/goldens/pipelines/" + variant + "/model/" + name);
  }

  private static byte[] unet(String extra) {
    return new TinyOnnx()
        .input("sample", TinyOnnx.FLOAT, -1, 4, -1, -1)
        .input("timestep", TinyOnnx.FLOAT)
        .input("encoder_hidden_states", TinyOnnx.FLOAT, -1, -1, 40)
        .input("text_embeds", TinyOnnx.FLOAT, -1, 24)
        .input("time_ids", TinyOnnx.FLOAT, -1, 6)
        .input(extra, TinyOnnx.FLOAT, -1, 8)
        .output("out_sample", TinyOnnx.FLOAT, -1, 4, -1, -1)
        .node("Identity", "out_sample", "sample")
        .bytes();
  }
}
