package io.github.diffusion4j.bench;

import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Prompt to token ids of fixed length. */
@State(Scope.Thread)
public class TokenizerBenchmark extends Measured {

  /** Kinds of prompts. */
  public enum Prompt {
    /** A few words. */
    SHORT("a red apple on a light blue background"),
    /** More than the 77 tokens of CLIP. */
    LONG("an intricate oil painting of a lighthouse above a stormy sea at dusk, ".repeat(8));

    private final String text;

    Prompt(String text) {
      this.text = text;
    }
  }

  /** The model whose tokenizer is taken. */
  @Param("shipped")
  public String model;

  /** What is encoded. */
  @Param public Prompt prompt;

  private Tokenizer tokenizer;

  /** For JMH. */
  public TokenizerBenchmark() {}

  /**
   * Opens the tokenizer.
   *
   * @throws IOException if the model has none
   */
  @Setup
  public void open() throws IOException {
    tokenizer = Tokenizers.load(Models.folder(model).resolve("tokenizer"));
  }

  /** Closes it. */
  @TearDown
  public void close() {
    tokenizer.close();
  }

  /**
   * Encodes the prompt.
   *
   * @return its ids
   */
  @Benchmark
  public TokenIds encode() {
    return tokenizer.encode(prompt.text);
  }
}
