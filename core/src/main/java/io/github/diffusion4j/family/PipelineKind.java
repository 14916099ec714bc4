package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.diffusion4j.config.ConfigFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The kind of a model whose folder has no model_index.json, told from its components.
 *
 * @param pipelineClass diffusers' class of pipelines that paint with such components
 */
record PipelineKind(String pipelineClass) {

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
    return kind.isEmpty() ? Optional.empty() : Optional.of(new PipelineKind(kind));
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

  /** What a model_index.json would say. */
  ConfigFile index() {
    return new ConfigFile(
        "model_index.json",
        JsonNodeFactory.instance.objectNode().put("_class_name", pipelineClass));
  }
}
