package io.github.diffusion4j.checkpoint;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.scheduler.Prediction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a checkpoint cannot tell of itself, where it is known otherwise. Immutable.
 *
 * @param prediction what the UNet's output means, whatever else is given; empty: as the given
 *     scheduler has it, else as marked in the file, else as most models of the kind have it
 * @param given values of configurations by component, such as {@code unet} or {@code scheduler}, in
 *     place of those made from the file
 * @param folder where tokenizers are looked for before the vocabulary that ships; empty for nowhere
 */
public record CheckpointHints(
    Optional<Prediction> prediction,
    Map<String, Map<String, Object>> given,
    Optional<Path> folder) {

  /** Nothing is known. */
  public static final CheckpointHints NONE =
      new CheckpointHints(Optional.empty(), Map.of(), Optional.empty());

  private static final List<String> NETWORKS =
      List.of("unet", "vae", "text_encoder", "text_encoder_2");

  /** Copies the map. */
  public CheckpointHints {
    requireNonNull(prediction, "prediction");
    given = Map.copyOf(given);
    requireNonNull(folder, "folder");
  }

  /**
   * These hints with a prediction.
   *
   * @param value what the UNet's output means
   * @return a copy
   */
  public CheckpointHints withPrediction(Prediction value) {
    return new CheckpointHints(Optional.of(value), given, folder);
  }

  /**
   * These hints with the configurations of a folder in the layout of diffusers: {@code
   * unet/config.json}, {@code scheduler/scheduler_config.json}, {@code tokenizer/} …, as far as it
   * has them.
   *
   * @param configs the folder; weights in it are not looked at
   * @return a copy
   * @throws IOException if there is no such folder or a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not a JSON object
   */
  public CheckpointHints withConfigs(Path configs) throws IOException {
    if (!Files.isDirectory(configs)) {
      throw new NoSuchFileException(configs.toString(), null, "no folder of configurations there");
    }
    Map<String, Map<String, Object>> found = new LinkedHashMap<>(given);
    for (String network : NETWORKS) {
      put(found, network, ConfigFile.read(configs, network + "/config.json"));
    }
    if (!found.containsKey("vae")) { // as exported models have it
      put(found, "vae", ConfigFile.read(configs, "vae_decoder/config.json"));
    }
    put(found, "scheduler", ConfigFile.read(configs, "scheduler/scheduler_config.json"));
    put(found, "model_index", ConfigFile.read(configs, "model_index.json"));
    return new CheckpointHints(prediction, found, Optional.of(configs));
  }

  private static void put(
      Map<String, Map<String, Object>> found, String component, ConfigFile config) {
    if (config.present()) {
      found.put(component, config.toMap());
    }
  }
}
