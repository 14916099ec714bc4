package io.github.diffusion4j.lora;

import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.checkpoint.LdmLayers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Finds the layers that LoRAs change in a network. */
public final class LoraLayers {

  private LoraLayers() {}

  /**
   * The changes of one network.
   *
   * @param loras what to change
   * @param component the network's name in its model, such as {@code unet}
   * @param layers the network's layers with the shapes of their weights
   * @return by the network's own names of layers; empty if none of them is changed
   * @throws ModelFormatException if a layer is not there or of another shape
   */
  public static Map<String, LowRank> find(
      LoraSet loras, String component, Map<String, LowRank.Shape> layers) {
    Map<String, LowRank> wanted = loras.of(component);
    if (wanted.isEmpty()) {
      return Map.of();
    }
    Map<String, String> names = new HashMap<>();
    LdmLayers.of(layers.keySet())
        .forEach((original, name) -> names.put(LoraKey.underscored(original), name));
    layers.keySet().forEach(name -> names.put(LoraKey.underscored(name), name));
    Map<String, LowRank> found = new TreeMap<>();
    List<String> unknown = new ArrayList<>();
    wanted.forEach(
        (layer, change) -> {
          String name = names.get(layer);
          if (name == null) {
            unknown.add(layer);
          } else {
            found.put(name, checked(loras, component + " layer " + name, change, layers.get(name)));
          }
        });
    if (!unknown.isEmpty()) {
      throw new ModelFormatException(
          "%s: %d of %d layers are not in the model's %s, such as %s; %s"
              .formatted(
                  files(loras),
                  unknown.size(),
                  wanted.size(),
                  component,
                  unknown.stream().limit(3).toList(),
                  layers.isEmpty()
                      ? "its layers have no names: take a model exported without optimization and quantization"
                      : "the LoRA is for another kind of model, or an optimization has taken the names of layers from the model's file"));
    }
    return found;
  }

  private static LowRank checked(
      LoraSet loras, String where, LowRank change, LowRank.Shape expected) {
    if (!change.shape().equals(expected)) {
      throw new ModelFormatException(
          "%s: a change of shape %s for %s, whose weight is %s; the LoRA is for another kind of model"
              .formatted(files(loras), change.shape(), where, expected));
    }
    return change;
  }

  private static List<?> files(LoraSet loras) {
    return loras.loras().stream().map(lora -> lora.file().getFileName()).toList();
  }
}
