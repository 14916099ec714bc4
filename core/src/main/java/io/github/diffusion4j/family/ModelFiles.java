package io.github.diffusion4j.family;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where the parts of a model are: a folder, or one file. */
interface ModelFiles {

  /** The folder or the file. */
  Path place();

  /** A configuration of the whole model, empty if there is none. */
  ConfigFile config(String name);

  /** A component's configuration, empty if there is none. */
  ConfigFile config(String component, String name);

  /** The components whose networks are there, sorted. */
  List<String> networks() throws IOException;

  /** Whether a component's network is there. */
  boolean has(String component);

  /** A component's network. */
  Optional<ComponentNetwork> network(String component);

  /** Whether a tokenizer is there; its name is {@code tokenizer} or {@code tokenizer_2} … */
  boolean hasTokenizer(String name);

  /** Opens a tokenizer. */
  Tokenizer tokenizer(String name, TokenizerOptions options) throws IOException;

  /**
   * Writes a component that has no network, such as a scheduler or a tokenizer, as a folder; does
   * nothing if it is not there.
   */
  void write(String component, Path folder) throws IOException;
}
