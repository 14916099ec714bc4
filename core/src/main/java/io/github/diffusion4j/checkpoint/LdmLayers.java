package io.github.diffusion4j.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/** The names that layers of a UNet have in the original layout. */
public final class LdmLayers {

  private final NavigableSet<String> layers;
  private final Map<String, String> prefixes = new LinkedHashMap<>();

  private LdmLayers(Set<String> layers) {
    this.layers = new TreeSet<>(layers);
    LdmUNet.AROUND.forEach((original, name) -> prefixes.put(name, original));
    down();
    up();
    resnet("mid_block.resnets.0", "middle_block.0");
    prefixes.put("mid_block.attentions.0", "middle_block.1");
    resnet("mid_block.resnets.1", "middle_block.2");
  }

  /**
   * Names in the original layout.
   *
   * @param layers all layers of a UNet under diffusers' names
   * @return diffusers' name by the original one, for each layer that has one
   */
  public static Map<String, String> of(Set<String> layers) {
    LdmLayers names = new LdmLayers(layers);
    Map<String, String> original = new LinkedHashMap<>();
    for (String layer : layers) {
      String prefix = layer;
      while (!prefix.isEmpty() && !names.prefixes.containsKey(prefix)) {
        prefix = prefix.substring(0, Math.max(0, prefix.lastIndexOf('.')));
      }
      if (!prefix.isEmpty()) {
        original.put(names.prefixes.get(prefix) + layer.substring(prefix.length()), layer);
      }
    }
    return original;
  }

  private boolean hasAny(String start) {
    String next = layers.ceiling(start);
    return next != null && next.startsWith(start);
  }

  private void down() {
    int block = 1;
    for (int level = 0; hasAny("down_blocks." + level + "."); level++) {
      String place = "down_blocks." + level;
      for (int i = 0; hasAny(place + ".resnets." + i + "."); i++, block++) {
        resnet(place + ".resnets." + i, "input_blocks." + block + ".0");
        prefixes.put(place + ".attentions." + i, "input_blocks." + block + ".1");
      }
      if (hasAny(place + ".downsamplers.0.")) {
        prefixes.put(place + ".downsamplers.0.conv", "input_blocks." + block++ + ".0.op");
      }
    }
  }

  private void up() {
    int block = 0;
    for (int level = 0; hasAny("up_blocks." + level + "."); level++) {
      String place = "up_blocks." + level;
      for (int i = 0; hasAny(place + ".resnets." + i + "."); i++, block++) {
        resnet(place + ".resnets." + i, "output_blocks." + block + ".0");
        prefixes.put(place + ".attentions." + i, "output_blocks." + block + ".1");
      }
      boolean attends = hasAny(place + ".attentions.");
      prefixes.put(
          place + ".upsamplers.0.conv",
          "output_blocks." + (block - 1) + (attends ? ".2.conv" : ".1.conv"));
    }
  }

  private void resnet(String name, String original) {
    LdmUNet.RESNET.forEach(
        (part, called) -> prefixes.put(name + "." + called, original + "." + part));
  }
}
