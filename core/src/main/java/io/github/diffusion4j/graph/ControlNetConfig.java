package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import java.util.List;

/**
 * What a ControlNet's config.json says.
 *
 * @param unet the half of a UNet that it is
 * @param pictureChannels channels of the control picture
 * @param widths channels of the control picture's features at each resolution, from its own to that
 *     of the latents
 * @param blueFirst whether the control picture's channels go in reversed
 * @param pooled whether residuals are averaged over all places
 */
record ControlNetConfig(
    UNetConfig unet, int pictureChannels, List<Integer> widths, boolean blueFirst, boolean pooled) {

  ControlNetConfig {
    widths = List.copyOf(widths);
  }

  /**
   * Reads a configuration.
   *
   * @param config a ControlNet's config.json
   * @return what it says
   * @throws ModelFormatException if a value is wrong or not built
   */
  static ControlNetConfig of(ConfigFile config) {
    ConfigValues values = new ConfigValues(config);
    UNetConfig unet = UNetConfig.of(config);
    if (!unet.up().isEmpty()) {
      throw config.wrong(
          "_class_name", "ControlNetModel", config.text("_class_name").orElse("nothing"));
    }
    String order =
        values.choice(
            "controlnet_conditioning_channel_order", "rgb", java.util.Set.of("rgb", "bgr"));
    return new ControlNetConfig(
        unet,
        values.size("conditioning_channels", 3),
        values.sizes("conditioning_embedding_out_channels", List.of(16, 32, 96, 256)),
        order.equals("bgr"),
        values.flag("global_pool_conditions", false));
  }
}
