package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What control networks add to a UNet: a tensor for each skip connection, from the finest on, and
 * one for the middle block. Exports call them {@code down_block_0} …, {@code mid_block_…}, with
 * differing endings.
 *
 * @param specs the UNet's inputs or a control network's outputs, the middle one last
 * @param halvings how often the latents are halved, for each
 */
record Residuals(List<TensorSpec> specs, List<Integer> halvings) {

  private static final Pattern DOWN = Pattern.compile("down_block\\D*(\\d{1,4})");
  private static final String MIDDLE = "mid_block";
  private static final int USUAL_LAYERS = 2;

  /** Whether an input is one of these. */
  static boolean isResidual(String name) {
    return DOWN.matcher(name).matches() || name.startsWith(MIDDLE);
  }

  /**
   * Finds them.
   *
   * @param specs all inputs of a UNet, or all outputs of a control network
   * @param config the network's, which tells its blocks
   * @param component for messages
   */
  static Residuals of(Collection<TensorSpec> specs, ConfigFile config, String component) {
    TreeMap<Integer, TensorSpec> down = new TreeMap<>();
    List<TensorSpec> middle = new ArrayList<>();
    for (TensorSpec spec : specs) {
      Matcher matcher = DOWN.matcher(spec.name());
      if (matcher.matches()) {
        TensorSpec other = down.put(Integer.valueOf(matcher.group(1)), spec);
        if (other != null) {
          throw new ModelFormatException(
              "%s: %s and %s have the same number, expected a residual for each skip connection"
                  .formatted(component, other, spec));
        }
      } else if (spec.name().startsWith(MIDDLE)) {
        middle.add(spec);
      }
    }
    List<TensorSpec> all = new ArrayList<>(down.values());
    all.addAll(middle);
    List<Integer> halvings = halvings(down.size(), config);
    boolean channels = all.stream().allMatch(spec -> spec.rank() == 4 && spec.dim(1) > 0);
    if (middle.size() != 1 || halvings.size() != all.size() || !channels) {
      throw new ModelFormatException(
          "%s: expected a residual for each skip connection, down_block_0 … of known channels, and one mid_block_…, found %s; layers_per_block and block_out_channels of %s tell how many skip connections there are"
              .formatted(component, all, config.name()));
    }
    return new Residuals(List.copyOf(all), halvings);
  }

  /** The first convolution, then the layers of each block and its halving, but for the last one. */
  private static List<Integer> halvings(int count, ConfigFile config) {
    JsonNode layers = config.value("layers_per_block").orElse(null);
    int each = layers != null && layers.isInt() ? layers.intValue() : USUAL_LAYERS;
    int blocks =
        config.length("block_out_channels").orElse(Math.max(1, count / Math.max(1, each + 1)));
    List<Integer> halvings = new ArrayList<>(List.of(0));
    for (int block = 0; block < blocks; block++) {
      int here = layers != null && layers.isArray() ? layers.path(block).asInt() : each;
      for (int layer = 0; layer < here && halvings.size() <= count; layer++) {
        halvings.add(block);
      }
      halvings.add(block + 1);
    }
    halvings.set(halvings.size() - 1, blocks - 1); // no halving, but the middle block
    return List.copyOf(halvings);
  }

  int count() {
    return specs.size();
  }

  /** The shape of one of them. */
  long[] shape(int index, int rows, LatentShape latents) {
    int factor = 1 << halvings.get(index);
    return new long[] {
      rows,
      specs.get(index).dim(1),
      (latents.height() + factor - 1) / factor,
      (latents.width() + factor - 1) / factor
    };
  }

  /** Checks that an open network computes in the UNet's precision. */
  void requireSameTypes(Map<String, TensorSpec> outputs, Residuals given, String component) {
    for (int i = 0; i < count(); i++) {
      TensorSpec output = outputs.get(given.specs.get(i).name());
      if (output.type() != specs.get(i).type()) {
        throw new ModelFormatException(
            "%s gives %s, but the UNet takes %s; take files of one precision, or set the precision that networks are built in"
                .formatted(component, output, specs.get(i)));
      }
    }
  }

  /** Checks that what a control network gives is what a UNet takes. */
  void requireSame(Residuals given, String component) {
    for (int i = 0; i < Math.max(count(), given.count()); i++) {
      boolean same =
          i < count()
              && i < given.count()
              && specs.get(i).dim(1) == given.specs.get(i).dim(1)
              && halvings.get(i).equals(given.halvings.get(i));
      if (!same) {
        throw new ModelFormatException(
            "%s gives the residuals %s, but the UNet takes %s; the two belong to different kinds of model"
                .formatted(component, given.specs, specs));
      }
    }
  }
}
