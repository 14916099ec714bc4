package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations that are wrong, or of another model than the weights. */
class ArchitecturesTest {

  private static final GraphOptions OPTIONS = new GraphOptions(ElementType.FLOAT32, true);

  @TempDir Path folder;

  private void build(String component, String place, String from, String to) throws IOException {
    Path model = Goldens.resource("/goldens/pipelines/weights/sd3");
    String json = Files.readString(model.resolve(place).resolve("config.json"));
    assertTrue(json.contains(from), json);
    Files.writeString(folder.resolve("config.json"), json.replace(from, to));
    ConfigFile config = ConfigFile.read(folder, "config.json");
    String name = place.equals("vae") ? "diffusion_pytorch_model.safetensors" : "model.safetensors";
    WeightSource weights = WeightSource.of(model.resolve(place).resolve(name));
    new BuiltNetwork(component, Architectures.of(component, config), weights).build(OPTIONS);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text_encoder | text_encoder | \"num_hidden_layers\": 3 | \"num_hidden_layers\": 4 | lacks",
        "text_encoder | text_encoder | \"num_hidden_layers\": 3 | \"num_hidden_layers\": 2 | has 16 weights",
        "text_encoder | text_encoder | \"num_hidden_layers\": 3 | \"num_hidden_layers\": 2000000000 | lacks",
        "text_encoder | text_encoder | \"hidden_size\": 16 | \"hidden_size\": 32 | [1000, 32]",
        "text_encoder | text_encoder | \"num_attention_heads\": 4 | \"num_attention_heads\": 3 | num_attention_heads",
        "text_encoder | text_encoder | quick_gelu | fast_gelu | fast_gelu",
        "text_encoder | text_encoder | CLIPTextModelWithProjection | BertModel | BertModel",
        "text_encoder_3 | text_encoder_3 | \"d_kv\": 8 | \"d_kv\": 16 | SelfAttention.q",
        "text_encoder_3 | text_encoder_3 | \"num_layers\": 2 | \"num_layers\": 2000000000 | lacks",
        "vae_decoder | vae | UpDecoderBlock2D | UpBlock2D | up_block_types",
        "vae_decoder | vae | \"norm_num_groups\": 4 | \"norm_num_groups\": 2000000000 | groups",
        "vae_encoder | vae | \"latent_channels\": 16 | \"latent_channels\": 8 | conv_out",
        "vae_encoder | vae | \"layers_per_block\": 1 | \"layers_per_block\": 2000000000 | lacks",
        "vae_encoder | vae | \"block_out_channels\": [ | \"block_out_channels\": [ -1, | block_out_channels",
        "unet | vae | AutoencoderKL | AutoencoderKL | AutoencoderKL",
      })
  void wrongConfigurationsAreRefused(
      String component, String place, String from, String to, String named) {
    ModelFormatException thrown =
        assertTimeoutPreemptively(
            Duration.ofSeconds(60),
            () ->
                assertThrows(ModelFormatException.class, () -> build(component, place, from, to)));
    assertTrue(thrown.getMessage().contains(named), thrown.getMessage());
  }

  @Test
  void autoencodersStayIn32BitsWhereTheySaySo() {
    Path model = Goldens.resource("/goldens/pipelines/weights/sdxl");
    Architecture forced =
        Architectures.of("vae_decoder", ConfigFile.read(model, "vae/config.json"));
    assertTrue(forced.precision(ElementType.FLOAT16) == ElementType.FLOAT32);
    assertTrue(forced.precision(ElementType.BFLOAT16) == ElementType.BFLOAT16);
  }
}
