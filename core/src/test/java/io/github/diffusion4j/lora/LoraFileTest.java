package io.github.diffusion4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraFileTest {

  private static final String LAYER = "mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0";
  private static final String MODULE = "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0";

  @TempDir Path folder;

  /** Columns: names of the two matrices in programs of old and new, component, layer. */
  @ParameterizedTest
  @CsvSource({
    "lora_unet_LAYER.lora_down.weight, lora_unet_LAYER.lora_up.weight, unet, LAYER",
    "lora_te_LAYER.lora_down.weight, lora_te_LAYER.lora_up.weight, text_encoder, LAYER",
    "lora_te1_LAYER.lora_down.weight, lora_te1_LAYER.lora_up.weight, text_encoder, LAYER",
    "lora_te2_LAYER.lora_down.weight, lora_te2_LAYER.lora_up.weight, text_encoder_2, LAYER",
    "unet.MODULE.lora_A.weight, unet.MODULE.lora_B.weight, unet, LAYER",
    "unet.MODULE.lora_A.default.weight, unet.MODULE.lora_B.default.weight, unet, LAYER",
    "unet.MODULE.lora_A, unet.MODULE.lora_B, unet, LAYER",
    "unet.MODULE.lora.down.weight, unet.MODULE.lora.up.weight, unet, LAYER",
    "unet.MODULE.lora.down, unet.MODULE.lora.up, unet, LAYER",
    "text_encoder.MODULE.lora_linear_layer.down.weight,"
        + " text_encoder.MODULE.lora_linear_layer.up.weight, text_encoder, LAYER",
    "text_encoder_2.MODULE.lora_A.weight, text_encoder_2.MODULE.lora_B.weight, text_encoder_2,"
        + " LAYER",
    "base_model.model.MODULE.lora_A.weight, base_model.model.MODULE.lora_B.weight, unet, LAYER",
    "MODULE.lora_A.weight, MODULE.lora_B.weight, unet, LAYER",
    "unet.mid_block.attn1.processor.to_q_lora.down.weight,"
        + " unet.mid_block.attn1.processor.to_q_lora.up.weight, unet, mid_block_attn1_to_q",
    "unet.mid_block.attn1.processor.to_out_lora.down.weight,"
        + " unet.mid_block.attn1.processor.to_out_lora.up.weight, unet, mid_block_attn1_to_out_0",
    "text_encoder.layers.0.self_attn.to_q_lora.down.weight,"
        + " text_encoder.layers.0.self_attn.to_q_lora.up.weight, text_encoder,"
        + " layers_0_self_attn_q_proj",
    "text_encoder_2.layers.0.self_attn.to_out_lora.down.weight,"
        + " text_encoder_2.layers.0.self_attn.to_out_lora.up.weight, text_encoder_2,"
        + " layers_0_self_attn_out_proj",
    "lycoris_LAYER.lora_down.weight, lycoris_LAYER.lora_up.weight, unet, LAYER",
    "lycoris_transformer_blocks_0_attn_to_q.lora_down.weight,"
        + " lycoris_transformer_blocks_0_attn_to_q.lora_up.weight, transformer,"
        + " transformer_blocks_0_attn_to_q",
    "double_blocks.3.processor.qkv_lora1.down.weight,"
        + " double_blocks.3.processor.qkv_lora1.up.weight, transformer,"
        + " double_blocks_3_img_attn_qkv",
    "diffusion_model.double_blocks.3.processor.proj_lora2.down.weight,"
        + " diffusion_model.double_blocks.3.processor.proj_lora2.up.weight, transformer,"
        + " double_blocks_3_txt_attn_proj",
    "single_blocks.3.processor.qkv_lora.down.weight,"
        + " single_blocks.3.processor.qkv_lora.up.weight, transformer, single_blocks_3_qkv",
    "single_blocks.3.processor.proj_lora.down.weight,"
        + " single_blocks.3.processor.proj_lora.up.weight, transformer, single_blocks_3_linear2",
  })
  void namesOfManyPrograms(String down, String up, String component, String layer)
      throws IOException {
    Path file =
        new Written(folder)
            .add(filled(down), List.of(1L, 3L), 1, 2, 3)
            .add(filled(up), List.of(2L, 1L), 4, 5)
            .file();
    LowRank change = LoraFile.read(file).components().get(component).get(filled(layer));
    float[] weight = new float[6];
    change.addTo(weight);
    assertArrayEquals(new float[] {4, 8, 12, 5, 10, 15}, weight);
  }

  private static String filled(String name) {
    return name.replace("LAYER", LAYER).replace("MODULE", MODULE);
  }

  /** A layer of two ranks, whose product is 43. */
  private Written rankTwo() {
    return new Written(folder)
        .add("lora_unet_a.lora_down.weight", List.of(2L, 1L), 1, 10)
        .add("lora_unet_a.lora_up.weight", List.of(1L, 2L), 3, 4);
  }

  @Test
  void alphaOverRankIsAFactor() throws IOException {
    Path file = rankTwo().add("lora_unet_a.alpha", List.of(), 1).file();
    float[] weight = {100};
    LoraFile.read(file).components().get("unet").get("a").addTo(weight);
    assertArrayEquals(new float[] {100 + 43 / 2f}, weight);
  }

  /** As a converter of diffusers writes it. */
  @Test
  void alphaMayBeAWholeNumber() throws IOException {
    Path file = rankTwo().whole("lora_unet_a.alpha", 1).file();
    assertEquals(43 / 2f, only(LoraFile.read(file).components().get("unet").get("a")));
  }

  /** As peft writes its configuration beside the file. */
  @Test
  void alphasMayLieBesideTheFile() throws IOException {
    Path file =
        new Written(folder)
            .add("base_model.model.mid_block.to_q.lora_A.weight", List.of(2L, 1L), 1, 10)
            .add("base_model.model.mid_block.to_q.lora_B.weight", List.of(1L, 2L), 3, 4)
            .add("base_model.model.mid_block.to_k.lora_A.weight", List.of(2L, 1L), 1, 10)
            .add("base_model.model.mid_block.to_k.lora_B.weight", List.of(1L, 2L), 3, 4)
            .file("adapter_model.safetensors");
    Path config = folder.resolve("adapter_config.json");
    Files.writeString(config, "{\"lora_alpha\": 6, \"r\": 2, \"alpha_pattern\": {\"to_k\": 1}}");
    Map<String, LowRank> read = LoraFile.read(file).components().get("unet");
    assertEquals(43 * 6 / 2f, only(read.get("mid_block_to_q")));
    assertEquals(43 * 1 / 2f, only(read.get("mid_block_to_k")));
    Files.writeString(config, "{\"use_dora\": true}");
    assertTrue(refused(file).contains("adapter_config.json: its content says that it is DoRA"));
    Files.writeString(config, "[");
    assertTrue(refused(file).contains("adapter_config.json: its content is not valid JSON"));
    Files.delete(config);
    assertEquals(43, only(LoraFile.read(file).components().get("unet").get("mid_block_to_q")));
  }

  @Test
  void aFolderIsRefusedWithWhatToDo() {
    assertTrue(refused(folder).contains("is a folder, expected a LoRA's .safetensors file"));
  }

  /** As diffusers writes peft's configuration into the file. */
  @Test
  void metadataMayHoldAlphas() throws IOException {
    String json =
        """
        {"unet.lora_alpha": 8, "unet.r": 2, "unet.use_rslora": false,
         "unet.alpha_pattern": {"attn1.to_k": 6}, "text_encoder.lora_alpha": 8,
         "text_encoder.r": 2, "text_encoder.use_rslora": true}""";
    Written written = new Written(folder).metadata("lora_adapter_metadata", json);
    for (String layer :
        List.of(
            "unet.mid.attn1.to_q", "unet.mid.attn1.to_k", "text_encoder.a", "text_encoder_2.a")) {
      written.add(layer + ".lora_A.weight", List.of(4L, 1L), 1, 0, 0, 0);
      written.add(layer + ".lora_B.weight", List.of(1L, 4L), 1, 0, 0, 0);
    }
    Map<String, Map<String, LowRank>> read = LoraFile.read(written.file()).components();
    assertEquals(8 / 4f, only(read.get("unet").get("mid_attn1_to_q")));
    assertEquals(6 / 4f, only(read.get("unet").get("mid_attn1_to_k")));
    assertEquals(8 / 2f, only(read.get("text_encoder").get("a")));
    assertEquals(1, only(read.get("text_encoder_2").get("a")));
  }

  private static float only(LowRank change) {
    float[] weight = {0};
    change.addTo(weight);
    return weight[0];
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "[]", "{\"unet.lora_alpha\":\"x\"}", "{\"unet.use_dora\":true}"})
  void metadataThatCannotBeReadIsRefused(String json) throws IOException {
    String message =
        message(
            new Written(folder)
                .metadata("lora_adapter_metadata", json)
                .add("unet.a.lora_A.weight", List.of(1L, 1L), 1)
                .add("unet.a.lora_B.weight", List.of(1L, 1L), 1));
    assertTrue(message.contains("lora_adapter_metadata") || message.contains("DoRA"), message);
  }

  /** A point of one channel into two, a kernel of two rows, a point: worked out by hand. */
  @Test
  void threeMatricesOfAConvolutionAreComposed() throws IOException {
    Path file =
        new Written(folder)
            .add("lora_unet_a.lora_down.weight", List.of(2L, 1L, 1L, 1L), 1, 2)
            .add("lora_unet_a.lora_mid.weight", List.of(2L, 2L, 2L, 1L), 1, 2, 3, 4, 5, 6, 7, 8)
            .add("lora_unet_a.lora_up.weight", List.of(1L, 2L, 1L, 1L), 1, 10)
            .file();
    LowRank change = LoraFile.read(file).components().get("unet").get("a");
    assertEquals(new LowRank.Shape(1, 1, 2, 1), change.shape());
    float[] weight = new float[2];
    change.addTo(weight);
    // kernel rows: (1 + 2 * 3, 2 + 2 * 4) and (5 + 2 * 7, 6 + 2 * 8)
    assertArrayEquals(new float[] {7 + 190, 10 + 220}, weight);
  }

  @ParameterizedTest
  @CsvSource({
    "lora_unet_a.dora_scale, DoRA",
    "unet.a.lora_magnitude_vector.weight, DoRA",
    "lora_unet_a.hada_w1_a, LoHa",
    "lora_unet_a.lokr_w1, LoKr",
    "lora_unet_a.oft_blocks, OFT",
    "lora_unet_a.diff, full differences",
    "unet.a.lora_B.bias, LoRA with biases",
    "lora_unet_a.scalar, LoRA with learned scales",
    "bundle_emb.word.string_to_param, LoRA with words of textual inversion",
  })
  void otherKindsAreRefusedByName(String tensor, String kind) throws IOException {
    String message = message(new Written(folder).add(tensor, List.of(1L), 1));
    assertTrue(message.contains("is " + kind + " (tensor \"" + tensor + "\")"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.diffusion_model.out.2.bias", "emb_params", "lora_unet_a.beta"})
  void unknownTensorsAreNamed(String tensor) throws IOException {
    String message = message(new Written(folder).add(tensor, List.of(1L), 1));
    assertTrue(message.contains("1 tensors that no LoRA has, such as [" + tensor), message);
  }

  @Test
  void whatDoesNotBelongTogetherIsNamed() throws IOException {
    String down = "lora_unet_a.lora_down.weight";
    String up = "lora_unet_a.lora_up.weight";
    String message = message(new Written(folder).add(down, List.of(1L, 2L), 1, 2));
    assertTrue(message.contains("has no lora_up for layer a"), message);
    message = message(new Written(folder).add(up, List.of(1L, 2L), 1, 2));
    assertTrue(message.contains("has no lora_down for layer a"), message);
    message =
        message(
            new Written(folder).add(down, List.of(1L, 2L), 1, 2).add(up, List.of(1L, 2L), 1, 2));
    assertTrue(message.contains("do not belong together"), message);
    message = message(new Written(folder).add(down, List.of(2L), 1, 2).add(up, List.of(1L), 1));
    assertTrue(message.contains("expected two or four dimensions"), message);
    message =
        message(
            new Written(folder)
                .add(down, List.of(1L, 1L), 1)
                .add(up, List.of(1L, 1L), 1)
                .add("lora_unet_a.alpha", List.of(), Float.NaN));
    assertTrue(message.contains("must be a finite number"), message);
    message =
        message(
            new Written(folder)
                .add(down, List.of(1L, 50_000L), new float[50_000])
                .add(up, List.of(50_000L, 1L), new float[50_000]));
    assertTrue(message.contains("larger than any layer"), message);
    message = message(new Written(folder).add(down, List.of(0L, 2L)).add(up, List.of(1L, 0L)));
    assertTrue(message.contains("none of them 0"), message);
    assertTrue(message(new Written(folder)).contains("has no tensors, expected those of a LoRA"));
  }

  private String message(Written file) throws IOException {
    return refused(file.file());
  }

  private static String refused(Path path) {
    return assertThrows(ModelFormatException.class, () -> LoraFile.read(path)).getMessage();
  }

  @Test
  void setsAreReadOnceAndAddUp() throws IOException {
    Path file =
        new Written(folder)
            .add("unet.mid_block.a.lora_A.weight", List.of(1L, 1L), 2)
            .add("unet.mid_block.a.lora_B.weight", List.of(1L, 1L), 3)
            .add("text_encoder.b.lora_A.weight", List.of(1L, 1L), 5)
            .add("text_encoder.b.lora_B.weight", List.of(1L, 1L), 7)
            .file();
    LoraFiles files = new LoraFiles();
    List<Lora> loras = List.of(new Lora(file, 0.5, 2), new Lora(file, 1, 0));
    LoraSet set = files.read(loras);
    assertSame(set, files.read(loras));
    float[] weight = {0};
    set.of("unet").get("mid_block_a").addTo(weight);
    assertArrayEquals(new float[] {9}, weight);
    weight[0] = 0;
    set.of("text_encoder").get("b").addTo(weight);
    assertArrayEquals(new float[] {70}, weight);
    assertEquals(Map.of(), set.of("text_encoder_2"));
    assertSame(LoraSet.NONE, files.read(List.of()));
  }

  @Test
  void layersAreFoundUnderBothLayoutsNames() throws IOException {
    Map<String, LowRank.Shape> layers = new TreeMap<>();
    for (String layer :
        List.of(
            "conv_in",
            "time_embedding.linear_1",
            "down_blocks.0.resnets.0.conv1",
            "down_blocks.0.downsamplers.0.conv",
            "down_blocks.1.resnets.0.conv2",
            "down_blocks.1.attentions.0.proj_in",
            "mid_block.attentions.0.proj_out",
            "up_blocks.0.resnets.0.conv_shortcut",
            "up_blocks.0.attentions.0.proj_in",
            "up_blocks.0.upsamplers.0.conv",
            "up_blocks.1.resnets.0.time_emb_proj")) {
      layers.put(layer, LowRank.Shape.matrix(1, 1));
    }
    for (String original :
        List.of(
            "input_blocks_0_0",
            "time_embed_0",
            "input_blocks_1_0_in_layers_2",
            "input_blocks_2_0_op",
            "input_blocks_3_0_out_layers_3",
            "input_blocks_3_1_proj_in",
            "middle_block_1_proj_out",
            "output_blocks_0_0_skip_connection",
            "output_blocks_0_1_proj_in",
            "output_blocks_0_2_conv",
            "output_blocks_1_0_emb_layers_1")) {
      LoraSet set = set(original);
      assertEquals(1, LoraLayers.find(set, "unet", layers).size(), original);
    }
    assertEquals(
        Set.of("up_blocks.0.upsamplers.0.conv"),
        LoraLayers.find(set("output_blocks_0_2_conv"), "unet", layers).keySet());
    String message =
        assertThrows(
                ModelFormatException.class,
                () -> LoraLayers.find(set("down_blocks_7_x"), "unet", layers))
            .getMessage();
    assertTrue(message.contains("1 of 1 layers are not in the model's unet, such as"), message);
    assertTrue(message.contains("down_blocks_7_x"), message);
    assertTrue(message.contains("for another kind of model"), message);
    layers.put("conv_in", LowRank.Shape.matrix(1, 2));
    message =
        assertThrows(
                ModelFormatException.class, () -> LoraLayers.find(set("conv_in"), "unet", layers))
            .getMessage();
    assertTrue(message.contains("[1, 1] for unet layer conv_in, whose weight is [1, 2]"), message);
    message =
        assertThrows(
                ModelFormatException.class, () -> LoraLayers.find(set("conv_in"), "unet", Map.of()))
            .getMessage();
    assertTrue(message.contains("its layers have no names"), message);
  }

  @Test
  void changesUnderDifferentNamesOfALayerAddUp() {
    Map<String, LowRank> both =
        LoraLayers.find(
            set("conv_in", "input_blocks_0_0"),
            "unet",
            Map.of("conv_in", LowRank.Shape.matrix(1, 1)));
    float[] weight = {0};
    both.get("conv_in").addTo(weight);
    assertEquals(2, weight[0]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora_unet_joint_blocks_0_x_block_attn_qkv.alpha",
        "lora_unet_final_layer_linear.alpha",
        "lora_transformer_single_transformer_blocks_0_attn_to_q.alpha",
        "transformer.transformer_blocks.0.attn.to_q.lora_A.weight",
        "diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight",
        "base_model.model.single_blocks.0.linear1.lora_B.weight"
      })
  void namesOfTransformersAreKnown(String name) {
    assertEquals("transformer", LoraKey.of(name).orElseThrow().component());
  }

  /** Of FLUX: query, key and value in one, which is not the whole of the original layer. */
  @Test
  void changesOfPartsOfASingleBlockAreTakenApart() {
    String block = "single_transformer_blocks.0.";
    Map<String, LowRank.Shape> layers =
        Map.of(
            block + "attn.to_q", LowRank.Shape.matrix(1, 1),
            block + "attn.to_k", LowRank.Shape.matrix(1, 1),
            block + "attn.to_v", LowRank.Shape.matrix(1, 1),
            block + "proj_mlp", LowRank.Shape.matrix(2, 1));
    LowRank change =
        LowRank.of(LowRank.Shape.matrix(3, 1), new float[] {2}, new float[] {10, 20, 30});
    LoraSet set =
        new LoraSet(
            List.of(Lora.of(Path.of("x.safetensors"))),
            List.of("1"),
            Map.of("transformer", Map.of("single_blocks_0_qkv", change)));
    Map<String, LowRank> found = LoraLayers.find(set, "transformer", layers);
    assertEquals(
        Set.of(block + "attn.to_q", block + "attn.to_k", block + "attn.to_v"), found.keySet());
    assertEquals(20, only(found.get(block + "attn.to_q")));
    assertEquals(40, only(found.get(block + "attn.to_k")));
    assertEquals(60, only(found.get(block + "attn.to_v")));
  }

  private static LoraSet set(String... layers) {
    LowRank change = LowRank.of(LowRank.Shape.matrix(1, 1), new float[] {1}, new float[] {1});
    Map<String, LowRank> changes = new TreeMap<>();
    for (String layer : layers) {
      changes.put(layer, change);
    }
    return new LoraSet(
        List.of(Lora.of(Path.of("x.safetensors"))), List.of("1"), Map.of("unet", changes));
  }

  @Test
  void keysWithoutALoraAreNone() {
    assertEquals(Optional.empty(), LoraKey.of("first_stage_model.decoder.conv_in.weight"));
  }

  /** A file in the making. */
  private static final class Written {
    private final SafetensorsWriter writer = new SafetensorsWriter();
    private final Path folder;

    Written(Path folder) {
      this.folder = folder;
    }

    Written add(String name, List<Long> shape, float... values) {
      writer.add(name, shape, values);
      return this;
    }

    Written metadata(String key, String value) {
      writer.metadata(key, value);
      return this;
    }

    Written whole(String name, long value) {
      writer.add(name, List.of(), new long[] {value});
      return this;
    }

    Path file() throws IOException {
      return file("lora.safetensors");
    }

    Path file(String name) throws IOException {
      Path file = folder.resolve(name);
      writer.write(file);
      return file;
    }
  }
}
