package io.github.diffusion4j.family;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerOptions;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A model's folder: a folder for each component. */
record FolderFiles(Path place) implements ModelFiles {

  @Override
  public ConfigFile config(String name) {
    return ConfigFile.read(place, name);
  }

  @Override
  public ConfigFile config(String component, String name) {
    return ConfigFile.read(place, ComponentNetwork.place(place, component) + "/" + name);
  }

  /** Folders with a network, and both halves of an autoencoder that share one. */
  @Override
  public List<String> networks() throws IOException {
    try (Stream<Path> folders = Files.list(place)) {
      Stream<String> names =
          folders.map(folder -> folder.getFileName().toString().replace("/", ""));
      return Stream.concat(names, Stream.of("vae_decoder", "vae_encoder"))
          .filter(this::has)
          .distinct()
          .sorted()
          .toList();
    }
  }

  @Override
  public boolean has(String component) {
    return ComponentNetwork.isThere(place, component);
  }

  @Override
  public Optional<ComponentNetwork> network(String component) {
    return ComponentNetwork.find(place, component);
  }

  @Override
  public boolean hasTokenizer(String name) {
    return Files.isDirectory(place.resolve(name));
  }

  @Override
  public Tokenizer tokenizer(String name, TokenizerOptions options) throws IOException {
    return Tokenizers.load(place.resolve(name), options);
  }

  @Override
  public void write(String component, Path folder) throws IOException {
    if (Files.isDirectory(place.resolve(component))) {
      ModelExport.copy(place.resolve(component), folder);
    }
  }
}
