package io.github.diffusion4j.graph;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The kinds of networks that can be built, by the class names of their configurations. */
public final class Architectures {

  private static final Map<String, Function<ConfigFile, Architecture>> KINDS =
      new TreeMap<>(
          Map.ofEntries(
              entry("CLIPTextModel", config -> ClipTextModel.of(config, false)),
              entry("CLIPTextModelWithProjection", config -> ClipTextModel.of(config, true)),
              entry("CLIPVisionModelWithProjection", ClipVisionModel::of),
              entry("StableDiffusionSafetyChecker", SafetyCheckerModel::of),
              entry("T5EncoderModel", T5EncoderModel::of),
              entry("UNet2DConditionModel", UNet::of),
              entry("UNet2DModel", UNet::of),
              entry("ControlNetModel", ControlNet::of),
              entry("SD3Transformer2DModel", Sd3Transformer::of),
              entry("FluxTransformer2DModel", FluxTransformer::of),
              entry(
                  "AutoencoderKL/vae_encoder",
                  config -> AutoencoderKl.of(config, AutoencoderKl.Half.ENCODER)),
              entry(
                  "AutoencoderKL/vae_decoder",
                  config -> AutoencoderKl.of(config, AutoencoderKl.Half.DECODER)),
              entry(
                  "AutoencoderTiny/vae_encoder",
                  config -> AutoencoderTiny.of(config, AutoencoderTiny.Half.ENCODER)),
              entry(
                  "AutoencoderTiny/vae_decoder",
                  config -> AutoencoderTiny.of(config, AutoencoderTiny.Half.DECODER))));

  private Architectures() {}

  private static Map.Entry<String, Function<ConfigFile, Architecture>> entry(
      String name, Function<ConfigFile, Architecture> reading) {
    return Map.entry(name, reading);
  }

  /**
   * The network of a configuration.
   *
   * @param component what it is in its model, such as {@code vae_decoder}
   * @param config its config.json
   * @return the network with its sizes
   * @throws ModelFormatException if this kind of network is not known here, or a value is out of
   *     its range
   */
  public static Architecture of(String component, ConfigFile config) {
    String kind = className(config);
    Function<ConfigFile, Architecture> plain = KINDS.get(kind);
    Function<ConfigFile, Architecture> part = KINDS.get(kind + "/" + component);
    if (plain == null && part == null) {
      throw new ModelFormatException(
          "%s: no network of the class \"%s\" can be built for %s, expected one of %s; export the model to ONNX"
              .formatted(config.name(), kind, component, KINDS.keySet()));
    }
    return (part == null ? plain : part).apply(config);
  }

  /**
   * Whether a network can be built.
   *
   * @param component what it is in its model
   * @param config its config.json
   * @return true if {@link #of} knows its class
   */
  public static boolean knows(String component, ConfigFile config) {
    String kind = className(config);
    return KINDS.containsKey(kind) || KINDS.containsKey(kind + "/" + component);
  }

  private static String className(ConfigFile config) {
    JsonNode architectures = config.root().path("architectures");
    return config.text("_class_name").orElseGet(() -> architectures.path(0).asText(""));
  }
}
