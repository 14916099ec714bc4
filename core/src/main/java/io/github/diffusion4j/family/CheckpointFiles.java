package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.checkpoint.Checkpoint;
import io.github.diffusion4j.checkpoint.CheckpointHints;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerOptions;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model in one file, which reads as if it were a folder.
 *
 * @param checkpoint the file
 * @param hints where tokenizers may be
 */
record CheckpointFiles(Checkpoint checkpoint, CheckpointHints hints) implements ModelFiles {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOKENIZER = "tokenizer";
  private static final String AUTOENCODER = "vae";

  /** Tokens of the vocabulary that ships. */
  private static final int VOCABULARY = 49408;

  @Override
  public Path place() {
    return checkpoint.file();
  }

  @Override
  public ConfigFile config(String name) {
    return file(name, checkpoint.config(name.replaceFirst("\\.json$", "")));
  }

  @Override
  public ConfigFile config(String component, String name) {
    boolean usual =
        name.equals(component.equals("scheduler") ? "scheduler_config.json" : "config.json");
    return file(component + "/" + name, usual ? checkpoint.config(stored(component)) : Map.of());
  }

  private static ConfigFile file(String name, Map<String, Object> values) {
    JsonNode root = values.isEmpty() ? MissingNode.getInstance() : JSON.valueToTree(values);
    return new ConfigFile(name, root);
  }

  /** Both halves of an autoencoder are one network there. */
  private static String stored(String component) {
    return component.startsWith(AUTOENCODER + "_") ? AUTOENCODER : component;
  }

  @Override
  public List<String> networks() {
    return Stream.concat(checkpoint.networks().stream(), Stream.of("vae_decoder", "vae_encoder"))
        .filter(this::has)
        .sorted()
        .toList();
  }

  /** The autoencoder is there as its two halves. */
  @Override
  public boolean has(String component) {
    return !component.equals(AUTOENCODER) && checkpoint.networks().contains(stored(component));
  }

  @Override
  public Optional<ComponentNetwork> network(String component) {
    return has(component)
        ? Optional.of(
            ComponentNetwork.of(
                new BuiltNetwork(
                    component,
                    Architectures.of(component, config(component, "config.json")),
                    checkpoint.source(stored(component)))))
        : Optional.empty();
  }

  @Override
  public boolean hasTokenizer(String name) {
    return checkpoint.networks().contains(encoder(name));
  }

  private static String encoder(String tokenizer) {
    return "text_encoder" + tokenizer.substring(TOKENIZER.length());
  }

  @Override
  public Tokenizer tokenizer(String name, TokenizerOptions options) throws IOException {
    Optional<Path> given = given(name);
    return given.isPresent()
        ? Tokenizers.load(given.get(), options)
        : Tokenizers.clip(padToken(name), options);
  }

  private Optional<Path> given(String tokenizer) {
    return hints.folder().map(folder -> folder.resolve(tokenizer)).filter(Files::isDirectory);
  }

  private String padToken(String name) {
    int rows = config(encoder(name), "config.json").positive("vocab_size").orElse(VOCABULARY);
    if (rows != VOCABULARY) {
      throw new ModelFormatException(
          "%s: its %s knows %d tokens, the vocabulary of CLIP that ships has %d; give its %s in a folder of configurations"
              .formatted(place(), encoder(name), rows, VOCABULARY, name));
    }
    return (String) checkpoint.config(name).getOrDefault("pad_token", "<|endoftext|>");
  }

  @Override
  public void write(String component, Path folder) throws IOException {
    if (component.equals("scheduler")) {
      Files.createDirectory(folder);
      JSON.writerWithDefaultPrettyPrinter()
          .writeValue(
              folder.resolve("scheduler_config.json").toFile(), checkpoint.config(component));
    } else if (component.startsWith(TOKENIZER) && hasTokenizer(component)) {
      Optional<Path> given = given(component);
      if (given.isPresent()) {
        ModelExport.copy(given.get(), folder);
      } else {
        Files.createDirectory(folder);
        Tokenizers.writeClip(padToken(component), folder);
      }
    }
  }
}
