package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.image.ImageProcessor;
import io.github.diffusion4j.image.ImageProcessor.Resize;
import io.github.diffusion4j.image.ImageProcessor.Size;
import io.github.diffusion4j.image.Resampling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads preprocessor_config.json of a CLIPImageProcessor; what it leaves out is CLIP's. */
record ImageProcessorConfig(ConfigFile config) {

  private static final int LARGEST = 4096;
  private static final int CLIP_SIZE = 224;
  private static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
  private static final List<Double> CLIP_DEVIATION = List.of(0.26862954, 0.26130258, 0.27577711);

  /** The processor that the file describes. */
  ImageProcessor processor() {
    boolean rescales = config.flag("do_rescale").orElse(true);
    boolean normalises = config.flag("do_normalize").orElse(true);
    return new ImageProcessor(
        config.flag("do_resize").orElse(true) ? Optional.of(resize()) : Optional.empty(),
        config.flag("do_center_crop").orElse(true) ? Optional.of(crop()) : Optional.empty(),
        rescales ? config.number("rescale_factor").orElse(1.0 / 255) : 1,
        normalises ? numbers("image_mean", CLIP_MEAN) : List.of(0.0, 0.0, 0.0),
        normalises ? numbers("image_std", CLIP_DEVIATION) : List.of(1.0, 1.0, 1.0));
  }

  private Resize resize() {
    Optional<JsonNode> size = config.value("size");
    if (size.isPresent() && size.get().isObject() && !size.get().has("shortest_edge")) {
      return new Resize(sides("size", size.get()), false, filter());
    }
    int edge =
        size.map(node -> length("size", node.isObject() ? node.get("shortest_edge") : node))
            .orElse(CLIP_SIZE);
    return new Resize(new Size(edge, edge), true, filter());
  }

  private Size crop() {
    Optional<JsonNode> size = config.value("crop_size");
    if (size.isPresent() && size.get().isObject()) {
      return sides("crop_size", size.get());
    }
    int side = size.map(node -> length("crop_size", node)).orElse(CLIP_SIZE);
    return new Size(side, side);
  }

  private Size sides(String key, JsonNode node) {
    return new Size(length(key, node.path("width")), length(key, node.path("height")));
  }

  private int length(String key, JsonNode node) {
    if (!node.isIntegralNumber() || node.asLong() < 1 || node.asLong() > LARGEST) {
      throw config.wrong(
          key,
          "1 to " + LARGEST + " pixels, or {\"shortest_edge\"} or {\"height\", \"width\"} of such",
          config.root().get(key));
    }
    return node.intValue();
  }

  /** Pillow's numbers of filters. */
  private Resampling filter() {
    int code = config.integer("resample").orElse(3);
    return switch (code) {
      case 0 -> Resampling.NEAREST;
      case 1 -> Resampling.LANCZOS;
      case 2 -> Resampling.BILINEAR;
      case 3 -> Resampling.BICUBIC;
      default ->
          throw config.wrong(
              "resample", "0 (nearest), 1 (Lanczos), 2 (bilinear) or 3 (bicubic)", code);
    };
  }

  private List<Double> numbers(String key, List<Double> otherwise) {
    Optional<JsonNode> list = config.value(key);
    if (list.isEmpty()) {
      return otherwise;
    }
    List<Double> numbers = new ArrayList<>();
    for (JsonNode number : list.get()) {
      boolean good = number.isNumber() && Double.isFinite(number.doubleValue());
      if (!good || key.equals("image_std") && number.doubleValue() == 0) {
        throw config.wrong(key, "three numbers, none of them a divisor of 0", list.get());
      }
      numbers.add(number.doubleValue());
    }
    if (numbers.size() != 3) {
      throw config.wrong(key, "a list of three numbers", list.get());
    }
    return numbers;
  }
}
