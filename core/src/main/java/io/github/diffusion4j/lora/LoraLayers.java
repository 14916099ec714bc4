package io.github.diffusion4j.lora;

import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.checkpoint.LdmLayers;
import io.github.diffusion4j.checkpoint.TransformerLayers;
import io.github.diffusion4j.checkpoint.TransformerLayers.Original;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Finds the layers that LoRAs change in a network. */
public final class LoraLayers {

  /** Of a layer that a network has in parts, as in {@code proj[0/2]}. */
  private static final Pattern PART = Pattern.compile("\\[\\d+/\\d+\\]$");

  private final LoraSet loras;
  private final String component;
  private final Map<String, LowRank.Shape> layers;

  private LoraLayers(LoraSet loras, String component, Map<String, LowRank.Shape> layers) {
    this.loras = loras;
    this.component = component;
    this.layers = layers;
  }

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
    return wanted.isEmpty() ? Map.of() : new LoraLayers(loras, component, layers).changes(wanted);
  }

  private Map<String, LowRank> changes(Map<String, LowRank> wanted) {
    Map<String, Original> names = names();
    Map<String, LowRank> found = new TreeMap<>();
    List<String> unknown = new ArrayList<>();
    wanted.forEach(
        (layer, change) -> {
          Original original = names.get(layer);
          if (original == null) {
            unknown.add(layer);
          } else { // LoRAs may call the same layer by different names
            parts(original, change).forEach((name, part) -> found.merge(name, part, LowRank::plus));
          }
        });
    if (!unknown.isEmpty()) {
      throw new ModelFormatException(
          "%s: %d of %d layers are not in the model's %s, such as %s; %s"
              .formatted(
                  loras.names(),
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

  /** What LoRAs may call layers, with underscores. */
  private Map<String, Original> names() {
    Map<String, List<String>> whole = new TreeMap<>();
    new TreeSet<>(layers.keySet())
        .forEach(
            name ->
                whole
                    .computeIfAbsent(
                        PART.matcher(name).replaceFirst(""), absent -> new ArrayList<>())
                    .add(name));
    Map<String, Original> names = new HashMap<>();
    LdmLayers.of(whole.keySet())
        .forEach(
            (original, name) ->
                names.put(LoraKey.underscored(original), original(List.of(name), false, whole)));
    TransformerLayers.of(whole.keySet())
        .forEach(
            (original, layer) ->
                names.put(
                    LoraKey.underscored(original),
                    original(layer.parts(), layer.swapped(), whole)));
    whole
        .keySet()
        .forEach(
            name -> names.put(LoraKey.underscored(name), original(List.of(name), false, whole)));
    return names;
  }

  private static Original original(
      List<String> layers, boolean swapped, Map<String, List<String>> parts) {
    return new Original(
        layers.stream().flatMap(layer -> parts.get(layer).stream()).toList(), swapped);
  }

  /** A change of an original layer as changes of the network's own. */
  private Map<String, LowRank> parts(Original original, LowRank change) {
    List<String> parts = original.parts();
    LowRank.Shape first = layers.get(parts.get(0));
    int rows = parts.stream().mapToInt(part -> layers.get(part).out()).sum();
    LowRank.Shape expected = new LowRank.Shape(rows, first.in(), first.height(), first.width());
    if (!change.shape().equals(expected)) {
      throw new ModelFormatException(
          "%s: a change of shape %s for %s layer %s, whose weight is %s; the LoRA is for another kind of model"
              .formatted(
                  loras.names(), change.shape(), component, String.join(", ", parts), expected));
    }
    LowRank ordered = original.swapped() ? change.exchanged() : change;
    Map<String, LowRank> changes = new TreeMap<>();
    int row = 0;
    for (String part : parts) {
      int end = row + layers.get(part).out();
      changes.put(part, parts.size() == 1 ? ordered : ordered.rows(row, end));
      row = end;
    }
    return changes;
  }
}
