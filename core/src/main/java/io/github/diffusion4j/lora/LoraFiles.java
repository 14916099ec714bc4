package io.github.diffusion4j.lora;

import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reads LoRAs and keeps the last sets, so that a generation with the same LoRAs as one before reads
 * nothing. A file that changed is read again. Thread-safe.
 */
public final class LoraFiles {

  private static final int KEPT = 4;

  private record Key(List<Lora> loras, List<String> versions) {}

  private final Map<Key, LoraSet> kept =
      new LinkedHashMap<>(8, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, LoraSet> eldest) {
          return size() > KEPT;
        }
      };

  /** Nothing is kept yet. */
  public LoraFiles() {}

  /**
   * Reads LoRAs, unless they are kept.
   *
   * @param loras in order; a file may be there more than once
   * @return their changes, summed up
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if one is not a LoRA
   */
  public LoraSet read(List<Lora> loras) throws IOException {
    if (loras.isEmpty()) {
      return LoraSet.NONE;
    }
    List<String> versions = new ArrayList<>();
    for (Lora lora : loras) {
      versions.add(version(lora.file()));
    }
    Key key = new Key(List.copyOf(loras), versions);
    synchronized (kept) {
      LoraSet set = kept.get(key);
      if (set != null) {
        return set;
      }
    }
    LoraSet set = new LoraSet(loras, versions, components(loras));
    synchronized (kept) {
      kept.put(key, set);
    }
    return set;
  }

  private static String version(Path file) throws IOException {
    return Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis();
  }

  private static Map<String, Map<String, LowRank>> components(List<Lora> loras) throws IOException {
    Map<Path, LoraFile> files = new LinkedHashMap<>();
    for (Lora lora : loras) {
      if (!files.containsKey(lora.file())) {
        files.put(lora.file(), LoraFile.read(lora.file()));
      }
    }
    TreeSet<String> names = new TreeSet<>();
    files.values().forEach(file -> names.addAll(file.components().keySet()));
    Map<String, Map<String, LowRank>> components = new TreeMap<>();
    for (String component : names) {
      components.put(component, layers(component, loras, files));
    }
    return components;
  }

  private static Map<String, LowRank> layers(
      String component, List<Lora> loras, Map<Path, LoraFile> files) {
    Map<String, List<LowRank>> parts = new TreeMap<>();
    Map<String, List<Double>> scales = new TreeMap<>();
    for (Lora lora : loras) {
      double scale = LoraSet.isTextEncoder(component) ? lora.textEncoderScale() : lora.scale();
      if (scale != 0) {
        files
            .get(lora.file())
            .components()
            .getOrDefault(component, Map.of())
            .forEach(
                (layer, change) -> {
                  parts.computeIfAbsent(layer, absent -> new ArrayList<>()).add(change);
                  scales.computeIfAbsent(layer, absent -> new ArrayList<>()).add(scale);
                });
      }
    }
    Map<String, LowRank> layers = new TreeMap<>();
    parts.forEach(
        (layer, changes) -> {
          if (changes.stream().map(LowRank::shape).distinct().count() > 1) {
            throw new ModelFormatException(
                "%s: they change layer %s of different shapes, %s; they are for different models"
                    .formatted(
                        files.keySet().stream().map(Path::getFileName).toList(), layer, changes));
          }
          layers.put(layer, LowRank.sum(changes, scales.get(layer)));
        });
    return layers;
  }
}
