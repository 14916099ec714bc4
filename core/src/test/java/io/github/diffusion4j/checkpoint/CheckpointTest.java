package io.github.diffusion4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.Parameters;
import io.github.diffusion4j.graph.Weights;
import io.github.diffusion4j.scheduler.Prediction;
import io.github.diffusion4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints of full size, from the formulas of the original code, without their numbers. */
class CheckpointTest {

  private static final List<Integer> MULTIPLES = List.of(1, 2, 4, 4);
  private static final LdmFile.UNet SD1 =
      new LdmFile.UNet(4, 320, MULTIPLES, List.of(1, 1, 1, 0), 1, 768, 0);
  private static final LdmFile.UNet SD2 =
      new LdmFile.UNet(4, 320, MULTIPLES, List.of(1, 1, 1, 0), 1, 1024, 0);
  private static final LdmFile.UNet SDXL =
      new LdmFile.UNet(4, 320, List.of(1, 2, 4), List.of(0, 2, 10), 10, 2048, 2816);
  private static final LdmFile.UNet REFINER =
      new LdmFile.UNet(4, 384, MULTIPLES, List.of(0, 4, 4, 0), 4, 1280, 2560);

  @TempDir Path folder;

  private static LdmFile sd1(LdmFile.UNet unet) {
    return new LdmFile().unet(unet).autoencoder().clip("cond_stage_model.transformer.").schedule();
  }

  private static LdmFile sd2(LdmFile.UNet unet) {
    return new LdmFile()
        .unet(unet)
        .autoencoder()
        .openClip("cond_stage_model.model.", 1024, 24)
        .schedule();
  }

  private static LdmFile sdxl(LdmFile.UNet unet) {
    return new LdmFile()
        .unet(unet)
        .autoencoder()
        .clip("conditioner.embedders.0.transformer.")
        .openClip("conditioner.embedders.1.model.", 1280, 32)
        .tensor("denoiser.sigmas", 1000);
  }

  private Checkpoint open(LdmFile file) throws IOException {
    return open(file, CheckpointHints.NONE);
  }

  private Checkpoint open(LdmFile file, CheckpointHints hints) throws IOException {
    return Checkpoint.open(file.write(folder.resolve("model.safetensors")), hints);
  }

  private static long elements(Checkpoint checkpoint, String network) {
    Weights weights = checkpoint.weights(network);
    return weights.keys().stream()
        .map(key -> weights.find(key).orElseThrow().shape())
        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
        .sum();
  }

  /** Each network that the configurations describe has just the weights that the file holds. */
  private static void assertBuildable(Checkpoint checkpoint) {
    for (String network : checkpoint.networks()) {
      ConfigFile config =
          new ConfigFile(network, new ObjectMapper().valueToTree(checkpoint.config(network)));
      Weights weights = checkpoint.weights(network);
      Set<String> left = new TreeSet<>(weights.keys());
      for (String component :
          network.equals("vae") ? List.of("vae_encoder", "vae_decoder") : List.of(network)) {
        Parameters.of(Architectures.of(component, config))
            .forEach(
                (key, shape) -> {
                  assertEquals(shape, weights.find(key).orElseThrow().seen(), network + " " + key);
                  left.remove(key);
                });
      }
      assertEquals(Set.of(), left, network);
    }
  }

  private static void assertConfig(Checkpoint checkpoint, String component, Object... pairs) {
    Map<String, Object> config = checkpoint.config(component);
    for (int i = 0; i < pairs.length; i += 2) {
      assertEquals(pairs[i + 1], config.get(pairs[i]), component + " " + pairs[i]);
    }
  }

  @Test
  void stableDiffusion1() throws IOException {
    Checkpoint checkpoint = open(sd1(SD1));
    assertEquals(CheckpointKind.SD1, checkpoint.kind());
    assertBuildable(checkpoint);
    assertEquals(859_520_964, elements(checkpoint, "unet"));
    assertEquals(83_653_863, elements(checkpoint, "vae"));
    assertEquals(123_060_480, elements(checkpoint, "text_encoder"));
    String cross = "CrossAttnDownBlock2D";
    assertConfig(
        checkpoint,
        "unet",
        "block_out_channels",
        List.of(320, 640, 1280, 1280),
        "down_block_types",
        List.of(cross, cross, cross, "DownBlock2D"),
        "up_block_types",
        List.of("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block",
        2,
        "attention_head_dim",
        8,
        "cross_attention_dim",
        768,
        "use_linear_projection",
        false,
        "norm_num_groups",
        32,
        "sample_size",
        64);
    assertConfig(checkpoint, "text_encoder", "num_attention_heads", 12, "hidden_act", "quick_gelu");
    assertConfig(checkpoint, "model_index", "_class_name", "StableDiffusionPipeline");
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");
    Schedulers.fromConfig(checkpoint.config("scheduler"));
  }

  @Test
  void stableDiffusion2() throws IOException {
    Checkpoint checkpoint = open(sd2(SD2));
    assertEquals(CheckpointKind.SD2, checkpoint.kind());
    assertBuildable(checkpoint);
    assertEquals(865_910_724, elements(checkpoint, "unet"));
    assertEquals(340_387_840, elements(checkpoint, "text_encoder"));
    assertConfig(
        checkpoint,
        "unet",
        "attention_head_dim",
        List.of(5, 10, 20, 20),
        "use_linear_projection",
        true,
        "sample_size",
        96);
    assertConfig(
        checkpoint,
        "text_encoder",
        "num_hidden_layers",
        23,
        "num_attention_heads",
        16,
        "hidden_act",
        "gelu");
    assertConfig(checkpoint, "scheduler", "prediction_type", "v_prediction");
    assertConfig(checkpoint, "tokenizer", "pad_token", "!");
    Schedulers.fromConfig(checkpoint.config("scheduler"));
  }

  @Test
  void sdxl() throws IOException {
    Checkpoint checkpoint = open(sdxl(SDXL));
    assertEquals(CheckpointKind.SDXL, checkpoint.kind());
    assertBuildable(checkpoint);
    assertEquals(2_567_463_684L, elements(checkpoint, "unet"));
    assertEquals(123_060_480, elements(checkpoint, "text_encoder"));
    assertEquals(694_659_840, elements(checkpoint, "text_encoder_2"));
    assertConfig(
        checkpoint,
        "unet",
        "attention_head_dim",
        List.of(5, 10, 20),
        "transformer_layers_per_block",
        List.of(1, 2, 10),
        "addition_embed_type",
        "text_time",
        "addition_time_embed_dim",
        256,
        "projection_class_embeddings_input_dim",
        2816,
        "sample_size",
        128);
    assertConfig(checkpoint, "vae", "scaling_factor", 0.13025);
    assertConfig(checkpoint, "text_encoder_2", "projection_dim", 1280, "num_hidden_layers", 32);
    assertConfig(checkpoint, "model_index", "_class_name", "StableDiffusionXLPipeline");
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");
    Schedulers.fromConfig(checkpoint.config("scheduler"));
  }

  @Test
  void sdxlRefiner() throws IOException {
    LdmFile file =
        new LdmFile()
            .unet(REFINER)
            .autoencoder()
            .openClip("conditioner.embedders.0.model.", 1280, 32);
    Checkpoint checkpoint = open(file);
    assertEquals(CheckpointKind.SDXL_REFINER, checkpoint.kind());
    assertBuildable(checkpoint);
    assertFalse(checkpoint.networks().contains("text_encoder"));
    assertConfig(
        checkpoint,
        "unet",
        "block_out_channels",
        List.of(384, 768, 1536, 1536),
        "transformer_layers_per_block",
        List.of(1, 4, 4, 4),
        "addition_time_embed_dim",
        256);
    assertConfig(checkpoint, "model_index", "requires_aesthetics_score", true);
    assertTrue(
        checkpoint.weights("unet").keys().contains("up_blocks.3.resnets.2.conv_shortcut.bias"));
  }

  @Test
  void inpaintingAndInstructionsAreToldByChannels() throws IOException {
    LdmFile.UNet nine = new LdmFile.UNet(9, 320, MULTIPLES, SD1.depths(), 1, 768, 0);
    Checkpoint checkpoint = open(sd1(nine));
    assertConfig(checkpoint, "model_index", "_class_name", "StableDiffusionInpaintPipeline");

    LdmFile.UNet nine2 = new LdmFile.UNet(9, 320, MULTIPLES, SD2.depths(), 1, 1024, 0);
    checkpoint = open(sd2(nine2));
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");
    assertConfig(checkpoint, "unet", "sample_size", 64);

    LdmFile.UNet nineXl = new LdmFile.UNet(9, 320, SDXL.multiples(), SDXL.depths(), 10, 2048, 2816);
    checkpoint = open(sdxl(nineXl));
    assertConfig(checkpoint, "model_index", "_class_name", "StableDiffusionXLInpaintPipeline");

    LdmFile.UNet eight = new LdmFile.UNet(8, 320, MULTIPLES, SD1.depths(), 1, 768, 0);
    checkpoint = open(sd1(eight));
    assertConfig(
        checkpoint, "model_index", "_class_name", "StableDiffusionInstructPix2PixPipeline");

    LdmFile.UNet five = new LdmFile.UNet(5, 320, MULTIPLES, SD2.depths(), 1, 1024, 0);
    assertTrue(message(sd2(five)).contains("UNet takes 5 channels, expected 4"));
  }

  @Test
  void predictionIsGivenOrMarkedOrUsual() throws IOException {
    CheckpointHints epsilon = CheckpointHints.NONE.withPrediction(Prediction.EPSILON);
    Checkpoint checkpoint = open(sd2(SD2), epsilon);
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");
    assertConfig(checkpoint, "unet", "sample_size", 64);

    checkpoint = open(sd2(SD2).metadata("modelspec.prediction_type", "epsilon"));
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");

    checkpoint = open(sdxl(SDXL).tensor("v_pred").tensor("ztsnr"));
    assertConfig(
        checkpoint,
        "scheduler",
        "prediction_type",
        "v_prediction",
        "rescale_betas_zero_snr",
        true,
        "timestep_spacing",
        "trailing");
    Schedulers.fromConfig(checkpoint.config("scheduler"));

    checkpoint = open(sd1(SD1).tensor("v_pred").tensor("ztsnr"));
    assertConfig(checkpoint, "scheduler", "_class_name", "DDIMScheduler");
    Schedulers.fromConfig(checkpoint.config("scheduler"));
  }

  @Test
  void theGivenPredictionWinsOverMarksAndConfigurations() throws IOException {
    Files.createDirectories(folder.resolve("scheduler"));
    Path config = folder.resolve("scheduler/scheduler_config.json");
    CheckpointHints velocity = CheckpointHints.NONE.withPrediction(Prediction.V);

    Files.writeString(config, "{\"prediction_type\": \"epsilon\"}");
    Checkpoint checkpoint = open(sd2(SD2), CheckpointHints.NONE.withConfigs(folder));
    assertConfig(checkpoint, "scheduler", "prediction_type", "epsilon");
    assertConfig(checkpoint, "unet", "sample_size", 64);

    LdmFile marked = sd2(SD2).metadata("modelspec.prediction_type", "epsilon");
    checkpoint = open(marked, velocity.withConfigs(folder));
    assertConfig(checkpoint, "scheduler", "prediction_type", "v_prediction");
    assertConfig(checkpoint, "unet", "sample_size", 96);

    Files.writeString(config, "{\"prediction_type\": null}");
    checkpoint = open(sd2(SD2), CheckpointHints.NONE.withConfigs(folder));
    assertConfig(checkpoint, "unet", "sample_size", 64);

    Files.createDirectories(folder.resolve("unet"));
    Files.writeString(folder.resolve("unet/config.json"), "{\"sample_size\": 80}");
    checkpoint = open(sd2(SD2), velocity.withConfigs(folder));
    assertConfig(checkpoint, "unet", "sample_size", 80);
  }

  @Test
  void configurationsCannotBeChanged() throws IOException {
    Map<String, Object> config = open(sd1(SD1)).config("unet");
    assertThrows(UnsupportedOperationException.class, () -> config.put("sample_size", 8));
  }

  @Test
  void aUNetOfAnotherKindOrNotWholeIsNamed() {
    LdmFile.UNet labels = new LdmFile.UNet(4, 320, MULTIPLES, SD2.depths(), 1, 1024, 1536);
    expect(
        sd2(labels),
        "model.safetensors",
        "model.diffusion_model.label_emb.0.0.weight",
        "[1280, 1536]",
        "SD2",
        "expected no",
        "take");
    String projection = "model.diffusion_model.input_blocks.1.1.proj_in.weight";
    expect(sd1(SD1).without(projection), "model.safetensors", projection, "expected", "download");
    expect(sd1(SD1).tensor(projection, 320), "model.safetensors", projection, "[320]", "expected");
  }

  private void expect(LdmFile file, String... parts) {
    String message = message(file);
    for (String part : parts) {
      assertTrue(message.contains(part), message + "\nmust contain\n" + part);
    }
  }

  @Test
  void aTensorThatNoNetworkHasIsNamed() {
    String message = message(sd1(SD1).tensor("model.diffusion_model.input_blocks.1.3.x", 4));
    assertTrue(message.contains("1 tensors that are not part of"), message);
    assertTrue(message.contains("model.diffusion_model.input_blocks.1.3.x"), message);
    message = message(sd1(SD1).tensor("first_stage_model.decoder.up.9.block.0.norm1.weight", 4));
    assertTrue(message.contains("decoder.up.9.block.0.norm1.weight"), message);
    message = message(sd2(SD2).tensor("cond_stage_model.model.ln_start.weight", 4));
    assertTrue(message.contains("cond_stage_model.model.ln_start.weight"), message);
  }

  /** What published files hold beside the networks: of the training, constants, other halves. */
  @Test
  void whatNoNetworkNeedsIsLeftAlone() throws IOException {
    LdmFile first =
        sd1(SD1)
            .tensor("model_ema.decay")
            .tensor("model_ema.diffusion_modelinput_blocks00weight", 4)
            .tensor("first_stage_model.loss.logvar", 1)
            .tensor("first_stage_model.model_ema.num_updates")
            .tensor("cond_stage_model.logit_scale")
            .tensor("cond_stage_model.text_projection", 4, 4)
            .tensor("cond_stage_model.transformer.text_model.embeddings.position_ids", 1, 77)
            .tensor("embedding_manager.embedder.transformer.x", 4)
            .tensor("denoiser.sigmas", 1000)
            .tensor("logvar", 1000);
    assertBuildable(open(first));
    for (String prefix : List.of("cond_stage_model.model.", "conditioner.embedders.1.model.")) {
      LdmFile file = prefix.startsWith("cond_") ? sd2(SD2) : sdxl(SDXL);
      file.tensor(prefix + "logit_scale")
          .tensor(prefix + "attn_mask", 77, 77)
          .tensor(prefix + "visual.proj", 4, 4)
          .tensor(prefix + "transformer.text_model.embeddings.position_ids", 1, 77);
      assertBuildable(open(file));
    }
  }

  /** As Playground 2 has it: transformers' name, and its order of rows and columns. */
  @Test
  void theProjectionOfATextEncoderMayBeALayer() throws IOException {
    String name = "conditioner.embedders.1.model.text_projection";
    LdmFile.UNet unet = new LdmFile.UNet(4, 320, SDXL.multiples(), SDXL.depths(), 10, 2048, 2176);
    Checkpoint checkpoint = open(sdxl(unet).without(name).tensor(name + ".weight", 640, 1280));
    assertConfig(checkpoint, "text_encoder_2", "projection_dim", 640);
    Weights weights = checkpoint.weights("text_encoder_2");
    assertFalse(weights.find("text_projection.weight").orElseThrow().transposed());
  }

  @Test
  void scaledWeightsOfEightBitsAreRefusedByName() {
    String layer = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q";
    String message = message(sd1(SD1).tensor(layer + ".scale_weight"));
    assertTrue(message.contains("scales beside them, such as [" + layer), message);
    assertTrue(message.contains("take the model in F16"), message);
    message = message(sd1(SD1).tensor("model.diffusion_model.scaled_fp8", 2));
    assertTrue(message.contains("scales beside them"), message);
  }

  /** Columns: a tensor of the file, what the message says of it. */
  @ParameterizedTest
  @CsvSource({
    "lora_unet_down.lora_up.weight, a LoRA",
    "double_blocks.0.img_attn.qkv.weight, FLUX",
    "model.diffusion_model.joint_blocks.0.x.weight, Stable Diffusion 3",
    "control_model.input_blocks.0.0.weight, a ControlNet",
    "input_blocks.0.0.weight, a UNet alone: take a file that holds a whole model",
    "decoder.conv_in.weight, an autoencoder",
    "down_blocks.0.resnets.0.conv1.weight, diffusers' layout",
    "emb_params, textual inversion",
    "clip_g, textual inversion for SDXL",
    "something.else, '[something.else], perhaps an embedding of textual inversion'",
  })
  void anotherKindOfFileIsNamed(String tensor, String expected) {
    String message = message(new LdmFile().tensor(tensor, 4));
    assertTrue(
        message.contains("expected a checkpoint of Stable Diffusion 1 or 2 or SDXL"), message);
    assertTrue(message.contains(expected), message);
  }

  @Test
  void aUNetAloneSaysWhatIsMissing() {
    String message = message(new LdmFile().unet(SD1));
    assertTrue(message.contains("a UNet without autoencoder and without text encoder"), message);
    message = message(new LdmFile().unet(SD1).clip("cond_stage_model.transformer."));
    assertTrue(message.contains("without autoencoder and with text encoder of [SD1]"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.ckpt", "model.PT", "pytorch_model.bin", "a.pth"})
  void pickledFilesAreRefusedWithARemedy(String name) {
    String message =
        assertThrows(ModelFormatException.class, () -> Checkpoint.isCheckpoint(Path.of(name)))
            .getMessage();
    assertTrue(message.contains("run any program"), message);
    assertTrue(message.contains("safetensors.torch.save_file"), message);
  }

  @Test
  void endingsTellFilesFromFolders() {
    assertTrue(Checkpoint.isCheckpoint(Path.of("a/model.safetensors")));
    assertTrue(Checkpoint.isCheckpoint(Path.of("MODEL.SafeTensors")));
    assertFalse(Checkpoint.isCheckpoint(Path.of("a/model")));
  }

  private String message(LdmFile file) {
    return assertThrows(
            ModelFormatException.class,
            () -> {
              Checkpoint checkpoint = open(file);
              checkpoint.networks().forEach(checkpoint::weights);
            })
        .getMessage();
  }
}
