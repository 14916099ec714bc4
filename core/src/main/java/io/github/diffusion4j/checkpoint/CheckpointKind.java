package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.ModelFormatException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What model a checkpoint in one file holds, told by how its text encoders' tensors are named. */
public enum CheckpointKind {
  /** Stable Diffusion 1.x, with CLIP. */
  SD1("sd1", Map.of("text_encoder", "cond_stage_model.transformer.")),
  /** Stable Diffusion 2.x, with OpenCLIP. */
  SD2("sd2", Map.of("text_encoder", "cond_stage_model.model.")),
  /** SDXL, with CLIP and OpenCLIP. */
  SDXL(
      "sdxl",
      Map.of(
          "text_encoder", "conditioner.embedders.0.transformer.",
          "text_encoder_2", "conditioner.embedders.1.model.")),
  /** The refiner of SDXL, with OpenCLIP alone. */
  SDXL_REFINER("sdxl-refiner", Map.of("text_encoder_2", "conditioner.embedders.0.model."));

  private static final String UNET = "model.diffusion_model.";
  private static final String AUTOENCODER = "first_stage_model.";

  /** Names that tell files which are no checkpoint of these kinds, with what to say of them. */
  private static final Map<String, String> OTHERS = others();

  private static final Pattern LORA =
      Pattern.compile("(lora|lycoris)_.*|.*[._]lora(_[ABa-z]+)?\\..*");

  private final String resource;
  private final Map<String, String> textEncoders;

  CheckpointKind(String resource, Map<String, String> textEncoders) {
    this.resource = resource;
    this.textEncoders = textEncoders;
  }

  private static Map<String, String> others() {
    Map<String, String> others = new LinkedHashMap<>();
    others.put("control_model.", "a ControlNet: give it beside a model");
    others.put("controlnet_cond_embedding.", "a ControlNet: give it beside a model");
    others.put("joint_blocks.", "Stable Diffusion 3 in one file: take its folder");
    others.put(
        "model.diffusion_model.joint_blocks.", "Stable Diffusion 3 in one file: take its folder");
    others.put("double_blocks.", "FLUX in one file: take its folder");
    others.put("model.diffusion_model.double_blocks.", "FLUX in one file: take its folder");
    others.put("first_stage_model.", "an autoencoder without UNet and text encoder");
    others.put("input_blocks.", "a UNet alone: take a file that holds a whole model");
    others.put("encoder.", "an autoencoder without UNet and text encoder");
    others.put("decoder.", "an autoencoder without UNet and text encoder");
    others.put("down_blocks.", "one network in diffusers' layout: take the folder of the model");
    others.put("text_model.", "a text encoder: take the folder of the model");
    others.put("emb_params", "an embedding of textual inversion: give it beside a model");
    others.put("clip_g", "an embedding of textual inversion for SDXL: give it beside a model");
    return others;
  }

  /** Tells the kind from the names of all tensors. */
  static CheckpointKind of(Path file, Set<String> names) {
    return find(names)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    file
                        + ": expected a checkpoint of Stable Diffusion 1 or 2 or SDXL with tensors "
                        + (UNET + "…, " + AUTOENCODER + "… and of a text encoder, found ")
                        + describe(names)));
  }

  /**
   * Whether tensors make a whole model of one of these kinds.
   *
   * @param names of all tensors
   * @return true if {@link Checkpoint#open} is to be tried
   */
  public static boolean isModel(Set<String> names) {
    return find(names).isPresent();
  }

  private static Optional<CheckpointKind> find(Set<String> names) {
    List<CheckpointKind> kinds = kinds(names);
    boolean whole = any(names, UNET + "input_blocks.") && any(names, AUTOENCODER);
    return whole && kinds.size() == 1 ? Optional.of(kinds.get(0)) : Optional.empty();
  }

  private static List<CheckpointKind> kinds(Set<String> names) {
    return List.of(values()).stream()
        .filter(kind -> kind.textEncoders.values().stream().allMatch(start -> any(names, start)))
        .toList();
  }

  /**
   * What tensors seem to be.
   *
   * @param names of all tensors of a file
   * @return in words, with what can be done with the file; some of the names where nothing is known
   */
  public static String describe(Set<String> names) {
    if (isModel(names)) {
      return "a model, " + find(names).orElseThrow();
    }
    if (any(names, UNET + "input_blocks.")) {
      List<CheckpointKind> kinds = kinds(names);
      return "a UNet %s autoencoder and %s; take a file that holds all, or the folder of the model"
          .formatted(
              any(names, AUTOENCODER) ? "with" : "without",
              kinds.isEmpty()
                  ? "without text encoder"
                  : "with %s of %s"
                      .formatted(kinds.size() > 1 ? "text encoders" : "text encoder", kinds));
    }
    if (names.stream().anyMatch(name -> LORA.matcher(name).matches())) {
      return "a LoRA: give it beside a model";
    }
    return OTHERS.entrySet().stream()
        .filter(other -> any(names, other.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(
            names.stream().limit(3).toList()
                + (names.size() == 1 ? ", perhaps an embedding of textual inversion" : ""));
  }

  private static boolean any(Set<String> names, String start) {
    return names.stream().anyMatch(name -> name.startsWith(start));
  }

  /** Name of the file with what the shapes cannot tell. */
  String resource() {
    return resource + ".json";
  }

  /** What tensors of each network begin with; components in the layout of diffusers. */
  Map<String, String> prefixes() {
    Map<String, String> prefixes = new LinkedHashMap<>(textEncoders);
    prefixes.put("unet", UNET);
    prefixes.put("vae", AUTOENCODER);
    return prefixes;
  }
}
