package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.config.ConfigFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The kind of a model whose folder has no model_index.json, told from its components.
 *
 * @param pipelineClass diffusers' class of pipelines that paint with such components
 * @param components the folder's
 */
record PipelineKind(String pipelineClass, List<String> components) {

  private static final List<String> KNOWN =
      List.of(
          "scheduler",
          "tokenizer",
          "tokenizer_2",
          "tokenizer_3",
          "text_encoder",
          "text_encoder_2",
          "text_encoder_3",
          "unet",
          "transformer",
          "vae",
          "vae_decoder",
          "vae_encoder");

  PipelineKind {
    components = List.copyOf(components);
  }

  /** What the folder's components make; empty if they make nothing that is known. */
  static Optional<PipelineKind> of(Path folder) {
    ConfigFile transformer = ConfigFile.read(folder, "transformer/config.json");
    ConfigFile unet = ConfigFile.read(folder, "unet/config.json");
    boolean first = Files.isDirectory(folder.resolve("text_encoder"));
    boolean second = Files.isDirectory(folder.resolve("text_encoder_2"));
    String kind =
        switch (transformer.text("_class_name").orElse("")) {
          case "SD3Transformer2DModel" -> "StableDiffusion3Pipeline";
          case "FluxTransformer2DModel" -> "FluxPipeline";
          default -> unet.present() && (first || second) ? ofUnet(unet, first, second) : "";
        };
    List<String> components =
        KNOWN.stream().filter(name -> Files.isDirectory(folder.resolve(name))).toList();
    return kind.isEmpty() ? Optional.empty() : Optional.of(new PipelineKind(kind, components));
  }

  private static String ofUnet(ConfigFile unet, boolean first, boolean second) {
    if (second) {
      return first ? "StableDiffusionXLPipeline" : "StableDiffusionXLImg2ImgPipeline";
    }
    if (unet.value("time_cond_proj_dim").isPresent()) {
      return "LatentConsistencyModelPipeline";
    }
    return switch (unet.positive("in_channels").orElse(4)) {
      case 7 -> "StableDiffusionUpscalePipeline";
      case 8 -> "StableDiffusionInstructPix2PixPipeline";
      case 9 -> "StableDiffusionInpaintPipeline";
      default -> "StableDiffusionPipeline";
    };
  }

  /** What a model_index.json would say; classes of components are in their own configurations. */
  ConfigFile index() {
    ObjectNode index = JsonNodeFactory.instance.objectNode().put("_class_name", pipelineClass);
    for (String component : components) {
      index.putArray(component).add("diffusers").add(component);
    }
    return new ConfigFile("model_index.json", index);
  }
}
