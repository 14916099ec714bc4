package io.github.diffusion4j;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The LoRAs of one generation as changes of layers, summed up. Equal sets change a model in the
 * same way. Immutable.
 *
 * @param loras what was asked for, in order
 * @param versions something for each LoRA's file that differs when its content does
 * @param components changes by component, such as {@code unet} or {@code text_encoder_2}, and by
 *     layer; a layer is named with underscores in place of dots
 */
public record LoraSet(
    List<Lora> loras, List<String> versions, Map<String, Map<String, LowRank>> components) {

  /** No LoRA. */
  public static final LoraSet NONE = new LoraSet(List.of(), List.of(), Map.of());

  /** Copies the collections. */
  public LoraSet {
    loras = List.copyOf(loras);
    versions = List.copyOf(versions);
    components = Map.copyOf(components);
  }

  /**
   * Whether nothing is changed.
   *
   * @return true for no LoRA
   */
  public boolean isEmpty() {
    return loras.isEmpty();
  }

  /**
   * The changes of one component.
   *
   * @param component such as {@code unet}
   * @return by layer, empty if none of its layers is changed
   */
  public Map<String, LowRank> of(String component) {
    return components.getOrDefault(component, Map.of());
  }

  /**
   * These changes with those of one component as changes of another one, beside its own.
   *
   * @param from what files call the component
   * @param to what the model calls it
   * @return the same loras; this set if it does not change {@code from}
   * @throws ModelFormatException if a layer is changed under both names, with different shapes
   */
  public LoraSet renamed(String from, String to) {
    if (!components.containsKey(from)) {
      return this;
    }
    Map<String, LowRank> layers = new TreeMap<>(of(to));
    of(from).forEach((layer, change) -> layers.merge(layer, change, (a, b) -> sum(layer, a, b)));
    Map<String, Map<String, LowRank>> renamed = new TreeMap<>(components);
    renamed.remove(from);
    renamed.put(to, layers);
    return new LoraSet(loras, versions, renamed);
  }

  private LowRank sum(String layer, LowRank a, LowRank b) {
    if (!a.shape().equals(b.shape())) {
      throw new ModelFormatException(
          "%s: they change layer %s of different shapes, %s; they are for different models"
              .formatted(names(), layer, List.of(a, b)));
    }
    return a.plus(b);
  }

  /**
   * What messages call these LoRAs.
   *
   * @return the names of their files, in order
   */
  public List<Path> names() {
    return loras.stream().map(lora -> lora.file().getFileName()).toList();
  }

  /**
   * Whether a component is a text encoder rather than the denoiser.
   *
   * @param component such as {@code unet} or {@code text_encoder_2}
   * @return true for text encoders
   */
  public static boolean isTextEncoder(String component) {
    return component.startsWith("text_encoder");
  }

  /**
   * Checks that nothing of a denoiser is changed but one component.
   *
   * @param denoiser the component, such as {@code unet}
   * @throws ModelFormatException if a LoRA changes another kind of denoiser
   */
  public void requireOnly(String denoiser) {
    require(component -> isTextEncoder(component) || component.equals(denoiser), denoiser);
  }

  /**
   * Checks that no text encoders are changed but those of a model.
   *
   * @param encoders the model's text encoders
   * @throws ModelFormatException if a LoRA changes another one
   */
  public void requireOnlyEncoders(Set<String> encoders) {
    require(component -> !isTextEncoder(component) || encoders.contains(component), encoders);
  }

  /**
   * Checks that nothing is changed but networks of a model.
   *
   * @param networks the model's components
   * @throws ModelFormatException if a LoRA changes another one
   */
  public void requireAmong(Set<String> networks) {
    require(networks::contains, networks);
  }

  private void require(Predicate<String> known, Object expected) {
    for (String component : components.keySet()) {
      if (!known.test(component)) {
        throw new ModelFormatException(
            "%s changes a model's %s, but this model has only %s; the LoRA is for another kind of model"
                .formatted(names(), component, expected));
      }
    }
  }

  /** Equal if the same files are used with the same scales. */
  @Override
  public boolean equals(Object other) {
    return other instanceof LoraSet set && loras.equals(set.loras) && versions.equals(set.versions);
  }

  @Override
  public int hashCode() {
    return 31 * loras.hashCode() + versions.hashCode();
  }

  @Override
  public String toString() {
    return loras.toString();
  }
}
